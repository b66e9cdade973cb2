import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../../adapters/sqlite/sqlite-store.ts';
import type { Address } from '../../domain/order.ts';
import type { Store } from '../../ports/store.ts';
import { givenCharge } from '../../test/contract/store-fixtures.ts';
import { attemptTimeoutMs, createModelledOrder } from '../../test/support/modelled-order.ts';

const address: Address = { name: 'A', street1: '1 Road', city: 'Pune', postalCode: '411001', country: 'IN' };

describe('stopping an order before its label', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-stop-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function given() {
    const order = await createModelledOrder({ store });
    const { orderId } = order;
    await givenCharge(store, orderId);
    return {
      ...order,
      ship: () => order.once((a) => a.generateShipment({ orderId, n: 1, address, attemptTimeoutMs })),
      stop: () => order.once((a) => a.stopShipping({ orderId })),
      void: () => order.once((a) => a.voidShipment({ orderId, attemptTimeoutMs })),
    };
  }
  const answer = (stopped: boolean, voided: boolean) => ({ value: { stopped, voided } });
  const compensated = { error: { type: 'OperationCompensated' } };

  test('that was not dispatched ends there, without the carrier, and no label is bought any more', async () => {
    const order = await given();
    await expect(order.stop()).resolves.toMatchObject(answer(true, true));
    await expect(order.stop()).resolves.toMatchObject(answer(true, true));
    await expect(order.ship()).resolves.toMatchObject(compensated);
    await expect(order.void()).resolves.toMatchObject({ value: null });
    expect(order.carrier.sent).toEqual([]);
  });

  test('whose attempt may still buy is refused, and nothing is written', async () => {
    const order = await given();
    order.carrier.breakNext('buy', 'dropped');
    await order.ship();
    await expect(order.stop()).resolves.toMatchObject(answer(false, false));
    order.world.pass(3 * attemptTimeoutMs);
    await expect(order.ship()).resolves.toMatchObject({ value: { trackingCode: 'track-shp_1' } });
    await expect(order.stop()).resolves.toMatchObject(answer(false, false));
    expect((await order.ledger()).shipments).toMatchObject([{ state: 'bought' }]);
  });

  test('between two attempts leaves it to the carrier whether there is a label to send back', async () => {
    const order = await given();
    order.carrier.breakNext('buy', 'reply-lost');
    await order.ship();
    order.world.pass(3 * attemptTimeoutMs);
    await expect(order.stop()).resolves.toMatchObject(answer(true, false));
    await expect(order.ship()).resolves.toMatchObject(compensated);
    await expect(order.void()).resolves.toMatchObject({ value: null });
    expect(order.carrier.kept()).toEqual([]);
    await expect(order.stop()).resolves.toMatchObject(answer(true, true));
  });

  test('whose attempt created a shipment that it never stored ends there as well', async () => {
    const order = await given();
    order.carrier.breakNext('create', 'reply-lost');
    await order.ship();
    order.world.pass(3 * attemptTimeoutMs);
    await expect(order.stop()).resolves.toMatchObject(answer(true, true));
    expect((await order.ledger()).shipments).toMatchObject([{ state: 'refused' }]);
  });
});
