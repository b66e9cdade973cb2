import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startServices } from './dependencies/start-services.ts';
import { createPortBook } from './ports.ts';
import { runtimeFolder } from './runtime-folder.ts';

/**
 * `node infra/services.ts`: private Temporal, RabbitMQ and Redis in the foreground, for work on the code.
 * Prints their addresses as JSON, writes them to `.runtime/services.json`, and stops everything on SIGINT or SIGTERM.
 */
const folder = join(runtimeFolder, 'services');
const addressFile = join(runtimeFolder, 'services.json');
await mkdir(folder, { recursive: true });
const services = await startServices({
  env: process.env,
  folder,
  takePort: createPortBook(join(folder, 'ports.json')),
  say: (line) => console.error(line),
  useConfigured: false,
  installWithSudo: process.argv.includes('--install'),
});
const addresses = {
  temporalAddress: services.temporal.addresses.address,
  temporalUi: services.temporal.addresses.uiUrl,
  temporalMetricsUrl: services.temporal.addresses.metricsUrl,
  temporalCli: services.temporal.addresses.cli,
  amqpUrl: services.rabbitmq.addresses.url,
  amqpManagementUrl: services.rabbitmq.addresses.managementUrl,
  rabbitmqMetrics: services.rabbitmq.addresses.metricsUrl,
  redisUrl: services.redis.addresses.url,
  pid: process.pid,
};
await writeFile(addressFile, JSON.stringify(addresses, null, 2));
console.log(JSON.stringify(addresses, null, 2));

const stop = async () => {
  await services.stop();
  await rm(addressFile, { force: true });
  process.exit(0);
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void stop());
setInterval(() => {}, 60_000);
