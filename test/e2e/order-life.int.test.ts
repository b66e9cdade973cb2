import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';

describe('the life of an order', () => {
  let saga: SagaEnvironment;
  beforeAll(async () => {
    saga = await startSagaEnvironment();
  });
  afterAll(() => saga?.close());

  test('a paid order is shipped and completes', async () => {
    const order = await saga.start();
    await expect(order.result()).resolves.toEqual({ orderId: order.orderId, status: 'completed' });
    const ledger = await (await fetch(`${saga.sandbox.url}/sandbox/ledger?orderId=${order.orderId}`)).json();
    console.log(JSON.stringify(ledger));
    const [books] = await saga.deps.store.read.ledger(order.orderId);
    console.log(books);
  });
});
