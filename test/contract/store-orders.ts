import { expect, it } from 'vitest';
import { productId } from '../../domain/ids.ts';
import type { ActRow, OrderActRow } from '../../ports/store/orders.ts';
import type { CreateDatabase } from './contract-database.ts';
import {
  addEvent,
  at,
  atOnce,
  givenOrder,
  newOrder,
  newOrderId,
  time,
  useDatabase,
} from './store-fixtures.ts';

export function describeOrders(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase, 3);

  it('keeps an order as it came', async () => {
    const { store } = context;
    const parcel = [
      { productId: productId('keyboard'), quantity: 2, valueMinor: 149_800, weightGrams: 1_100 },
    ];
    const order = await givenOrder(store, { fingerprint: '2:digest:INR', parcel });
    expect(await store.transaction((tx) => tx.orders.find(order.orderId))).toEqual({
      ...order,
      status: 'received',
      sagaState: 'running',
      step: 'receive',
      detail: {},
      updatedAtUtc: order.createdAtUtc,
    });
  });

  it('keeps an order that could not be priced', async () => {
    const { store } = context;
    const { total: _, ...unpriced } = newOrder({ lines: [] });
    await store.transaction((tx) => tx.orders.insert(unpriced));
    const row = await store.transaction((tx) => tx.orders.find(unpriced.orderId));
    expect(row).not.toHaveProperty('total');
    expect(row).toMatchObject({ items: unpriced.items, lines: [] });
    expect(await store.read.order(unpriced.orderId)).not.toHaveProperty('total');
  });

  it('inserts an id once and leaves the first order as it was', async () => {
    const { store } = context;
    const order = await givenOrder(store);
    const other = newOrder({ orderId: order.orderId, callerId: 'shop-b' });
    expect(await store.transaction((tx) => tx.orders.insert(other))).toBe(false);
    expect(await store.transaction((tx) => tx.orders.find(order.orderId))).toMatchObject({
      callerId: 'shop-a',
      lines: order.lines,
    });
  });

  it('changes the given fields only and replaces the detail whole', async () => {
    const { store } = context;
    const order = await givenOrder(store);
    const update = (change: object) =>
      store.transaction((tx) =>
        tx.orders.update({ orderId: order.orderId, updatedAtUtc: time(5), ...change }),
      );
    const shipment = {
      carrier: 'USPS',
      service: 'Priority',
      trackingCode: '9400',
      labelUrl: 'https://label',
    };
    await update({ status: 'payment_processed', step: 'payment', detail: { shipment } });
    await update({ sagaState: 'held', detail: { failure: { type: 'CardDeclined', reason: 'no funds' } } });
    expect(await store.read.order(order.orderId)).toEqual({
      orderId: order.orderId,
      callerId: order.callerId,
      customerId: order.customerId,
      items: order.items,
      total: order.total,
      status: 'payment_processed',
      sagaState: 'held',
      step: 'payment',
      failure: { type: 'CardDeclined', reason: 'no funds' },
      updatedAtUtc: time(5),
    });
    const shippingAddress = { ...order.shippingAddress, city: 'Mumbai' };
    await update({ shippingAddress, paymentMethodId: 'pm_other', customerEmail: 'other@example.com' });
    const row = await store.transaction((tx) => tx.orders.find(order.orderId));
    expect(row).toMatchObject({
      shippingAddress,
      paymentMethodId: 'pm_other',
      customerEmail: 'other@example.com',
      status: 'payment_processed',
    });
  });

  it('tells what an order was placed with, and which acts changed it since', async () => {
    const { store } = context;
    const { lines: _, ...order } = await givenOrder(store, { fingerprint: '2:digest' });
    const { orderId } = order;
    const act: OrderActRow = { orderId, actId: 'a', kind: 'payment', n: 2, recordedAtUtc: time(1) };
    await store.transaction((tx) => tx.orderActs.insert(act));
    expect(await store.read.placed(orderId)).toEqual({
      order: {
        ...order,
        status: 'received',
        sagaState: 'running',
        step: 'receive',
        detail: {},
        updatedAtUtc: order.createdAtUtc,
      },
      acts: [act],
    });
    await store.transaction((tx) => tx.orders.update({ orderId, fingerprint: '', updatedAtUtc: time(2) }));
    expect((await store.read.placed(orderId))?.order.fingerprint).toBe('');
    const older = await givenOrder(store);
    expect((await store.read.placed(older.orderId))?.order).not.toHaveProperty('fingerprint');
    expect(await store.read.placed(newOrderId())).toBeUndefined();
  });

  it('shows no address and no email in the view', async () => {
    const { store } = context;
    const order = await givenOrder(store);
    const view = JSON.stringify(await store.read.order(order.orderId));
    expect(view).not.toContain(order.customerEmail);
    expect(view).not.toContain(order.shippingAddress.street1);
  });

  it('keeps what was decided to itself', async () => {
    const { store } = context;
    const { orderId } = await givenOrder(store);
    const detail = { decided: { riskMark: 'new-account', approvedBy: 'ana', service: 'Priority' } };
    await store.transaction((tx) => tx.orders.update({ orderId, detail, updatedAtUtc: time(5) }));
    expect((await store.transaction((tx) => tx.orders.find(orderId)))?.detail).toEqual(detail);
    expect(JSON.stringify(await store.read.order(orderId))).not.toMatch(/decided|new-account|Priority/);
  });

  it('keeps the acts of an order; none is there twice, and no two share a number', async () => {
    const { store } = context;
    const { orderId } = await givenOrder(store);
    const other = await givenOrder(store);
    const payment = { orderId, actId: 'act-1', kind: 'payment', n: 2, recordedAtUtc: time(3) } as const;
    const address = { ...payment, actId: 'act-2', kind: 'address' } as const;
    const insert = (act: OrderActRow) => store.transaction((tx) => tx.orderActs.insert(act));
    for (const act of [payment, address, { ...payment, orderId: other.orderId }]) await insert(act);
    for (const twice of [
      { ...payment, n: 3 },
      { ...payment, actId: 'act-3' },
      { ...payment, actId: 'a', n: 1 },
    ])
      await expect(insert(twice)).rejects.toThrow(/OrderActs/);
    const acts = await store.transaction((tx) => tx.orderActs.list(orderId));
    expect(acts.toSorted((a, b) => a.actId.localeCompare(b.actId))).toEqual([payment, address]);
  });

  it('keeps what was asked of an order, and what came of it', async () => {
    const { store } = context;
    const { orderId } = await givenOrder(store);
    const act = {
      orderId,
      actId: 'key 1',
      name: 'cancel',
      state: 'accepted',
      recordedAtUtc: time(3),
    } as const;
    const given = { ...act, actId: 'key-2', fingerprint: 'f'.repeat(64) };
    const insert = (row: ActRow) => store.transaction((tx) => tx.acts.insert(row));
    const settle = (changes: Pick<ActRow, 'actId' | 'state' | 'reason'>) =>
      store.transaction((tx) => tx.acts.settle({ orderId, ...changes }));
    expect([await insert(act), await insert({ ...act, name: 'extend' })]).toEqual([true, false]);
    expect(await insert(given)).toBe(true);
    await settle({ actId: 'key-2', state: 'refused', reason: 'Too late – „zu spät“.' });
    await settle({ actId: 'key-2', state: 'done' });
    await settle({ actId: 'key-3', state: 'done' });
    const listed = await store.read.acts(orderId);
    expect(listed.toSorted((a, b) => a.actId.localeCompare(b.actId))).toEqual([
      act,
      { ...given, state: 'refused', reason: 'Too late – „zu spät“.' },
    ]);
    expect(await store.transaction((tx) => tx.acts.list(orderId))).toEqual(listed);
  });

  it('refuses changes and events of an order that does not exist', async () => {
    const { store } = context;
    const orderId = newOrderId();
    const update = store.transaction((tx) => tx.orders.update({ orderId, updatedAtUtc: time(0) }));
    await expect(update).rejects.toThrow(orderId);
    const event = store.transaction((tx) => tx.orders.nextEvent({ orderId, eventId: 'e' }));
    await expect(event).rejects.toThrow(orderId);
  });

  it('numbers the events of one order without a gap although many are written at once and some fail', async () => {
    const { stores, store } = context;
    const order = await givenOrder(store);
    const results = await Promise.allSettled(
      stores.flatMap((each) =>
        Array.from({ length: 20 }, (_, index) =>
          each.transaction(async (tx) => {
            const added = await addEvent(tx, order, 'order.parked.v1');
            if (index % 5 === 0) throw new Error('rolled back');
            return added;
          }),
        ),
      ),
    );
    const added = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    added.sort((a, b) => a.event.metadata.sequence - b.event.metadata.sequence);
    expect(added).toHaveLength(48);
    expect(added.map(({ event }) => event.metadata.sequence)).toEqual(added.map((_, index) => index + 1));
    expect(added.map(({ previousEventId }) => previousEventId)).toEqual([
      undefined,
      ...added.slice(0, -1).map(({ event }) => event.eventId),
    ]);
  });

  it('returns the events after a sequence number, in order, published or not, without tasks', async () => {
    const { stores, store } = context;
    const order = await givenOrder(store);
    const events = await atOnce([store], 5, (each) =>
      each.transaction(async (tx) => (await addEvent(tx, order, 'inventory.reserved.v1')).event),
    );
    await at(stores, 1).outbox.markPublished({ ids: [at(events, 2).eventId], publishedAtUtc: time(9) });
    expect(await store.read.events({ orderId: order.orderId, afterSequence: 0 })).toEqual(events);
    expect(await store.read.events({ orderId: order.orderId, afterSequence: 3 })).toEqual(events.slice(3));
    expect(await store.read.events({ orderId: order.orderId, afterSequence: 5 })).toEqual([]);
  });

  it('returns at most 200 events at a time', async () => {
    const { store } = context;
    const order = await givenOrder(store);
    await store.transaction(async (tx) => {
      for (let count = 0; count < 210; count += 1) await addEvent(tx, order, 'order.parked.v1');
    });
    const first = await store.read.events({ orderId: order.orderId, afterSequence: 0 });
    const rest = await store.read.events({ orderId: order.orderId, afterSequence: 200 });
    expect([first.length, first.at(-1)?.metadata.sequence, rest.length]).toEqual([200, 200, 10]);
  });
}
