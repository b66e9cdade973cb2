import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFlatQuotes } from '../../adapters/quotes/flat-quotes.ts';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import { fingerprintOf } from '../../api/orders/order-identity.ts';
import { customerId, orderId as asOrderId, productId } from '../../domain/ids.ts';
import type { Checkout } from '../../domain/order.ts';
import type { Store } from '../../ports/store.ts';
import { inActivity, quietDeps } from '../../test/support/modelled-deps.ts';
import { createOrderActivities } from '../create-activities.ts';
import type { ActivityDeps } from '../deps.ts';
import type { RecordOrder } from './record-order.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const newCheckout = (): Checkout => ({
  orderId: asOrderId(crypto.randomUUID()),
  callerId: 'shop-a',
  customerId: customerId('customer-1'),
  customerEmail: 'a@customers.example',
  items: [{ productId: productId('lamp'), quantity: 2 }],
  paymentMethodId: 'pm_card_visa',
  shippingAddress: { name: 'A', street1: '1 Road', city: 'Pune', postalCode: '411001', country: 'IN' },
  currency: 'INR',
});

describe('a run that finds its order on record', () => {
  let folder: string;
  let store: Store;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-record-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
    const price = { amountMinor: 100_000, currency: 'INR' } as const;
    await store.transaction((tx) =>
      tx.inventory.putProduct({ productId: productId('lamp'), name: 'lamp', price, onHand: 1_000 }),
    );
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const activities = () =>
    createOrderActivities({
      ...quietDeps,
      store,
      quotes: createFlatQuotes({ shippingFees: {} }),
      payments: { payable: () => ({ ok: true }) },
      clock: { nowUtc: () => '2026-01-02T03:04:05.000Z' },
    } as unknown as ActivityDeps);
  const record = (checkout: Checkout, runId: string, more: Partial<RecordOrder> = {}) =>
    inActivity(
      () =>
        activities().recordOrder({ checkout, traceparent, fingerprint: fingerprintOf(checkout), ...more }),
      runId,
    ).then(
      (value) => ({ value }),
      (error: unknown) => error,
    );
  const stateOf = async (checkout: Checkout) => {
    const { orderId } = checkout;
    return {
      view: await store.read.order(orderId),
      audit: await store.read.audit(`order:${orderId}`),
      events: await store.read.events({ orderId, afterSequence: 0 }),
      placed: await store.read.placed(orderId),
    };
  };
  const anothers = (checkout: Checkout): Checkout => ({
    ...checkout,
    customerId: customerId('intruder'),
    items: [{ productId: productId('lamp'), quantity: 999 }],
  });
  const end = (checkout: Checkout) =>
    inActivity(
      () =>
        activities().closeOrder({
          orderId: checkout.orderId,
          step: 'receive',
          ending: { status: 'failed', failure: { type: 'OutOfStock', reason: 'none left' } },
        }),
      'run-1',
    );

  test('with another body answers KeyReused and makes the open order a case, once', async () => {
    const checkout = newCheckout();
    await record(checkout, 'run-1');
    const refused = { type: 'KeyReused', nonRetryable: true };
    expect(await record(anothers(checkout), 'run-2')).toMatchObject(refused);
    const after = await stateOf(checkout);
    expect(after.view).toMatchObject({
      customerId: 'customer-1',
      items: checkout.items,
      status: 'received',
      sagaState: 'parked',
      parked: {
        activity: 'run',
        failure: expect.stringMatching(
          /no longer knows run run-1 .* run run-2 was started for another request/,
        ),
      },
    });
    expect(after.view?.parked).not.toHaveProperty('failureType');
    expect(after.events.map(({ eventType }) => eventType)).toEqual(['order.created.v1', 'order.parked.v1']);
    expect(JSON.stringify(after)).not.toMatch(/intruder|"quantity":999/);
    const again = await Promise.all(Array.from({ length: 5 }, () => record(anothers(checkout), 'run-2')));
    for (const one of again) expect(one).toMatchObject(refused);
    expect(await stateOf(checkout)).toEqual(after);
  });

  test('with another body leaves an order that has ended as it is', async () => {
    const checkout = newCheckout();
    await record(checkout, 'run-1');
    await end(checkout);
    const before = await stateOf(checkout);
    expect(await record(anothers(checkout), 'run-2')).toMatchObject({ type: 'KeyReused' });
    expect(await record(checkout, 'run-2')).toMatchObject({ type: 'OrderClosed' });
    expect(await stateOf(checkout)).toEqual(before);
  });

  test('with the same body goes on from where the order stands', async () => {
    const checkout = newCheckout();
    await record(checkout, 'run-1');
    const stands = { value: { recovered: { payment: { n: 1, paymentMethodId: 'pm_card_visa' } } } };
    expect(await record(checkout, 'run-2')).toMatchObject(stands);
    const dollars: Checkout = { ...checkout, currency: 'USD' };
    expect(await record(dollars, 'run-3')).toMatchObject(stands);
    expect(await record(dollars, 'run-3', { fingerprint: fingerprintOf(dollars, 'USD') })).toMatchObject({
      type: 'KeyReused',
    });
  });

  test('is believed where an operator has started it, and in runs from before requests were named', async () => {
    const checkout = newCheckout();
    await record(checkout, 'run-1');
    const stands = { value: { recovered: { shipped: false } } };
    expect(await record(anothers(checkout), 'run-2', { restarted: true })).toMatchObject(stands);
    const { orderId } = checkout;
    const before = (a: ReturnType<typeof activities>) =>
      a.recordOrder({ checkout: anothers(checkout), traceparent });
    expect(await inActivity(() => before(activities()), 'run-3')).toMatchObject(stands.value);
    expect((await store.read.order(orderId))?.sagaState).toBe('running');
  });

  test('that was recorded without a fingerprint is compared by its fields, but for what acts replaced', async () => {
    const checkout = newCheckout();
    const { orderId, shippingAddress } = checkout;
    await inActivity(() => activities().recordOrder({ checkout, traceparent }), 'run-1');
    expect((await store.read.placed(orderId))?.order).not.toHaveProperty('fingerprint');
    const moved = { ...checkout, shippingAddress: { ...shippingAddress, city: 'Mumbai' } };
    expect(await record(moved, 'run-2')).toMatchObject({ type: 'KeyReused' });
    await store.transaction(async (tx) => {
      const recordedAtUtc = '2026-01-02T03:04:06.000Z';
      await tx.orderActs.insert({ orderId, actId: 'a', kind: 'address', n: 2, recordedAtUtc });
      await tx.orders.update({
        orderId,
        shippingAddress: moved.shippingAddress,
        updatedAtUtc: recordedAtUtc,
      });
    });
    expect(await record(checkout, 'run-3')).toMatchObject({ value: { recovered: { address: { n: 2 } } } });
    expect(await record(anothers(checkout), 'run-4')).toMatchObject({ type: 'KeyReused' });
  });
});
