import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type OwnedProcess, startProcess } from '../processes.ts';
import { createNotHere, type Dependency, type LaunchContext } from './dependency.ts';
import { startEpmd } from './epmd.ts';
import { keepRunning } from './keep-running.ts';
import { onOwnPorts } from './own-ports.ts';
import { placeFiles } from './place-files.ts';
import { brokerVersion, managementAnswers } from './rabbitmq-answers.ts';
import { findRabbitmq, rabbitmqConfig, rabbitmqEnvironment } from './rabbitmq-node.ts';
import { waitUntilReady } from './wait-until.ts';

/** `managementUrl` and `metricsUrl` are empty for a configured broker unless RABBITMQ_MANAGEMENT_URL and RABBITMQ_METRICS_URL say where they are. */
export type RabbitmqAddresses = { url: string; managementUrl: string; metricsUrl: string };

export const RABBITMQ = 'RabbitMQ';

/**
 * A node of our own on free loopback ports: data, logs, Erlang cookie and port mapper are its own as well.
 */
export async function runRabbitmq(
  context: LaunchContext,
  source: 'path' | 'package manager',
): Promise<Dependency<RabbitmqAddresses>> {
  const binary = await findRabbitmq(context.env);
  if (binary === undefined) throw createNotHere('no rabbitmq-server on PATH');
  const folder = join(context.folder, 'rabbitmq');
  const names = {
    amqp: 'amqp',
    management: 'rabbitmq-management',
    metrics: 'rabbitmq-metrics',
    distribution: 'rabbitmq-distribution',
    epmd: 'epmd',
  };
  return onOwnPorts(context, { name: RABBITMQ, ports: names }, async (ports) => {
    const pidFile = join(folder, 'pid');
    const forgetPid = () => rmSync(pidFile, { force: true });
    await placeFiles(context, folder, {
      'rabbitmq.conf': rabbitmqConfig(ports),
      enabled_plugins: '[rabbitmq_management,rabbitmq_prometheus].\n',
    });
    forgetPid();
    const epmd = await startEpmd({ context, port: ports.epmd });
    const spec = {
      name: 'rabbitmq',
      command: binary,
      args: [],
      env: rabbitmqEnvironment({ env: context.env, folder, pidFile, ports, nodeName: nodeName(folder) }),
      output: { file: join(context.folder, 'logs', 'rabbitmq.log') },
      pidFolder: join(context.folder, 'processes'),
      graceMs: context.keepsData ? 20_000 : 0,
      // The start script answers SIGTERM with a slow command line tool; the broker itself stops cleanly and at once.
      signalPid: () => brokerPid(pidFile),
    };
    const addresses = {
      url: `amqp://guest:guest@127.0.0.1:${ports.amqp}`,
      managementUrl: `http://guest:guest@127.0.0.1:${ports.management}`,
      metricsUrl: `http://127.0.0.1:${ports.metrics}/metrics`,
    };
    let version = '';
    let server: OwnedProcess;
    try {
      server = await startProcess(spec);
      await waitUntilReady(server, async () => {
        version = await brokerVersion(addresses.url);
        await managementAnswers(addresses.managementUrl);
      });
    } catch (error) {
      await epmd?.stop();
      throw error;
    }
    const pid = brokerPid(pidFile) ?? server.pid;
    const running = keepRunning(context, {
      ready: server,
      spec,
      ports: [ports.amqp, ports.management, ports.metrics, ports.distribution],
      beforeStart: forgetPid,
    });
    const stop = async () => {
      await running.stop();
      await epmd?.stop();
    };
    return { name: RABBITMQ, source, version, addresses, pid, stop };
  });
}

/** One node name per data folder: RabbitMQ keeps its data under the name, and two nodes of one name cannot run beside each other. */
function nodeName(folder: string): string {
  return `order-saga-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}@localhost`;
}

function brokerPid(pidFile: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(pidFile, 'utf8'), 10) || undefined;
  } catch {
    return undefined;
  }
}
