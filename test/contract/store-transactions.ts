import { expect, it } from 'vitest';
import { operationKeys } from '../../domain/ids.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { CreateDatabase } from './contract-database.ts';
import {
  addEvent,
  at,
  atOnce,
  auditEntry,
  givenOrder,
  givenProduct,
  newOrder,
  time,
  useDatabase,
} from './store-fixtures.ts';

export function describeTransactions(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase, 3);

  it('rolls back everything that a failing transaction wrote', async () => {
    const { store } = context;
    const product = await givenProduct(store, 5);
    const order = newOrder({ items: [{ productId: product, quantity: 2 }] });
    const entry = auditEntry();
    const key = operationKeys.reserveInventory(order.orderId);
    const failing = store.transaction(async (tx) => {
      await tx.orders.insert(order);
      await tx.operations.begin({ key, orderId: order.orderId, step: 'inventory' });
      await tx.inventory.reserve({ orderId: order.orderId, items: order.items });
      await addEvent(tx, order, 'order.created.v1');
      await tx.audit.append(entry);
      await tx.processedEvents.mark({
        consumer: 'contract',
        eventId: 'rolled-back',
        processedAtUtc: time(0),
      });
      throw new Error('the step failed');
    });
    await expect(failing).rejects.toThrow('the step failed');
    expect(await store.read.order(order.orderId)).toBeUndefined();
    expect(await store.read.ledger(order.orderId)).toEqual([]);
    expect(await store.read.events({ orderId: order.orderId, afterSequence: 0 })).toEqual([]);
    expect(await store.read.audit(entry.subject)).toEqual([]);
    expect(await store.read.auditHead(entry.subject)).toBeUndefined();
    const products = await store.read.products();
    expect(products.find(({ productId }) => productId === product)?.available).toBe(5);
    const left = await store.transaction(async (tx) => ({
      operation: await tx.operations.find(key),
      firstTime: await tx.processedEvents.mark({
        consumer: 'contract',
        eventId: 'rolled-back',
        processedAtUtc: time(0),
      }),
    }));
    expect(left).toEqual({ operation: undefined, firstTime: true });
  });

  it('fails only the transactions that fail when many run at once', async () => {
    const { stores, store } = context;
    const orders = Array.from({ length: 40 }, () => newOrder());
    const results = await Promise.allSettled(
      orders.map((order, index) =>
        (stores[index % stores.length] ?? store).transaction(async (tx) => {
          await tx.orders.insert(order);
          if (index % 4 === 1) throw new Error(`refused ${index}`);
          return index;
        }),
      ),
    );
    for (const [index, order] of orders.entries()) {
      const failed = index % 4 === 1;
      expect(results[index]).toMatchObject(
        failed ? { status: 'rejected' } : { status: 'fulfilled', value: index },
      );
      expect((await store.read.order(order.orderId)) === undefined, `order ${index} is absent`).toBe(failed);
    }
  });

  it('shows other connections a transaction once its promise has resolved', async () => {
    const order = await givenOrder(at(context.stores, 0));
    expect(await at(context.stores, 1).read.order(order.orderId)).toMatchObject({ orderId: order.orderId });
  });

  it('goes on after a statement that the database refused and the work caught', async () => {
    const { store } = context;
    const order = newOrder();
    const message = await store.transaction(async (tx) => {
      const unknownOrder = newOrder();
      const refused = tx.payments.put({
        orderId: unknownOrder.orderId,
        n: 1,
        state: 'created',
        amount: { amountMinor: 1, currency: 'INR' },
        createRequestedAtUtc: time(0),
        createKeyNumber: 1,
        confirmKeyNumber: 1,
        cancelKeyNumber: 1,
        refundKeyNumber: 1,
      });
      const reason = await refused.then(
        () => 'accepted',
        (error: Error) => error.message,
      );
      await tx.orders.insert(order);
      return reason;
    });
    expect(message).toContain('Payments');
    expect(await store.read.order(order.orderId)).toBeDefined();
  });

  it('refuses a tx that is used after its transaction ended', async () => {
    const { store } = context;
    const kept: StoreTransaction[] = [];
    await store.transaction(async (tx) => kept.push(tx));
    await expect(at(kept, 0).orders.insert(newOrder())).rejects.toThrow('This transaction has ended');
  });

  it('lets 50 transactions on several connections change one order without losing one', async () => {
    const { stores, store } = context;
    const order = await givenOrder(store);
    await atOnce(stores, 50, (each) =>
      each.transaction(async (tx) => {
        const row = await tx.orders.find(order.orderId);
        const count = Number(row?.detail.cancelRequested?.reason ?? 0);
        const cancelRequested = { actor: 'contract', reason: String(count + 1) };
        await tx.orders.update({
          orderId: order.orderId,
          detail: { cancelRequested },
          updatedAtUtc: time(2),
        });
      }),
    );
    expect((await store.read.order(order.orderId))?.cancelRequested?.reason).toBe('50');
  });

  it('handles an event once for each consumer, also when it comes twice at the same time', async () => {
    const { stores, store } = context;
    const mark = (consumer: string) =>
      atOnce(stores, 10, (each) =>
        each.transaction((tx) =>
          tx.processedEvents.mark({ consumer, eventId: 'event-1', processedAtUtc: time(0) }),
        ),
      );
    expect((await mark('email')).filter(Boolean)).toHaveLength(1);
    expect((await mark('analytics')).filter(Boolean)).toHaveLength(1);
    expect(await store.ping()).toBeUndefined();
  });
}
