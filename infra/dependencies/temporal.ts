import { join } from 'node:path';
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { startProcess } from '../processes.ts';
import { configuredServer } from './configured.ts';
import {
  type Candidate,
  createNotHere,
  type Dependency,
  firstThatWorks,
  type LaunchContext,
  type Source,
} from './dependency.ts';
import { dockerCandidate } from './docker.ts';
import { keepRunning } from './keep-running.ts';
import { onOwnPorts } from './own-ports.ts';
import { placeFiles } from './place-files.ts';
import { builtCli, cachedCli, cliOnPath, downloadedCli } from './temporal-cli.ts';
import { addMissingSearchAttributes, keepClosedRuns, retentionDays } from './temporal-namespace.ts';
import { CLI_VERSION, DEFAULT_NAMESPACE, devServerArguments, RETENTION_DAYS } from './temporal-settings.ts';
import { waitUntilReady } from './wait-until.ts';

/** `uiUrl`, `metricsUrl` and `cli` are empty for a server that is not ours. */
export type TemporalAddresses = {
  address: string;
  namespace: string;
  uiUrl: string;
  metricsUrl: string;
  /** Path of the `temporal` program. */
  cli: string;
};

const NAME = 'Temporal';
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Temporal: its standard client environment, the CLI on PATH, the one of an earlier start, the SDK's download, `go install`, Docker.
 * The namespace has the product's search attributes when this returns, and a private one keeps closed runs for 7 days.
 */
export async function startTemporal(context: LaunchContext): Promise<Dependency<TemporalAddresses>> {
  const installCommand = `go install github.com/temporalio/cli/cmd/temporal@${CLI_VERSION} (or see https://docs.temporal.io/cli)`;
  return firstThatWorks({
    name: NAME,
    candidates: temporalCandidates(context),
    installCommand,
    say: context.say,
  });
}

/** In the order they are tried. */
export function temporalCandidates(context: LaunchContext): Candidate<TemporalAddresses>[] {
  const privately = (
    source: Source,
    findCli: (context: LaunchContext) => Promise<string>,
  ): Candidate<TemporalAddresses> => ({
    source,
    start: async () => runPrivate({ context, source, cli: await findCli(context) }),
  });
  const docker = {
    address: '127.0.0.1:7233',
    namespace: DEFAULT_NAMESPACE,
    uiUrl: 'http://127.0.0.1:8080',
    metricsUrl: 'http://127.0.0.1:8000/metrics',
    cli: '',
  };
  return [
    { source: 'configured', start: () => useConfigured(context) },
    privately('path', cliOnPath),
    privately('cache', cachedCli),
    privately('download', downloadedCli),
    privately('go install', builtCli),
    dockerCandidate({
      name: NAME,
      services: ['temporal-ui', 'temporal', 'temporal-postgresql'],
      context,
      addresses: docker,
      version: (addresses) => versionOf(addresses),
    }),
  ];
}

async function useConfigured(context: LaunchContext): Promise<Dependency<TemporalAddresses>> {
  if (!context.useConfigured) throw createNotHere('not asked for');
  const { connectionOptions, namespace = DEFAULT_NAMESPACE } = loadClientConnectConfig({
    overrideEnvVars: definedOnly(context.env),
  });
  const { address } = connectionOptions;
  if (!address) throw createNotHere('TEMPORAL_ADDRESS is not set');
  const prepare = async (connection: Connection) => {
    await addMissingSearchAttributes(connection, namespace);
    const days = await retentionDays(connection, namespace);
    if (days < RETENTION_DAYS) {
      context.say(
        `Temporal: namespace ${namespace} keeps closed runs for ${days} days; ${RETENTION_DAYS} are recommended`,
      );
    }
    return serverVersion(connection);
  };
  const addresses = {
    address,
    namespace,
    uiUrl: context.env['TEMPORAL_UI_URL'] ?? '',
    metricsUrl: '',
    cli: '',
  };
  return configuredServer(context, {
    name: NAME,
    setting: 'TEMPORAL_ADDRESS',
    shown: address,
    addresses,
    ask: () => withConnection(connectionOptions as ConnectionOptions, prepare),
  });
}

async function runPrivate(options: {
  context: LaunchContext;
  source: Source;
  cli: string;
}): Promise<Dependency<TemporalAddresses>> {
  const { context, source, cli } = options;
  const folder = join(context.folder, 'temporal');
  await placeFiles(context, folder);
  const names = { port: 'temporal', uiPort: 'temporal-ui', metricsPort: 'temporal-metrics' };
  return onOwnPorts(context, { name: NAME, ports: names }, async (ports) => {
    const spec = {
      name: 'temporal',
      command: cli,
      args: devServerArguments({ ...ports, databaseFile: join(folder, 'temporal.sqlite') }),
      env: context.env,
      output: { file: join(context.folder, 'logs', 'temporal.log') },
      pidFolder: join(context.folder, 'processes'),
      graceMs: context.keepsData ? 10_000 : 0,
    };
    const server = await startProcess(spec);
    const addresses = {
      address: `127.0.0.1:${ports.port}`,
      namespace: DEFAULT_NAMESPACE,
      uiUrl: `http://127.0.0.1:${ports.uiPort}`,
      metricsUrl: `http://127.0.0.1:${ports.metricsPort}/metrics`,
      cli,
    };
    let version = '';
    await waitUntilReady(server, async () => {
      version = await withConnection({ address: addresses.address }, async (connection) => {
        await keepClosedRuns(connection, DEFAULT_NAMESPACE);
        await addMissingSearchAttributes(connection, DEFAULT_NAMESPACE);
        return serverVersion(connection);
      });
    });
    const { stop } = keepRunning(context, { ready: server, spec, ports: Object.values(ports) });
    return { name: NAME, source, version, addresses, pid: server.pid, stop };
  });
}

function versionOf({ address }: TemporalAddresses): Promise<string> {
  return withConnection({ address }, serverVersion);
}

async function serverVersion(connection: Connection): Promise<string> {
  return (await connection.workflowService.getSystemInfo({})).serverVersion ?? 'unknown';
}

async function withConnection<T>(
  options: ConnectionOptions,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({ ...options, connectTimeout: CONNECT_TIMEOUT_MS });
  try {
    return await connection.withDeadline(Date.now() + CONNECT_TIMEOUT_MS, () => use(connection));
  } finally {
    await connection.close();
  }
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
