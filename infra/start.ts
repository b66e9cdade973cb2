import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Addresses, addressesOf, addressTable, exampleCurl } from './addresses.ts';
import { applicationEnvironment, type ApplicationPorts } from './application-environment.ts';
import { keptKey } from './kept-key.ts';
import { startAlertmanager } from './dependencies/alertmanager.ts';
import type { Dependency, LaunchContext } from './dependencies/dependency.ts';
import { startPrometheus } from './dependencies/prometheus.ts';
import { reported, type Services, startServices } from './dependencies/start-services.ts';
import { createLogFollower } from './log-follower.ts';
import { createPortBook, firstFreePort, isPortFree, type TakePort } from './ports.ts';
import { reservePort } from './port-reservations.ts';
import { stopAllProcesses } from './processes.ts';
import { runApplication, runOnOwnPorts } from './run-application.ts';
import { runDemo } from './run-demo.ts';
import { addressFile, dataFolder } from './runtime-folder.ts';
import { holderOf } from './run-lock.ts';
import { firstAvailableProduct, seedCatalog } from './seed-catalog.ts';
import type { Supervised } from './supervisor.ts';
import { untilDone } from './until-done.ts';
import { untilSignal } from './until-signal.ts';
import { makeFolder, replaceFile } from './whole-file.ts';

/** `npm start [-- --demo] [-- --install]`: everything the product needs, the product itself, and its logs until Ctrl-C. */

const FIRST_API_PORT = 3000;
/** What a start needs on the disk before anything else is tried. */
const PROBE_BYTES = 1024 * 1024;

type Stop = () => Promise<void>;

const args = process.argv.slice(2);
const logs = createLogFollower({
  folder: join(dataFolder, 'logs'),
  print: (text) => process.stdout.write(text),
  colors: process.stdout.isTTY,
});
logs.pause();
// The terminal may go away before its processes are stopped.
process.stdout.on('error', () => {});
process.exitCode = await main();
process.exit();

async function main(): Promise<number> {
  const other = holderOf(dataFolder);
  if (other !== undefined && args.includes('--demo')) return demonstrateOn(other);
  if (other !== undefined) {
    logs.say(
      `Order Saga already runs in this clone (process ${other.pid}). Its addresses are in .runtime/addresses.json.`,
    );
    logs.say('Stop that one first, with Ctrl-C in its terminal.');
    return 1;
  }
  const stops: Stop[] = [];
  const signal = untilSignal();
  let over = false;
  void signal.then(() => (over = true));
  try {
    await Promise.race([bringUp(stops, () => over), signal]);
    await signal;
    return 0;
  } catch (error) {
    logs.say(`\n${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    over = true;
    logs.say('Stopping');
    forgetAddresses();
    for (const stop of stops) await stop();
    await stopAllProcesses();
    logs.say('Everything that was started here is stopped.');
  }
}

/** On a disk that has become read-only the file stays; whoever reads it finds nobody there. */
function forgetAddresses(): void {
  try {
    rmSync(addressFile, { force: true });
  } catch (error) {
    logs.say(`${addressFile} cannot be removed: ${String(error)}`);
  }
}

/** `stops` is filled in the order of stopping: the application first, from the API inwards, then what it stands on. */
async function bringUp(stops: Stop[], isOver: () => boolean): Promise<void> {
  const context = launchContext(isOver);
  await untilDone({ ...context, isOver, what: dataFolder, act: requireRoomForData });
  const services = await startServices(context);
  stops.push(services.stop);
  const { ports, environment } = await startApplication(context, { services, stops, isOver });
  const watchers = await optionalWatchers(context, { services, ports, stops });
  await seedCatalog(environment);
  const addresses = addressesOf({ ports, services, sqlUrl: environment['SQL_URL'] ?? '', ...watchers });
  const text = `${JSON.stringify(addresses, null, 2)}\n`;
  const noted = untilDone({
    ...context,
    isOver,
    what: addressFile,
    act: () => replaceFile(addressFile, text),
  });
  noted.catch(() => {});
  await welcome(addresses);
  if (args.includes('--demo')) {
    await noted;
    await demonstrate(environment);
  }
  logs.say('\nFollowing the logs; Ctrl-C stops everything.\n');
  logs.resume();
}

/** Throws the system's error while there is no room or no permission for data and logs. */
function requireRoomForData(): void {
  const probe = join(dataFolder, 'probe');
  makeFolder(join(dataFolder, 'logs'));
  replaceFile(probe, ' '.repeat(PROBE_BYTES));
  rmSync(probe);
}

function launchContext(isOver: () => boolean): LaunchContext {
  // What is stopped while it starts complains; nobody needs to read that.
  const say = (line: string) => void (isOver() || logs.say(line));
  return {
    env: process.env,
    folder: dataFolder,
    keepsData: true,
    takePort: createPortBook(join(dataFolder, 'ports.json'), isPortForUs, say),
    say,
    useConfigured: true,
    keepsRunning: true,
    isOver,
    installWithSudo: args.includes('--install'),
  };
}

async function isPortForUs(port: number): Promise<boolean> {
  return (await isPortFree(port)) && reservePort(port);
}

/** A port that was set is taken or refused; only one that was not is chosen. */
async function choosePorts(takePort: TakePort): Promise<ApplicationPorts> {
  const setPort = async (name: string): Promise<number | undefined> => {
    const text = process.env[name] ?? '';
    if (text === '' || text === '0') return undefined;
    const port = Number(text);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new Error(`${name}: expected a port from 1 to 65535, or none for a free one; came ${text}`);
    }
    if (await isPortForUs(port)) return port;
    throw new Error(
      `${name}: another program listens on port ${port}; end it, or set ${name} to another port`,
    );
  };
  return {
    api: (await setPort('API_PORT')) ?? (await firstFreePort(FIRST_API_PORT, isPortForUs)),
    worker: (await setPort('WORKER_PORT')) ?? (await takePort('worker')),
    relay: (await setPort('RELAY_PORT')) ?? (await takePort('relay')),
    sandbox: (await setPort('SANDBOX_PORT')) ?? (await takePort('sandbox')),
    smtp: (await setPort('SANDBOX_SMTP_PORT')) ?? (await takePort('sandbox-smtp')),
  };
}

/** Runs the four processes until they are ready. */
async function startApplication(
  context: LaunchContext,
  input: { services: Services; stops: Stop[]; isOver: () => boolean },
): Promise<{ ports: ApplicationPorts; environment: NodeJS.ProcessEnv }> {
  const { services, stops, isOver } = input;
  const { temporal, redis, rabbitmq } = services;
  const isOthers = [temporal, redis, rabbitmq].some(({ source }) => source === 'configured');
  const patient = isOthers || Boolean(process.env['SQL_URL']);
  let application: readonly Supervised[] = [];
  stops.unshift(async () => {
    for (const { stop } of application) await stop();
  });
  return runOnOwnPorts({
    choosePorts: () => choosePorts(context.takePort),
    async run(ports) {
      const environment = await untilDone({
        ...context,
        isOver,
        what: 'The keys kept with the data',
        act: () => environmentFor(services, ports),
      });
      application = runApplication({ environment, dataFolder, logs });
      return { application, environment };
    },
    isOver,
    say: context.say,
    patient,
  });
}

function environmentFor(services: Services, ports: ApplicationPorts): NodeJS.ProcessEnv {
  const { temporal, redis, rabbitmq } = services;
  return applicationEnvironment({
    user: process.env,
    ports,
    dataFolder,
    customerHashKey: keptKey(dataFolder, 'customer-hash-key'),
    webhookSecretKey: keptKey(dataFolder, 'webhook-secret-key'),
    temporal: { ...temporal.addresses, isPrivate: temporal.source !== 'configured' },
    redisUrl: redis.addresses.url,
    amqpUrl: rabbitmq.addresses.url,
    rabbitmqManagementUrl: rabbitmq.addresses.managementUrl,
  });
}

/** Prometheus and Alertmanager, which it tells of alerts. */
async function optionalWatchers(
  context: LaunchContext,
  input: { services: Services; ports: ApplicationPorts; stops: Stop[] },
): Promise<{ prometheusUrl: string; alertmanagerUrl: string }> {
  const nothing = { sqlUrl: '', prometheusUrl: '', alertmanagerUrl: '' };
  const { metrics } = addressesOf({ ...input, ...nothing });
  const optional = (name: string, start: () => Promise<Dependency<{ url: string }>>) =>
    optionalUrl({ name, start: () => reported(context, start), stops: input.stops });
  const alertmanagerUrl = await optional('Alertmanager', () => startAlertmanager(context));
  const prometheusUrl = await optional('Prometheus', () =>
    startPrometheus(context, { metrics, alertmanagerUrl }),
  );
  return { prometheusUrl, alertmanagerUrl };
}

/** A server's address, or '' where it cannot be had: nothing in the product depends on it. */
async function optionalUrl(input: {
  name: string;
  start: () => Promise<Dependency<{ url: string }>>;
  stops: Stop[];
}): Promise<string> {
  try {
    const { addresses, stop } = await input.start();
    input.stops.splice(-1, 0, stop);
    return addresses.url;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logs.say(`${input.name} is optional and left out. ${reason}`);
    return '';
  }
}

async function welcome(addresses: Addresses): Promise<void> {
  const apiKey = firstApiKey(process.env['API_CALLERS']);
  const productId = await firstAvailableProduct(addresses.api, apiKey);
  logs.say(`\nOrder Saga is running.\n\n${addressTable(addresses)}\n`);
  if (productId === undefined) return;
  const idempotencyKey = `example-${randomBytes(4).toString('hex')}`;
  logs.say(`Place an order:\n\n  ${exampleCurl({ api: addresses.api, productId, idempotencyKey, apiKey })}`);
}

function firstApiKey(callers: string | undefined): string | undefined {
  if (!callers) return undefined;
  const [first] = JSON.parse(callers) as { key: string }[];
  return first?.key;
}

/** The demo on a product that another start of this clone runs, which may still be coming up. */
async function demonstrateOn(other: { pid: number }): Promise<number> {
  logs.say(`Order Saga already runs in this clone (process ${other.pid}): the demo runs on it.`);
  const signal = untilSignal();
  let over = false;
  void signal.then(() => (over = true));
  while (!existsSync(addressFile) && !over) {
    if (holderOf(dataFolder)?.pid !== other.pid) {
      logs.say('It has ended meanwhile; start again.');
      return 1;
    }
    await sleep(200);
  }
  return over ? 1 : runDemo(process.env);
}

async function demonstrate(environment: NodeJS.ProcessEnv): Promise<void> {
  const code = await runDemo(environment);
  if (code !== 0) logs.say(`The demo ended with exit code ${code}; the product keeps running.`);
}
