import { expect, it } from 'vitest';
import { orderSubject } from '../../domain/audit.ts';
import type { PaymentRow } from '../../ports/store/money.ts';
import type { CreateDatabase } from './contract-database.ts';
import {
  addEvent,
  auditEntry,
  givenOrder,
  givenProduct,
  newMessage,
  newOrderId,
  time,
  useDatabase,
} from './store-fixtures.ts';
import type { ShipmentRow } from '../../ports/store/goods.ts';

export function describeProviders(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase);

  it('keeps one row for each payment of an order and replaces it whole', async () => {
    const { store } = context;
    const { orderId } = await givenOrder(store);
    const creating: PaymentRow = {
      orderId,
      n: 1,
      state: 'creating',
      amount: { amountMinor: 149_900, currency: 'INR' },
      createRequestedAtUtc: time(1),
      createKeyNumber: 1,
      confirmKeyNumber: 1,
      cancelKeyNumber: 1,
      refundKeyNumber: 1,
    };
    const keys = { confirmKeyNumber: 2, cancelKeyNumber: 3, refundKeyNumber: 4 };
    const charged: PaymentRow = {
      ...creating,
      ...keys,
      state: 'charged',
      intentId: 'pi_1',
      paymentMethodId: 'pm_1',
    };
    const refunded: PaymentRow = { ...charged, state: 'refunded', refundId: 're_1' };
    const second: PaymentRow = { ...creating, n: 2 };
    const put = (row: PaymentRow) => store.transaction((tx) => tx.payments.put(row));
    const find = (n: number) => store.transaction((tx) => tx.payments.find({ orderId, n }));
    for (const row of [creating, charged, refunded]) {
      await put(row);
      expect(await find(1)).toEqual(row);
    }
    await put(second);
    expect(await store.transaction((tx) => tx.payments.list(orderId))).toEqual([refunded, second]);
    const intentId = `pi_of_${orderId}`;
    await put({ ...second, intentId });
    const owners = (id: string) => store.transaction((tx) => tx.payments.ordersOf(id));
    expect(await owners(intentId)).toEqual([orderId]);
    await put({ ...refunded, intentId });
    expect(await owners(intentId), 'an order once').toEqual([orderId]);
    expect(await owners('pi_of_nobody')).toEqual([]);
    await put(creating);
    expect(await find(1), 'fields that are absent now were kept').toEqual(creating);
    expect(await find(3)).toBeUndefined();
  });

  it('keeps one row for each shipment of an order and replaces it whole', async () => {
    const { store } = context;
    const { orderId } = await givenOrder(store);
    const creating: ShipmentRow = { orderId, n: 1, state: 'creating' };
    const bought: ShipmentRow = {
      ...creating,
      state: 'bought',
      providerShipmentId: 'shp_1',
      rateId: 'rate_1',
      carrier: 'USPS',
      service: 'Priority',
      trackingCode: '9400',
      labelUrl: 'https://label.example/1',
      labelCost: { amount: '7.58', currency: 'USD' },
    };
    const put = (row: ShipmentRow) => store.transaction((tx) => tx.shipments.put(row));
    const find = (n: number) => store.transaction((tx) => tx.shipments.find({ orderId, n }));
    for (const row of [creating, bought, creating]) {
      await put(row);
      expect(await find(1)).toEqual(row);
    }
    await put({ ...bought, n: 2 });
    const list = await store.transaction((tx) => tx.shipments.list(orderId));
    expect(list).toEqual([creating, { ...bought, n: 2 }]);
    const providerShipmentId = `shp_of_${orderId}`;
    await put({ ...bought, n: 2, providerShipmentId });
    const owners = (id: string) => store.transaction((tx) => tx.shipments.ordersOf(id));
    expect(await owners(providerShipmentId)).toEqual([orderId]);
    expect(await owners('shp_of_nobody')).toEqual([]);
    expect(await find(3)).toBeUndefined();
  });

  it('creates and cancels the fulfillment of an order once', async () => {
    const { store } = context;
    const { orderId } = await givenOrder(store);
    const create = (fulfillmentId: string) =>
      store.transaction((tx) => tx.fulfillments.create({ orderId, fulfillmentId, createdAtUtc: time(1) }));
    const cancel = () =>
      store.transaction((tx) => tx.fulfillments.cancel({ orderId, cancelledAtUtc: time(2) }));
    expect(await cancel()).toBeUndefined();
    expect([await create('ful-1'), await create('ful-2')]).toEqual([true, false]);
    expect((await store.read.ledger(orderId))[0]?.fulfillment).toBe('open');
    expect([await cancel(), await cancel()]).toEqual(['ful-1', undefined]);
    expect((await store.read.ledger(orderId))[0]?.fulfillment).toBe('cancelled');
  });

  it('adds up everything the checker counts, for one order and for all', async () => {
    const { store } = context;
    const product = await givenProduct(store, 10);
    const order = await givenOrder(store, { items: [{ productId: product, quantity: 2 }] });
    const { orderId } = order;
    const payment: PaymentRow = {
      orderId,
      n: 1,
      state: 'charged',
      amount: { amountMinor: 149_900, currency: 'INR' },
      intentId: 'pi_1',
      createRequestedAtUtc: time(1),
      createKeyNumber: 1,
      confirmKeyNumber: 1,
      cancelKeyNumber: 1,
      refundKeyNumber: 1,
    };
    const shipment: ShipmentRow = { orderId, n: 1, state: 'created', providerShipmentId: 'shp_1' };
    const task = newMessage({ orderId });
    await store.transaction(async (tx) => {
      await tx.inventory.reserve(order);
      await tx.payments.put(payment);
      await tx.shipments.put(shipment);
      await addEvent(tx, order, 'order.created.v1');
      await addEvent(tx, order, 'payment.processed.v1');
      await tx.messages.add(task);
      await tx.audit.append(
        auditEntry({ subject: orderSubject(orderId), from: 'received', to: 'inventory_reserved' }),
      );
      await tx.orders.update({ orderId, status: 'payment_processed', updatedAtUtc: time(3) });
    });
    await store.outbox.markPublished({ ids: [task.id], publishedAtUtc: time(4) });
    const expected = {
      orderId,
      status: 'payment_processed',
      sagaState: 'running',
      total: { amountMinor: 149_900, currency: 'INR' },
      payments: [payment],
      refunds: [],
      disputes: [],
      shipments: [shipment],
      fulfillment: 'none',
      reservedUnits: 2,
      consumedUnits: 0,
      eventTypes: ['order.created.v1', 'payment.processed.v1'],
      auditTransitions: [{ from: 'received', to: 'inventory_reserved' }],
      unpublished: 2,
    };
    expect(await store.read.ledger(orderId)).toEqual([expected]);
    const all = await store.read.ledger();
    expect(all.find((row) => row.orderId === orderId)).toEqual(expected);
    expect(all.length).toBeGreaterThan(1);
    expect(await store.read.ledger(newOrderId())).toEqual([]);
  });
}
