import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { newOrderId } from '../e2e/saga-suite.ts';
import { crashPolicy } from '../faults/crash-plans.ts';
import { runCrashingWorker, type CrashingWorker } from '../faults/crashing-worker.ts';
import { startSagaEnvironment, until, type SagaEnvironment } from '../setup/saga-environment.ts';
import { startPrivateTemporal, type PrivateTemporal } from '../support/private-temporal.ts';

const ORDERS = 20;

let temporal: PrivateTemporal;
let connection: Connection;
let saga: SagaEnvironment;
let worker: CrashingWorker;
beforeAll(async () => {
  temporal = await startPrivateTemporal({ cli: inject('temporalCli') });
  connection = await Connection.connect({ address: temporal.address });
  saga = await startSagaEnvironment({ workers: false });
  const env = { TEMPORAL_ADDRESS: temporal.address };
  worker = await runCrashingWorker(saga, { env, client: new Client({ connection }), mayEnd: true });
});
afterAll(async () => {
  await worker?.close();
  await connection?.close();
  await saga?.close();
  await temporal?.remove();
});

it('orders in flight complete once when Temporal is killed twice and comes back with its database', async () => {
  const ids = Array.from({ length: ORDERS }, newOrderId);
  const orders = await Promise.all(ids.map((id) => worker.start(id, [], crashPolicy)));
  const statuses = async () => {
    const views = await Promise.all(ids.map((id) => saga.deps.store.read.order(id)));
    return views.map((view) => view?.status);
  };
  for (const reached of ['payment_processed', 'fulfillment_created']) {
    await until(statuses, (all) => all.includes(reached as never), 60_000);
    await temporal.kill();
    expect(await statuses()).not.toEqual(ids.map(() => 'completed'));
    await sleep(2_000);
    await temporal.start();
  }
  await Promise.all(orders.map((order) => order.result()));
  const counts = await saga.check(...ids);
  expect(counts).toMatchObject({ completed: ORDERS, charges: ORDERS, labels: ORDERS, refunds: 0, lost: 0 });
});
