import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { applicationEnvironment, type ApplicationPorts } from '../infra/application-environment.ts';
import { applicationProcesses, waitForReadiness, type ApplicationProcess } from '../infra/application.ts';
import { freePort } from '../infra/ports.ts';
import { startProcess, type OwnedProcess } from '../infra/processes.ts';
import { projectFolder } from '../infra/runtime-folder.ts';
import { seedCatalog } from '../infra/seed-catalog.ts';

export type ApplicationName = ApplicationProcess['name'];

/** The product on the private, empty servers of one benchmark run. */
export interface BenchEnvironment {
  /** Environment of the product's processes; whatever else connects to the same servers uses it as well. */
  env: NodeJS.ProcessEnv;
  temporal: { address: string; namespace: string; metricsUrl: string };
  /** Base addresses of the product's processes. */
  urls: Record<ApplicationName, string>;
  databaseFile: string;
  /** For files of the run. */
  folder: string;
  /** Ids of the process groups, by name: the product's processes and the servers under them. */
  groups(): Record<string, number>;
  /** Stops one of the product's processes and starts it again with other settings. */
  restart(name: ApplicationName, changes: NodeJS.ProcessEnv): Promise<void>;
  close(): Promise<void>;
}

const READY_TIMEOUT_MS = 90_000;

/** Nothing of the person's settings but what programs need to run: a benchmark never touches real providers. */
const bareUser = (): NodeJS.ProcessEnv =>
  Object.fromEntries(['PATH', 'HOME', 'LANG', 'TMPDIR'].map((name) => [name, process.env[name]]));

/** Starts the product on the servers that `npm run bench` has started; throws when it was not started by that. */
export async function startBenchEnvironment(settings: NodeJS.ProcessEnv = {}): Promise<BenchEnvironment> {
  const servers = givenServers();
  const ports = await choosePorts();
  const env = { ...environmentFor(servers, ports), LOG_LEVEL: 'warn', ...settings };
  mkdirSync(servers.folder, { recursive: true });
  const running = new Map<ApplicationName, OwnedProcess>();
  const start = async (name: ApplicationName, processEnv: NodeJS.ProcessEnv) => {
    running.set(name, await startOne({ name, env: processEnv, folder: servers.folder, port: ports[name] }));
  };
  const close = async () => {
    for (const { name } of applicationProcesses) await running.get(name)?.stop();
  };
  try {
    await Promise.all(applicationProcesses.map(({ name }) => start(name, env)));
    await seedCatalog(env);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    env,
    temporal: servers.temporal,
    folder: servers.folder,
    databaseFile: join(servers.folder, 'order-saga.sqlite'),
    urls: urlsOf(ports),
    groups: () => ({
      ...servers.groups,
      ...Object.fromEntries([...running].map(([name, { pid }]) => [name, pid])),
    }),
    async restart(name, changes) {
      await running.get(name)?.stop();
      await start(name, { ...env, ...changes });
    },
    close,
  };
}

interface GivenServers {
  temporal: { address: string; namespace: string; metricsUrl: string };
  redisUrl: string;
  amqpUrl: string;
  rabbitmqManagementUrl: string;
  folder: string;
  groups: Record<string, number>;
}

function givenServers(): GivenServers {
  const given = (name: string): string => {
    const value = process.env[name];
    if (value) return value;
    throw new Error(`${name} is not set: start the benchmark with npm run bench, which starts its servers.`);
  };
  return {
    temporal: {
      address: given('TEMPORAL_ADDRESS'),
      namespace: given('TEMPORAL_NAMESPACE'),
      metricsUrl: given('TEMPORAL_METRICS_URL'),
    },
    redisUrl: given('REDIS_URL'),
    amqpUrl: given('AMQP_URL'),
    rabbitmqManagementUrl: given('RABBITMQ_MANAGEMENT_URL'),
    folder: given('ORDER_SAGA_DATA'),
    groups: serverGroups(join(dirname(given('ORDER_SAGA_SERVICES')), 'processes')),
  };
}

/** The launcher notes each server it runs as `<name>-<pid>.json`; the process leads its own group. */
function serverGroups(folder: string): Record<string, number> {
  const names = readdirSync(folder).flatMap((file) => {
    const [, name, pid] = /^(temporal|redis|rabbitmq)-(\d+)\.json$/.exec(file) ?? [];
    return name && pid ? [[name, Number(pid)] as const] : [];
  });
  return Object.fromEntries(names);
}

async function choosePorts(): Promise<ApplicationPorts> {
  const ports = new Set<number>();
  while (ports.size < 5) ports.add(await freePort());
  const [api = 0, worker = 0, relay = 0, sandbox = 0, smtp = 0] = ports;
  return { api, worker, relay, sandbox, smtp };
}

const urlsOf = ({ api, worker, relay, sandbox }: ApplicationPorts): Record<ApplicationName, string> => {
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return { api: at(api), worker: at(worker), relay: at(relay), sandbox: at(sandbox) };
};

function environmentFor(servers: GivenServers, ports: ApplicationPorts): NodeJS.ProcessEnv {
  return applicationEnvironment({
    user: bareUser(),
    ports,
    dataFolder: servers.folder,
    customerHashKey: 'benchmark-only-key',
    webhookSecretKey: 'benchmark-only-key-of-32-characters',
    temporal: { ...servers.temporal, isPrivate: true },
    redisUrl: servers.redisUrl,
    amqpUrl: servers.amqpUrl,
    rabbitmqManagementUrl: servers.rabbitmqManagementUrl,
  });
}

async function startOne(input: {
  name: ApplicationName;
  env: NodeJS.ProcessEnv;
  folder: string;
  port: number;
}): Promise<OwnedProcess> {
  const { name, env, folder, port } = input;
  const { script, graceMs } = applicationProcesses.find(
    (process) => process.name === name,
  ) as ApplicationProcess;
  const started = await startProcess({
    name,
    command: process.execPath,
    args: [join(projectFolder, script)],
    env,
    folder: projectFolder,
    output: { file: join(folder, 'logs', `${name}.log`) },
    pidFolder: join(folder, 'processes'),
    graceMs,
  });
  try {
    await waitForReadiness({
      name,
      baseUrl: `http://127.0.0.1:${port}`,
      timeoutMs: READY_TIMEOUT_MS,
      isOver: started.hasExited,
    });
  } catch (cause) {
    const printed = started.lastLines();
    await started.stop();
    throw new Error(`${name} did not start. It printed:\n${printed}`, { cause });
  }
  return started;
}
