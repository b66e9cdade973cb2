import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findOnPath, firstExecutable } from './find-binary.ts';

export type RabbitmqPorts = {
  amqp: number;
  management: number;
  metrics: number;
  distribution: number;
  epmd: number;
};

/**
 * The server's own start script. The one that packages put on PATH insists on root or the user `rabbitmq`,
 * so the folder it wraps comes first.
 */
export async function findRabbitmq(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const unwrapped = [
    '/usr/lib/rabbitmq/bin/rabbitmq-server',
    ...(await versionedScripts('/usr/lib/rabbitmq/lib')),
  ];
  return (await firstExecutable(unwrapped)) ?? (await findOnPath('rabbitmq-server', env));
}

async function versionedScripts(folder: string): Promise<string[]> {
  try {
    const versions = await readdir(folder);
    return versions.map((version) => join(folder, version, 'sbin', 'rabbitmq-server'));
  } catch {
    return [];
  }
}

/** Loopback only, and no alarm on a nearly full laptop disk. */
export function rabbitmqConfig(ports: RabbitmqPorts): string {
  return `${[
    `listeners.tcp.1 = 127.0.0.1:${ports.amqp}`,
    'management.tcp.ip = 127.0.0.1',
    `management.tcp.port = ${ports.management}`,
    'prometheus.tcp.ip = 127.0.0.1',
    `prometheus.tcp.port = ${ports.metrics}`,
    'disk_free_limit.absolute = 50MB',
    'management.rates_mode = basic',
    'log.console = false',
    'log.file.level = warning',
  ].join('\n')}\n`;
}

/**
 * Everything that would otherwise point at the system's broker: files, ports, the Erlang cookie (below HOME) and /etc/rabbitmq.
 * ERL_EPMD_PORT keeps this node away from the machine's shared port mapper.
 */
export function rabbitmqEnvironment(node: {
  env: NodeJS.ProcessEnv;
  folder: string;
  pidFile: string;
  ports: RabbitmqPorts;
  nodeName: string;
}): NodeJS.ProcessEnv {
  const { folder, ports } = node;
  return {
    PATH: node.env['PATH'],
    LANG: node.env['LANG'] ?? 'C.UTF-8',
    HOME: folder,
    RABBITMQ_NODENAME: node.nodeName,
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'rabbitmq-env.conf'),
    RABBITMQ_PID_FILE: node.pidFile,
    RABBITMQ_DIST_PORT: String(ports.distribution),
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: [
      // Idle schedulers that spin cost a laptop's only other core.
      '+sbwt none +sbwtdcpu none +sbwtdio none',
      // Other nodes and command line tools speak to it on loopback alone.
      '-kernel inet_dist_use_interface {127,0,0,1}',
    ].join(' '),
  };
}
