import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { ProvidedContext } from 'vitest';
import type { TestProject } from 'vitest/node';
import { addMissingSearchAttributes } from '../../infra/dependencies/temporal-namespace.ts';
import { DEFAULT_NAMESPACE } from '../../infra/dependencies/temporal-settings.ts';
import { removeAbandonedFolders } from '../../infra/abandoned-folders.ts';
import { serviceAddresses, startServices } from '../../infra/dependencies/start-services.ts';
import { freePort } from '../../infra/ports.ts';
import { runtimeFolder } from '../../infra/runtime-folder.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port` of the run's own Temporal, namespace `default`, with the product's search attributes. */
    temporalAddress: string;
    /** The server's Prometheus endpoint, for counting its persistence requests. */
    temporalMetricsUrl: string;
    temporalUiUrl: string;
    /** Path of the `temporal` program. */
    temporalCli: string;
    amqpUrl: string;
    /** RabbitMQ's management API, with user and password in the address. */
    amqpManagementUrl: string;
    /** The broker's Prometheus endpoint. */
    rabbitmqMetricsUrl: string;
    redisUrl: string;
  }
}

const keys = [
  'temporalAddress',
  'temporalMetricsUrl',
  'temporalUiUrl',
  'temporalCli',
  'amqpUrl',
  'amqpManagementUrl',
  'rabbitmqMetricsUrl',
  'redisUrl',
] as const satisfies (keyof ProvidedContext)[];

/**
 * Starts private servers once for a run, in a folder of its own, and stops them by process id afterwards; a reaper does it when this process is killed.
 * Where ORDER_SAGA_SERVICES names a file of addresses, those servers are used: `npm test` starts them itself to report what it has to install,
 * and `ORDER_SAGA_SERVICES=running` takes the ones of `npm run -s node -- infra/services.ts`, which saves their start while working on one file.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running = process.env['ORDER_SAGA_SERVICES'];
  if (running) {
    const addresses = await readAddresses(
      running === 'running' ? join(runtimeFolder, 'services.json') : running,
    );
    await addSearchAttributes(addresses);
    announce(project, addresses);
    return async () => {};
  }
  await removeAbandonedFolders(runtimeFolder);
  const folder = join(runtimeFolder, `test-${process.pid}`);
  await mkdir(folder, { recursive: true });
  const services = await startServices({
    env: process.env,
    folder,
    keepsData: false,
    takePort: () => freePort(),
    say: (line) => console.error(line),
    useConfigured: false,
    installWithSudo: false,
  });
  announce(project, serviceAddresses(services));
  return async () => {
    await services.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

function announce(project: TestProject, addresses: ProvidedContext): void {
  for (const key of keys) project.provide(key, addresses[key]);
  process.env['TEMPORAL_ADDRESS'] = addresses.temporalAddress;
  process.env['TEMPORAL_NAMESPACE'] = DEFAULT_NAMESPACE;
  process.env['AMQP_URL'] = addresses.amqpUrl;
  process.env['RABBITMQ_MANAGEMENT_URL'] = addresses.amqpManagementUrl;
  process.env['REDIS_URL'] = addresses.redisUrl;
}

/** Servers that run for days may have been started by an earlier version. */
async function addSearchAttributes({ temporalAddress }: ProvidedContext): Promise<void> {
  const connection = await Connection.connect({ address: temporalAddress });
  await addMissingSearchAttributes(connection, DEFAULT_NAMESPACE);
  await connection.close();
}

async function readAddresses(file: string): Promise<ProvidedContext> {
  return JSON.parse(await readFile(file, 'utf8')) as ProvidedContext;
}
