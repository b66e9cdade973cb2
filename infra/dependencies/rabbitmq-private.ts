import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess } from '../processes.ts';
import { createNotHere, type Dependency, type LaunchContext } from './dependency.ts';
import { startEpmd } from './epmd.ts';
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
  await mkdir(folder, { recursive: true });
  const ports = {
    amqp: await context.takePort('amqp'),
    management: await context.takePort('rabbitmq-management'),
    metrics: await context.takePort('rabbitmq-metrics'),
    distribution: await context.takePort('rabbitmq-distribution'),
    epmd: await context.takePort('epmd'),
  };
  const pidFile = join(folder, 'pid');
  await rm(pidFile, { force: true });
  await writeFile(join(folder, 'rabbitmq.conf'), rabbitmqConfig(ports));
  await writeFile(join(folder, 'enabled_plugins'), '[rabbitmq_management,rabbitmq_prometheus].\n');
  const epmd = await startEpmd({ context, port: ports.epmd });
  const server = await startProcess({
    name: 'rabbitmq',
    command: binary,
    args: [],
    env: rabbitmqEnvironment({ env: context.env, folder, pidFile, ports, nodeName: nodeName(folder) }),
    output: { file: join(context.folder, 'logs', 'rabbitmq.log') },
    pidFolder: join(context.folder, 'processes'),
    graceMs: context.keepsData ? 20_000 : 0,
  });
  const addresses = {
    url: `amqp://guest:guest@127.0.0.1:${ports.amqp}`,
    managementUrl: `http://guest:guest@127.0.0.1:${ports.management}`,
    metricsUrl: `http://127.0.0.1:${ports.metrics}/metrics`,
  };
  let version = '';
  try {
    await waitUntilReady(server, async () => {
      version = await brokerVersion(addresses.url);
      await managementAnswers(addresses.managementUrl);
    });
  } catch (error) {
    await epmd?.stop();
    throw error;
  }
  const pid = brokerPid(pidFile) ?? server.pid;
  const stop = async () => {
    // The start script answers SIGTERM with a slow command line tool; the broker itself stops cleanly and at once.
    await server.stop(pid);
    await epmd?.stop();
  };
  return { name: RABBITMQ, source, version, addresses, pid, stop };
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
