import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { difference, durableWritesPerOrder, settledDurableWrites } from '../../bench/durable-writes.ts';
import { workflowIdOf } from '../../domain/ids.ts';
import type { Dependency } from '../../infra/dependencies/dependency.ts';
import { startTemporal, type TemporalAddresses } from '../../infra/dependencies/temporal.ts';
import { freePort } from '../../infra/ports.ts';
import { createOrderWorkers, type OrderWorkers } from '../../workers/saga/order-workers.ts';
import { fulfillOrder } from '../../workflows/index.ts';
import {
  startSagaEnvironment,
  testBundle,
  workflowInput,
  type SagaEnvironment,
} from '../setup/saga-environment.ts';

const ORDERS = 5;

/* On a Temporal of its own: on the run's shared one the writes of other suites would be counted as well. */
let folder: string;
let temporal: Dependency<TemporalAddresses>;
let saga: SagaEnvironment;
let client: Client;
let workers: OrderWorkers;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'order-saga-writes-'));
  temporal = await startTemporal({
    env: process.env,
    folder,
    keepsData: false,
    takePort: () => freePort(),
    say: () => {},
    useConfigured: false,
    installWithSudo: false,
  });
  saga = await startSagaEnvironment({ workers: false });
  const { address, namespace } = temporal.addresses;
  const connection = await Connection.connect({ address });
  client = new Client({ connection, namespace });
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const native = await NativeConnection.connect({ address });
  workers = await createOrderWorkers({
    connection: native,
    namespace,
    taskQueues: workflowInput(saga.config).taskQueues,
    workflowBundle: await testBundle(),
    deps: saga.deps,
    shutdownGraceMs: 2_000,
  });
  const running = workers.run();
  closing.push(async () => {
    workers.shutdown();
    await running;
    await native.close();
    await connection.close();
  });
});

afterAll(async () => {
  for (const close of closing) await close();
  await saga?.close();
  await temporal?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function completeOrders(count: number): Promise<void> {
  for (let order = 0; order < count; order += 1) {
    const input = workflowInput(saga.config);
    const result = await client.workflow.execute(fulfillOrder, {
      workflowId: workflowIdOf(input.checkout.orderId),
      taskQueue: input.taskQueues.orders,
      args: [input],
    });
    expect(result.status).toBe('completed');
  }
}

test('a paid and shipped order costs exactly the declared durable writes in Temporal', async () => {
  // The first workflow of a worker has a task more: nothing is sticky yet.
  await completeOrders(2);
  const before = await settledDurableWrites(temporal.addresses);
  await completeOrders(ORDERS);
  const counted = difference(await settledDurableWrites(temporal.addresses), before);
  expect(counted).toEqual({
    create: durableWritesPerOrder.create * ORDERS,
    update: durableWritesPerOrder.update * ORDERS,
  });
});
