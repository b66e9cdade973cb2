import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { startProcess } from '../processes.ts';
import {
  type Candidate,
  createNotHere,
  type Dependency,
  firstThatWorks,
  type LaunchContext,
} from './dependency.ts';
import { dockerCandidate } from './docker.ts';
import { startEpmd } from './epmd.ts';
import { findRabbitmq, rabbitmqConfig, rabbitmqEnvironment } from './rabbitmq-node.ts';
import { installCommandFor, installPackages } from './package-manager.ts';
import { waitUntilReady } from './wait-until.ts';

/** `managementUrl` and `metricsUrl` are empty for a configured broker unless RABBITMQ_MANAGEMENT_URL and RABBITMQ_METRICS_URL say where they are. */
export type RabbitmqAddresses = { url: string; managementUrl: string; metricsUrl: string };

const NAME = 'RabbitMQ';
const CONNECT_TIMEOUT_MS = 5_000;

/** RabbitMQ with management and metrics: AMQP_URL, `rabbitmq-server` on PATH, the package manager, Docker. */
export async function startRabbitmq(context: LaunchContext): Promise<Dependency<RabbitmqAddresses>> {
  const candidates: Candidate<RabbitmqAddresses>[] = [
    { source: 'configured', start: () => useConfigured(context) },
    { source: 'path', start: () => runPrivate(context, 'path') },
    {
      source: 'package manager',
      start: async () => {
        await installPackages('rabbitmq', context);
        return runPrivate(context, 'package manager');
      },
    },
    dockerCandidate({
      name: NAME,
      service: 'rabbitmq',
      context,
      addresses: {
        url: 'amqp://guest:guest@127.0.0.1:5672',
        managementUrl: 'http://guest:guest@127.0.0.1:15672',
        metricsUrl: 'http://127.0.0.1:15692/metrics',
      },
      version: (addresses) => versionOf(addresses.url),
    }),
  ];
  return firstThatWorks({
    name: NAME,
    candidates,
    installCommand: await installCommandFor('rabbitmq', context.env),
    say: context.say,
  });
}

async function useConfigured(context: LaunchContext): Promise<Dependency<RabbitmqAddresses>> {
  const url = context.env['AMQP_URL'];
  if (!context.useConfigured || !url) throw createNotHere('AMQP_URL is not set');
  const addresses = {
    url,
    managementUrl: context.env['RABBITMQ_MANAGEMENT_URL'] ?? '',
    metricsUrl: context.env['RABBITMQ_METRICS_URL'] ?? '',
  };
  return { name: NAME, source: 'configured', version: await versionOf(url), addresses, stop: async () => {} };
}

async function runPrivate(
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
      version = await versionOf(addresses.url);
      await answers(addresses.managementUrl);
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
  return { name: NAME, source, version, addresses, pid, stop };
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

async function versionOf(url: string): Promise<string> {
  const connection = await connect(url, { timeout: CONNECT_TIMEOUT_MS });
  connection.on('error', () => {});
  const version = String(connection.connection.serverProperties['version'] ?? 'unknown');
  await connection.close();
  return version;
}

async function answers(managementUrl: string): Promise<void> {
  const { origin, username, password } = new URL(managementUrl);
  const authorization = `Basic ${btoa(`${username}:${password}`)}`;
  const response = await fetch(`${origin}/api/overview`, { headers: { authorization } });
  if (!response.ok) throw new Error(`the management API answers ${response.status}`);
}
