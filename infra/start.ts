import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Addresses, addressesOf, addressTable, exampleCurl } from './addresses.ts';
import { applicationEnvironment, type ApplicationPorts } from './application-environment.ts';
import { keptKey } from './kept-key.ts';
import { startAlertmanager } from './dependencies/alertmanager.ts';
import type { Dependency, LaunchContext } from './dependencies/dependency.ts';
import { startPrometheus } from './dependencies/prometheus.ts';
import { reported, type Services, startServices } from './dependencies/start-services.ts';
import { createLogFollower } from './log-follower.ts';
import { createPortBook, firstFreePort, type TakePort } from './ports.ts';
import { stopAllProcesses } from './processes.ts';
import { runApplication, waitForApplication } from './run-application.ts';
import { runDemo } from './run-demo.ts';
import { addressFile, dataFolder } from './runtime-folder.ts';
import { holderOf } from './run-lock.ts';
import { firstAvailableProduct, seedCatalog } from './seed-catalog.ts';
import { untilSignal } from './until-signal.ts';

/** `npm start [-- --demo] [-- --install]`: everything the product needs, the product itself, and its logs until Ctrl-C. */

const FIRST_API_PORT = 3000;

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
    rmSync(addressFile, { force: true });
    for (const stop of stops) await stop();
    await stopAllProcesses();
    logs.say('Everything that was started here is stopped.');
  }
}

/** `stops` is filled in the order of stopping: the application first, from the API inwards, then what it stands on. */
async function bringUp(stops: Stop[], isOver: () => boolean): Promise<void> {
  const context = launchContext(isOver);
  const services = await startServices(context);
  stops.push(services.stop);
  const ports = await choosePorts(context.takePort);
  const environment = environmentFor(services, ports);
  const application = runApplication({ environment, dataFolder, logs });
  stops.unshift(...application.map(({ stop }) => stop));
  const watchers = await optionalWatchers(context, { services, ports, stops });
  await waitForApplication(ports, isOver);
  await seedCatalog(environment);
  const addresses = addressesOf({ ports, services, sqlUrl: environment['SQL_URL'] ?? '', ...watchers });
  writeFileSync(addressFile, `${JSON.stringify(addresses, null, 2)}\n`);
  await welcome(addresses);
  if (args.includes('--demo')) await demonstrate(environment);
  logs.say('\nFollowing the logs; Ctrl-C stops everything.\n');
  logs.resume();
}

function launchContext(isOver: () => boolean): LaunchContext {
  mkdirSync(dataFolder, { recursive: true });
  return {
    env: process.env,
    folder: dataFolder,
    keepsData: true,
    takePort: createPortBook(join(dataFolder, 'ports.json')),
    // What is stopped while it starts complains; nobody needs to read that.
    say: (line) => void (isOver() || logs.say(line)),
    useConfigured: true,
    installWithSudo: args.includes('--install'),
  };
}

async function choosePorts(takePort: TakePort): Promise<ApplicationPorts> {
  const chosen = (name: string) => Number(process.env[name] ?? '') || undefined;
  return {
    api: chosen('API_PORT') ?? (await firstFreePort(FIRST_API_PORT)),
    worker: chosen('WORKER_PORT') ?? (await takePort('worker')),
    relay: chosen('RELAY_PORT') ?? (await takePort('relay')),
    sandbox: chosen('SANDBOX_PORT') ?? (await takePort('sandbox')),
    smtp: chosen('SANDBOX_SMTP_PORT') ?? (await takePort('sandbox-smtp')),
  };
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

async function demonstrate(environment: NodeJS.ProcessEnv): Promise<void> {
  const code = await runDemo(environment);
  if (code !== 0) logs.say(`The demo ended with exit code ${code}; the product keeps running.`);
}
