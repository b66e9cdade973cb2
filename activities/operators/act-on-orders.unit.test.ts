import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { TechnicalFailure } from '../../domain/failures.ts';
import { orderId, type OrderId } from '../../domain/ids.ts';
import type { BulkOrderAct, OrderActResult } from '../../domain/order-acts.ts';
import type { OpenOrders, OrderActService } from '../../ports/order-acts.ts';
import { createOrderActActivities } from './act-on-orders.ts';

const ids = Array.from({ length: 30 }, (_, n) => orderId(`order-${n}`));
const bulkOf = (changes: Partial<BulkOrderAct> = {}): BulkOrderAct => ({
  actId: 'act-1',
  act: { kind: 'resolve', action: 'retry' },
  choice: { filter: { step: 'shipping', startedBeforeUtc: '2026-01-02T03:04:05.678Z' } },
  ratePerSecond: 100,
  actor: 'ada',
  reason: 'the carrier is back',
  ...changes,
});

function build(act: (orderId: OrderId) => Promise<OrderActResult>) {
  const asked: { orderId: OrderId; atMs: number }[] = [];
  const found: { limit: number; after?: string }[] = [];
  let underway = 0;
  let most = 0;
  const orderActs: OrderActService = {
    async find(input): Promise<OpenOrders> {
      found.push(input);
      return { orderIds: ids.slice(0, input.limit), next: 'more' };
    },
    async act({ orderId: id }) {
      asked.push({ orderId: id, atMs: performance.now() });
      most = Math.max(most, (underway += 1));
      return act(id).finally(() => (underway -= 1));
    },
    note: async () => {},
  };
  const env = new MockActivityEnvironment();
  const activities = createOrderActActivities({ orderActs });
  return {
    asked,
    found,
    env,
    most: () => most,
    find: (input: { bulk: BulkOrderAct; after?: string }): Promise<OpenOrders> =>
      env.run(activities.findOrders, input),
    act: (bulk: BulkOrderAct, orderIds: OrderId[]): Promise<OrderActResult[]> =>
      env.run(activities.actOnSlice, { bulk, orderIds }),
  };
}

const accepts = async (id: OrderId): Promise<OrderActResult> => ({ orderId: id, result: 'accepted' });

describe('a slice of an act on many orders', () => {
  it.each([
    { kind: 'resolve', action: 'retry-with', input: { paymentMethodId: 'pm_card_visa' } },
    { kind: 'resolve', action: 'mark-done', reference: 'pi_1' },
    { kind: 'shipping-address', address: { street1: '1 Road' } },
  ])('says what belongs to one order to none of many, whoever has started it: %j', async (act) => {
    const { act: actOn, asked } = build(accepts);
    const results = await actOn(bulkOf({ act: act as BulkOrderAct['act'] }), ids.slice(0, 2));
    expect(results).toMatchObject([
      { orderId: ids[0], result: 'refused', reason: expect.stringContaining('belongs to one order') },
      { orderId: ids[1], result: 'refused' },
    ]);
    expect(asked).toEqual([]);
  });

  it('asks every order once, in order of its results, and not faster than the rate', async () => {
    const { act, asked } = build(accepts);
    const startedAt = performance.now();
    const results = await act(bulkOf(), ids);
    expect(results.map((one) => one.orderId)).toEqual(ids);
    expect(new Set(asked.map((one) => one.orderId)).size).toBe(ids.length);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(ids.length * 10 - 5);
    for (const [index, { atMs }] of asked.entries()) {
      expect(atMs - startedAt).toBeGreaterThanOrEqual(index * 10 - 5);
    }
  });

  it('has at most ten updates on their way, however slow they are', async () => {
    const { act, most } = build(async (id) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return accepts(id);
    });
    await act(bulkOf({ ratePerSecond: 500 }), ids);
    expect(most()).toBe(10);
  });

  it('asks a silent order five times and then leaves it to its people', async () => {
    const { act, asked } = build(async (id) => ({ orderId: id, result: 'unanswered', reason: 'no worker' }));
    expect(await act(bulkOf(), ids.slice(0, 1))).toEqual([
      { orderId: ids[0], result: 'unanswered', reason: 'no worker' },
    ]);
    expect(asked).toHaveLength(5);
  });

  it('fails under its own type when Temporal is away, to be tried again', async () => {
    const { act } = build(async () => {
      throw new TechnicalFailure('OutcomeUnknown', 'Temporal did not answer');
    });
    await expect(act(bulkOf(), ids)).rejects.toMatchObject({ type: 'OutcomeUnknown', nonRetryable: false });
  });

  it('begins no further order once its worker is being shut down', async () => {
    const { act, asked, env } = build(accepts);
    const acting = act(bulkOf({ ratePerSecond: 10 }), ids);
    await new Promise((resolve) => setTimeout(resolve, 150));
    env.cancel('WORKER_SHUTDOWN');
    await expect(acting).rejects.toThrow('WORKER_SHUTDOWN');
    expect(asked.length).toBeLessThan(ids.length);
  });
});

describe('the next slice', () => {
  it('is about two seconds of work, page by page', async () => {
    const { find, found } = build(accepts);
    expect(await find({ bulk: bulkOf({ ratePerSecond: 3 }), after: 'page-2' })).toMatchObject({
      next: 'more',
    });
    await find({ bulk: bulkOf({ ratePerSecond: 500 }) });
    expect(found).toMatchObject([{ limit: 6, after: 'page-2' }, { limit: 200 }]);
  });

  it('of named orders ends with the last of them', async () => {
    const { find } = build(accepts);
    const bulk = bulkOf({ choice: { orderIds: ids.slice(0, 5) }, ratePerSecond: 2 });
    const first = await find({ bulk });
    expect(first).toEqual({ orderIds: ids.slice(0, 4), next: '4' });
    expect(await find({ bulk, after: '4' })).toEqual({ orderIds: ids.slice(4, 5) });
  });
});
