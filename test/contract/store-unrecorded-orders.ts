import { expect, it } from 'vitest';
import type { UnrecordedOrder } from '../../ports/store/upkeep.ts';
import type { CreateDatabase } from './contract-database.ts';
import { newOrder, time, useDatabase } from './store-fixtures.ts';

export function describeUnrecordedOrders(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase);

  const newFound = (changes: Partial<UnrecordedOrder> = {}): UnrecordedOrder => ({
    orderId: newOrder().orderId,
    runId: 'run-1',
    status: 'received',
    startedAtUtc: time(1),
    foundAtUtc: time(2),
    ...changes,
  });

  it('keeps what was found, up to date and with when it was found first, until it is removed', async () => {
    const { store } = context;
    const before = (await store.upkeep.standing()).unrecordedOrders;
    const found = newFound();
    const { orderId } = found;
    const find = () => store.transaction((tx) => tx.unrecordedOrders.find(orderId));
    expect(await find()).toBeUndefined();
    await store.transaction((tx) => tx.unrecordedOrders.put(found));
    expect(await find()).toEqual(found);
    const later = { ...found, runId: 'run-2', closedAs: 'TERMINATED', foundAtUtc: time(9) };
    await store.transaction((tx) => tx.unrecordedOrders.put(later));
    expect(await find()).toEqual({ ...later, foundAtUtc: time(2) });
    expect((await store.upkeep.standing()).unrecordedOrders).toBe(before + 1);
    const remove = () => store.transaction((tx) => tx.unrecordedOrders.remove(orderId));
    expect([await remove(), await remove()]).toEqual([true, false]);
    expect((await store.upkeep.standing()).unrecordedOrders).toBe(before);
  });

  it('lists them by id, in pages', async () => {
    const { store } = context;
    const all = [newFound({ closedAs: 'TIMED_OUT' }), newFound(), newFound({ status: 'payment_failed' })];
    await store.transaction(async (tx) => {
      for (const one of all) await tx.unrecordedOrders.put(one);
    });
    const listed: UnrecordedOrder[] = [];
    for (let page: UnrecordedOrder[] = []; ;) {
      page = await store.read.unrecordedOrders({ after: listed.at(-1)?.orderId ?? '', limit: 2 });
      if (page.length === 0) break;
      listed.push(...page);
    }
    const byId = (one: UnrecordedOrder, two: UnrecordedOrder) => (one.orderId < two.orderId ? -1 : 1);
    expect(listed.filter(({ orderId }) => all.some((one) => one.orderId === orderId))).toEqual(
      all.toSorted(byId),
    );
  });
}
