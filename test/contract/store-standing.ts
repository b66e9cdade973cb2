import { expect, it } from 'vitest';
import type { InFlightGroup } from '../../ports/store/upkeep.ts';
import type { CreateDatabase } from './contract-database.ts';
import { givenOrder, givenProduct, newOrder, time, useDatabase } from './store-fixtures.ts';
import type { OrderDetail } from '../../ports/store/orders.ts';

export function describeStanding(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase, 1);

  const given = async (change: { sagaState: InFlightGroup['sagaState']; detail?: object; at?: number }) => {
    const { store } = context;
    const order = newOrder({ createdAtUtc: time(change.at ?? 1) });
    await store.transaction((tx) => tx.orders.insert(order));
    const detail = (change.detail ?? {}) as OrderDetail;
    const update = { orderId: order.orderId, sagaState: change.sagaState, detail, updatedAtUtc: time(59) };
    await store.transaction((tx) => tx.orders.update(update));
  };
  const groups = async (sagaState: string) =>
    (await context.store.upkeep.standing()).inFlight.filter((group) => group.sagaState === sagaState);

  it('counts orders that have not ended, in groups with the age of the oldest', async () => {
    await given({ sagaState: 'compensating', at: 7 });
    await given({ sagaState: 'compensating', at: 3 });
    await given({ sagaState: 'ended', at: 1 });
    expect(await groups('compensating')).toEqual([
      {
        status: 'received',
        sagaState: 'compensating',
        orders: 2,
        oldestUtc: time(3),
        stillSinceUtc: time(59),
      },
    ]);
    expect(await groups('ended')).toEqual([]);
  });

  it('tells since when the longest held and parked wait, and parked ones by step and activity', async () => {
    const hold = (since: number) => ({ hold: { status: 'payment_failed', sinceUtc: time(since) } });
    const parked = (activity: string, since: number) => ({
      parked: { step: 'payment', activity, sinceUtc: time(since) },
    });
    await given({ sagaState: 'held', detail: hold(20) });
    await given({ sagaState: 'held', detail: hold(10) });
    await given({ sagaState: 'parked', detail: parked('payment', 30) });
    await given({ sagaState: 'parked', detail: { ...hold(5), ...parked('refundPayment', 40) } });
    expect(await groups('held')).toMatchObject([{ orders: 2, waitingSinceUtc: time(10) }]);
    const found = await groups('parked');
    expect(found).toHaveLength(2);
    expect(found).toContainEqual(
      expect.objectContaining({
        parked: { step: 'payment', activity: 'payment' },
        waitingSinceUtc: time(30),
      }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({
        parked: { step: 'payment', activity: 'refundPayment' },
        waitingSinceUtc: time(40),
      }),
    );
  });

  it('adds up the stock of all products', async () => {
    const { store } = context;
    const before = (await store.upkeep.standing()).stock;
    const product = await givenProduct(store, 9);
    const { orderId } = await givenOrder(store);
    await store.transaction((tx) =>
      tx.inventory.reserve({ orderId, items: [{ productId: product, quantity: 4 }] }),
    );
    const after = (await store.upkeep.standing()).stock;
    expect(after).toEqual({ onHand: before.onHand + 9, reserved: before.reserved + 4, oversold: 0 });
  });
}
