import { expect, it } from 'vitest';
import type { OrderId } from '../../domain/ids.ts';
import type { OrderStatus, SagaState } from '../../domain/order.ts';
import { closedRunActivity } from '../../domain/recovery.ts';
import type { OrderDetail } from '../../ports/store/orders.ts';
import type { CreateDatabase } from './contract-database.ts';
import { newOrder, time, useDatabase } from './store-fixtures.ts';

export function describeCases(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase);

  /** An order begun at second `createdAt`, last changed ten seconds later. */
  async function given(input: {
    createdAt: number;
    status?: OrderStatus;
    sagaState?: SagaState;
    detail?: OrderDetail;
  }): Promise<OrderId> {
    const { createdAt, status = 'payment_processed', sagaState = 'running', detail = {} } = input;
    const order = newOrder({ createdAtUtc: time(createdAt) });
    const { orderId } = order;
    const updatedAtUtc = time(createdAt + 10);
    await context.store.transaction(async (tx) => {
      await tx.orders.insert(order);
      await tx.orders.update({ orderId, status, sagaState, detail, updatedAtUtc });
    });
    return orderId;
  }

  const parkedAt = (activity: string): OrderDetail => ({
    parked: {
      step: 'payment',
      activity,
      failure: 'terminated',
      budgets: 0,
      sinceUtc: time(30),
      actions: [],
    },
  });

  it('pages over the orders that have not ended, oldest first, leaving out those changed lately', async () => {
    const { store } = context;
    const second = await given({ createdAt: 20, sagaState: 'held' });
    const first = await given({ createdAt: 10 });
    const third = await given({ createdAt: 30, sagaState: 'compensating' });
    await given({ createdAt: 40 });
    await given({ createdAt: 15, status: 'completed', sagaState: 'ended' });
    const pages: OrderId[][] = [];
    for (let after; ;) {
      const page = await store.upkeep.openOrders({
        updatedBeforeUtc: time(41),
        limit: 2,
        ...(after ? { after } : {}),
      });
      after = page.at(-1);
      pages.push(page.map(({ orderId }) => orderId));
      if (!after) break;
    }
    expect(pages).toEqual([[first, second], [third], []]);
    expect((await store.upkeep.openOrders({ updatedBeforeUtc: time(41), limit: 1 }))[0]).toEqual({
      orderId: first,
      createdAtUtc: time(10),
      updatedAtUtc: time(20),
    });
  });

  it('lists the orders whose run was found closed, oldest first, and no other', async () => {
    const { store } = context;
    const late = await given({ createdAt: 5, sagaState: 'parked', detail: parkedAt(closedRunActivity) });
    const early = await given({ createdAt: 4, sagaState: 'parked', detail: parkedAt(closedRunActivity) });
    await given({ createdAt: 3, sagaState: 'parked', detail: parkedAt('payment') });
    await given({ createdAt: 2, detail: parkedAt(closedRunActivity) });
    const cases = await store.read.cases({ limit: 10 });
    expect(cases.map(({ orderId }) => orderId)).toEqual([early, late]);
    expect(cases[0]).toEqual(await store.read.order(early));
    expect(await store.read.cases({ limit: 1 })).toHaveLength(1);
  });
}
