import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { orderSubject } from '../../domain/audit.ts';
import { operationKeys, type OrderId } from '../../domain/ids.ts';
import type { EndStatus } from '../../domain/order.ts';
import type { Store } from '../../ports/store.ts';
import type { CreateDatabase } from './contract-database.ts';
import {
  addEvent,
  auditEntry,
  givenOrder,
  givenProduct,
  newMessage,
  newOrder,
  time,
  useDatabase,
} from './store-fixtures.ts';

/** An order with a row in every table that hangs on orders, ended at second `closedAt`, all its messages published. */
export async function givenClosedOrder(
  store: Store,
  input: { closedAt?: number; status?: EndStatus; published?: boolean } = {},
): Promise<OrderId> {
  const { closedAt = 10, status = 'completed', published = true } = input;
  const product = await givenProduct(store, 5);
  const items = [{ productId: product, quantity: 1 }];
  const order = newOrder({ items });
  const { orderId } = order;
  const task = newMessage({ orderId });
  const eventId = await store.transaction(async (tx) => {
    await tx.operations.begin({ key: operationKeys.recordOrder(orderId), orderId, step: 'receive' });
    await tx.orders.insert(order);
    await tx.inventory.reserve({ orderId, items });
    await tx.inventory.consume(orderId);
    await tx.payments.put({
      orderId,
      n: 1,
      state: status === 'completed' ? 'charged' : 'canceled',
      amount: { amountMinor: 100, currency: 'INR' },
      createRequestedAtUtc: time(1),
      createKeyNumber: 1,
      confirmKeyNumber: 1,
      cancelKeyNumber: 1,
      refundKeyNumber: 1,
    });
    await tx.fulfillments.create({ orderId, fulfillmentId: `f-${orderId}`, createdAtUtc: time(2) });
    await tx.shipments.put({ orderId, n: 1, state: 'bought' });
    await tx.orderActs.insert({ orderId, actId: 'act-1', kind: 'payment', n: 2, recordedAtUtc: time(2) });
    await tx.acts.insert({ orderId, actId: 'act-1', name: 'payment', state: 'done', recordedAtUtc: time(2) });
    for (const to of ['received', status]) {
      await tx.audit.append(auditEntry({ subject: orderSubject(orderId), to }));
    }
    const { event } = await addEvent(tx, order, 'order.created.v1');
    await tx.messages.add(task);
    const update = { orderId, status, sagaState: 'ended', updatedAtUtc: time(closedAt) } as const;
    await tx.orders.update(update);
    return event.eventId;
  });
  const ids = published ? [eventId, task.id] : [eventId];
  await store.outbox.markPublished({ ids, publishedAtUtc: time(closedAt) });
  return orderId;
}

export function describeRetention(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase);
  const beforeUtc = time(30);
  const closed = (limit = 1_000) =>
    context.store.transaction((tx) => tx.retention.closedOrders({ closedBeforeUtc: beforeUtc, limit }));
  const purge = (orderId: OrderId) =>
    context.store.transaction((tx) =>
      tx.retention.purgeOrder({ orderId, closedBeforeUtc: beforeUtc, nowUtc: time(50) }),
    );

  it('deletes a closed order from every table and returns the head of its audit chain', async () => {
    const { store, database } = context;
    const orderId = await givenClosedOrder(store, { status: 'cancelled' });
    const other = await givenClosedOrder(store);
    const subject = orderSubject(orderId);
    const head = await store.read.auditHead(subject);
    expect(await purge(orderId)).toEqual({ status: 'cancelled', head });
    expect(head?.seq).toBe(2);
    expect(await store.read.order(orderId)).toBeUndefined();
    expect([await store.read.audit(subject), await store.read.auditHead(subject)]).toEqual([[], undefined]);
    expect(await store.read.events({ orderId, afterSequence: 0 })).toEqual([]);
    // The whole order can be written anew: nothing of it is left in any table.
    await store.transaction(async (tx) => {
      expect(await tx.operations.find(operationKeys.recordOrder(orderId))).toBeUndefined();
      expect([await tx.payments.list(orderId), await tx.shipments.list(orderId)]).toEqual([[], []]);
      expect(await tx.orderActs.list(orderId)).toEqual([]);
      expect(await tx.acts.list(orderId)).toEqual([]);
      expect(await tx.orders.insert(newOrder({ orderId }))).toBe(true);
      expect(await tx.fulfillments.create({ orderId, fulfillmentId: 'f', createdAtUtc: time(1) })).toBe(true);
      expect(await tx.inventory.release(orderId)).toEqual([]);
    });
    expect(await store.read.audit(orderSubject(other))).toHaveLength(2);
    // The permission ends with the purge, for its own subject too.
    await store.transaction((tx) => tx.audit.append(auditEntry({ subject })));
    for (const each of [subject, orderSubject(other)]) {
      const deletion = database.execute(`DELETE FROM AuditLog WHERE Subject = '${each}'`);
      await expect(deletion).rejects.toThrow('append-only');
    }
  });

  it('keeps the id of a purged order with how it had ended, and of no other', async () => {
    const { store } = context;
    const purged = await givenClosedOrder(store, { status: 'failed' });
    const there = await givenClosedOrder(store);
    const statusOf = (orderId: OrderId) => store.transaction((tx) => tx.orders.purged(orderId));
    expect(await statusOf(purged)).toBeUndefined();
    await purge(purged);
    expect([await statusOf(purged), await statusOf(there)]).toEqual(['failed', undefined]);
    const unheardOf = newOrder().orderId;
    const known = await store.upkeep.recorded([purged, unheardOf, there]);
    expect(new Set(known)).toEqual(new Set([purged, there]));
    expect(await store.upkeep.recorded([])).toEqual([]);
  });

  it('names the orders that closed before the time, oldest first, and no other', async () => {
    const { store } = context;
    for (const left of await closed()) await purge(left);
    const second = await givenClosedOrder(store, { closedAt: 20 });
    const first = await givenClosedOrder(store, { closedAt: 5, status: 'failed' });
    await givenClosedOrder(store, { closedAt: 30 });
    await givenOrder(store);
    expect(await closed()).toEqual([first, second]);
    expect(await closed(1)).toEqual([first]);
    expect((await store.upkeep.purgeable({ beforeUtc })).orders).toBe(2);
  });

  it('leaves an order alone that runs, holds stock, has an attempt under way or a message unpublished', async () => {
    const { store } = context;
    const running = await givenClosedOrder(store);
    const update = { orderId: running, sagaState: 'compensating', updatedAtUtc: time(10) } as const;
    await store.transaction((tx) => tx.orders.update(update));
    const held = await givenClosedOrder(store);
    const items = [{ productId: await givenProduct(store, 1), quantity: 1 }];
    await store.transaction((tx) => tx.inventory.reserve({ orderId: held, items }));
    const leased = await givenClosedOrder(store);
    await store.transaction((tx) =>
      tx.operations.begin({
        key: operationKeys.processPayment(leased, 1),
        orderId: leased,
        step: 'payment',
        leaseUntilUtc: time(59),
      }),
    );
    const unpublished = await givenClosedOrder(store, { published: false });
    const young = await givenClosedOrder(store, { closedAt: 40 });
    for (const orderId of [running, held, leased, unpublished, young]) {
      expect(await purge(orderId)).toBeUndefined();
      expect(await closed()).not.toContain(orderId);
      expect(await store.read.audit(orderSubject(orderId))).toHaveLength(2);
    }
  });

  it('takes a purge back whole when its transaction fails', async () => {
    const { store } = context;
    const orderId = await givenClosedOrder(store);
    const failing = store.transaction(async (tx) => {
      await tx.retention.purgeOrder({ orderId, closedBeforeUtc: beforeUtc, nowUtc: time(50) });
      throw new Error('no record of it');
    });
    await expect(failing).rejects.toThrow('no record of it');
    expect(await store.read.order(orderId)).toBeDefined();
    expect((await store.read.auditHead(orderSubject(orderId)))?.seq).toBe(2);
  });

  it('deletes old marks of handled events, at most the limit', async () => {
    const { store } = context;
    const mark = (second: number) =>
      store.transaction((tx) =>
        tx.processedEvents.mark({ consumer: 'c', eventId: randomUUID(), processedAtUtc: time(second) }),
      );
    for (const second of [1, 2, 3, 30]) await mark(second);
    expect((await store.upkeep.purgeable({ beforeUtc })).processedEvents).toBe(3);
    const run = () =>
      store.transaction((tx) =>
        tx.retention.purgeProcessedEvents({ processedBeforeUtc: beforeUtc, limit: 2 }),
      );
    expect([await run(), await run(), await run()]).toEqual([2, 1, 0]);
  });

  it('pages over all audit subjects, each once, in the order of their bytes', async () => {
    const { store } = context;
    const added = ['product:Z', 'product:a', 'product:a.b', 'product:a_b', 'product:B'];
    for (const subject of added) await store.transaction((tx) => tx.audit.append(auditEntry({ subject })));
    const subjects: string[] = [];
    for (let page = ['']; page.length > 0;) {
      page = await store.upkeep.auditSubjects({ after: subjects.at(-1) ?? '', limit: 2 });
      subjects.push(...page);
    }
    expect(new Set(subjects).size).toBe(subjects.length);
    expect(subjects.filter((subject) => subject.startsWith('product:'))).toEqual([...added].sort());
  });
}
