import { describe, expect, test } from 'vitest';
import { operationKeys, productId } from '../../domain/ids.ts';
import { emailDestination } from '../../domain/destinations.ts';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { cancelOrder } from '../../workflows/messages.ts';
import {
  act,
  auditedActs,
  detailsOf,
  eventsOf,
  expectEnd,
  newOrderId,
  sagaSuite,
  type StartedOrder,
} from './saga-suite.ts';
import { createBreakableDeps } from './breakable-deps.ts';
import { createStoreSwitch } from './switchable-store.ts';

const inMs = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('while a provider is away', () => {
  const saga = sagaSuite();

  const startWith = async (...faults: FaultRuleInput[]) => {
    const orderId = newOrderId();
    for (const fault of faults) await saga().addFault({ ...fault, match: { orderId } });
    return saga().start({ orderId });
  };

  test.concurrent('a payment outage delays the order and nothing else', async () => {
    const order = await startWith({ provider: 'stripe', kind: 'outage', forMs: 1_500 });
    const { provider } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toHaveLength(1);
  });

  test.concurrent('a shipping outage loses no order and charges nobody twice', async () => {
    const started = await Promise.all(
      Array.from({ length: 5 }, () => startWith({ provider: 'easypost', kind: 'outage', forMs: 2_000 })),
    );
    await Promise.all(started.map((order) => order.result()));
    const counts = await saga().check(...started.map(({ orderId }) => orderId));
    expect(counts).toMatchObject({ completed: 5, charges: 5, labels: 5, lost: 0, duplicated: 0 });
  });

  test.concurrent('incident 1: a time-out at the shipping provider leads to no second charge', async () => {
    const order = await startWith(
      { provider: 'easypost', operation: 'shipments.buy', kind: 'hang-after', times: 1 },
      {
        provider: 'easypost',
        operation: 'shipments.retrieve',
        kind: 'error',
        status: 500,
        rate: 0.5,
        times: 2,
      },
    );
    const { provider } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toHaveLength(1);
    expect(provider.labels).toHaveLength(1);
  });

  test.concurrent('incident 2: an email outage fails no paid order, and its mails wait', async () => {
    await saga().addFault({ id: 'mail', provider: 'smtp', kind: 'outage', mode: 'refuse' });
    const order = await saga().start();
    await expectEnd(saga(), order, { status: 'completed' });
    const waiting = await pendingMails(order);
    expect(waiting).toEqual(['email.order-confirmation.v1', 'email.order-shipped.v1']);
    await saga().removeFault('mail');
  });

  test('incident 3: hanging providers hold no SQL connection, so that other orders go through', async () => {
    await saga().putProduct({ productId: 'rare', onHand: 1 });
    const hanging = await Promise.all(
      Array.from({ length: 12 }, () =>
        startWith({ provider: 'stripe', operation: 'payment_intents.confirm', kind: 'latency', ms: 2_500 }),
      ),
    );
    await Promise.all(hanging.map(({ orderId }) => saga().until(orderId, ({ step }) => step === 'payment')));
    await inMs(500);
    const startedMs = Date.now();
    const items = [{ productId: productId('rare'), quantity: 2 }];
    const other = await saga().start({ items });
    await expectEnd(saga(), other, { status: 'failed', failure: 'OutOfStock' });
    const transactionMs = await slowestTransactionMs();
    expect(Date.now() - startedMs).toBeLessThan(1_500);
    expect(transactionMs).toBeLessThan(500);
    const stillHanging = await Promise.all(hanging.map(({ orderId }) => saga().view(orderId)));
    expect(stillHanging.every(({ step, sagaState }) => step === 'payment' && sagaState === 'running')).toBe(
      true,
    );
    await Promise.all(hanging.map((order) => order.result()));
    const counts = await saga().check(...hanging.map(({ orderId }) => orderId));
    expect(counts).toMatchObject({ completed: 12, charges: 12, duplicated: 0 });
  });

  test('an address that cannot be verified in time stops no order, and the trail says so', async () => {
    await saga().addFault({
      id: 'verify',
      provider: 'easypost',
      operation: 'addresses.verify',
      kind: 'outage',
    });
    const order = await saga().start({}, { steps: { address: { budgetMs: 400, attemptTimeoutMs: 200 } } });
    await expectEnd(saga(), order, { status: 'completed' });
    expect(await auditedActs(saga(), order.orderId, 'verify address')).toEqual([
      expect.stringMatching(/^skipped: the carrier could not be asked in time/),
    ]);
    expect(await detailsOf(order)).toMatch(/The address was not verified/);
    await saga().removeFault('verify');
  });

  const pendingMails = async ({ orderId }: StartedOrder): Promise<string[]> => {
    const { outbox } = saga().deps.store;
    const owner = `test-${orderId}`;
    const partitions = await outbox.lease({ owner, nowUtc: new Date().toISOString(), leaseMs: 10_000 });
    const pending = await outbox.pending({ owner, partitions, limit: 5_000 });
    await outbox.releaseLeases(owner);
    return pending
      .filter((message) => message.orderId === orderId && message.destination === emailDestination)
      .map(({ type }) => type);
  };

  const slowestTransactionMs = async (): Promise<number> => {
    let slowest = 0;
    for (let round = 0; round < 20; round += 1) {
      const startedMs = performance.now();
      await saga().deps.store.transaction((tx) => tx.orders.find(newOrderId()));
      slowest = Math.max(slowest, performance.now() - startedMs);
    }
    return slowest;
  };
});

describe('while SQL is away', () => {
  const sql = createStoreSwitch();
  const broken = createBreakableDeps();
  const saga = sagaSuite({ wrap: (deps) => sql.wrap(broken.wrap(deps)) });

  const cancelMs = async (order: StartedOrder): Promise<number> => {
    const startedMs = performance.now();
    await order.executeUpdate(cancelOrder, { args: [act] });
    return performance.now() - startedMs;
  };

  test('a cancel is answered below 3 s, and every order ends right once SQL is back', async () => {
    const held = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
    await saga().until(held.orderId, ({ hold }) => hold !== undefined);
    sql.away = true;
    const [goesOn, stopped] = await Promise.all([saga().start(), saga().start()]);
    const answers = await Promise.all([cancelMs(stopped), cancelMs(held)]);
    await inMs(Math.max(0, 4_000 - Math.max(...answers)));
    sql.away = false;
    console.log(`Cancel with SQL away: ${answers.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}`);
    expect(Math.max(...answers)).toBeLessThan(3_000);
    await expectEnd(saga(), goesOn, { status: 'completed' });
    await expectEnd(saga(), stopped, { status: 'cancelled' });
    await expectEnd(saga(), held, { status: 'cancelled' });
  });

  test('an order that SQL cannot record is parked nowhere: it goes on by itself however long that takes', async () => {
    sql.away = true;
    const order = await saga().start({}, { allSteps: { budgetMs: 300 } });
    await inMs(4_000);
    expect(await saga().view(order.orderId)).toMatchObject({ sagaState: 'running', step: 'receive' });
    sql.away = false;
    const events = ['order.created', 'inventory.reserved', 'payment.processed', 'fulfillment.created'];
    await expectEnd(saga(), order, {
      status: 'completed',
      events: [...events, 'shipment.generated', 'order.completed'],
    });
  });

  test('a step that SQL does not answer is parked nowhere either, and can be cancelled meanwhile', async () => {
    const policy = { waitForStore: true, steps: { inventory: { budgetMs: 400, attemptTimeoutMs: 300 } } };
    const [goesOn, stopped] = [newOrderId(), newOrderId()];
    const keys = [goesOn, stopped].map((id) => operationKeys.reserveInventory(id));
    for (const key of keys) broken.keys.add(key);
    const orders = await Promise.all([goesOn, stopped].map((orderId) => saga().start({ orderId }, policy)));
    await inMs(4_000);
    for (const { orderId } of orders) {
      expect(await saga().view(orderId)).toMatchObject({ sagaState: 'running', step: 'inventory' });
    }
    await orders[1]?.executeUpdate(cancelOrder, { args: [act] });
    for (const key of keys) broken.keys.delete(key);
    const results = await Promise.all(orders.map((order) => order.result()));
    expect(results.map(({ status }) => status)).toEqual(['completed', 'cancelled']);
    expect(await eventsOf(saga(), goesOn)).not.toContain('order.parked');
    await saga().check(goesOn, stopped);
  });

  test('an order that parked before SQL knew it can be resolved, and its trail tells of it', async () => {
    sql.away = true;
    const order = await saga().start({}, { steps: { receive: { budgetMs: 300 } } });
    await saga().until(order.orderId, ({ sagaState }) => sagaState === 'parked');
    /* Whoever acts waits a second for SQL, which is longer than the retry window of this order. */
    const resolved = order.executeUpdate('resolve', { args: [{ ...act, action: 'retry' }] });
    sql.away = false;
    expect(await resolved).toBeTruthy();
    const events = ['order.created', 'order.parked', 'inventory.reserved', 'payment.processed'];
    await expectEnd(saga(), order, {
      status: 'completed',
      events: [...events, 'fulfillment.created', 'shipment.generated', 'order.completed'],
    });
  });

  test('an order that parked before SQL knew it can be cancelled', async () => {
    sql.away = true;
    const order = await saga().start({}, { steps: { receive: { budgetMs: 300 } } });
    await saga().until(order.orderId, ({ sagaState }) => sagaState === 'parked');
    const cancelled = cancelMs(order);
    sql.away = false;
    await cancelled;
    await expectEnd(saga(), order, { status: 'cancelled' });
  });

  test('a label that SQL has and the saga never heard of is taken back with its stock', async () => {
    const orderId = newOrderId();
    const shipping = { budgetMs: 2_500, attemptTimeoutMs: 2_000 };
    const hold = { provider: 'easypost', operation: 'shipments.buy', kind: 'latency', ms: 300 } as const;
    await saga().addFault({ ...hold, match: { orderId } });
    const order = await saga().start({ orderId }, { steps: { shipping } });
    await saga().until(orderId, ({ step }) => step === 'shipping');
    sql.loseReplyAfter = 'messages';
    await saga().until(orderId, ({ sagaState }) => sagaState === 'parked');
    await order.executeUpdate(cancelOrder, { args: [act] });
    sql.away = false;
    const { provider, view } = await expectEnd(saga(), order, { status: 'cancelled' });
    expect(provider).toMatchObject({
      charged: [{}],
      refunded: [{}],
      labels: [{ refundStatus: 'submitted' }],
    });
    expect(view.shipment).toBeUndefined();
  });
});
