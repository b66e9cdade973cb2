import { expect, it } from 'vitest';
import type { NotedRetry } from '../../domain/retries.ts';
import type { CreateDatabase } from './contract-database.ts';
import { newOrder, time, useDatabase } from './store-fixtures.ts';

export function describeRetries(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase);
  const newRetry = (change: Partial<NotedRetry> = {}): NotedRetry => ({
    orderId: newOrder().orderId,
    activity: 'generateShipment',
    failures: 2,
    failureType: 'ProviderUnavailable',
    failure: 'EasyPost shipments.buy: “503”',
    failedAtUtc: time(1),
    nextAttemptAtUtc: time(2),
    staleAfterUtc: time(5),
    ...change,
  });
  const note = (retry: NotedRetry) => context.store.transaction((tx) => tx.retries.note(retry));

  it('keeps the newest note of each activity, whichever comes first, until it is stale or removed', async () => {
    const { read } = context.store;
    const first = newRetry();
    const { orderId } = first;
    const newer = {
      ...first,
      failures: 3,
      failedAtUtc: time(3),
      nextAttemptAtUtc: time(4),
      failure: 'again',
    };
    const other = newRetry({ orderId, activity: 'closeOrder' });
    for (const retry of [first, newer, first, other]) await note(retry);
    const of = (nowUtc: string) => read.retriesOf({ orderId, nowUtc });
    const byActivity = (a: NotedRetry, b: NotedRetry) => (a.activity < b.activity ? -1 : 1);
    expect((await of(time(5))).sort(byActivity)).toEqual([other, newer]);
    expect(await of(time(6))).toEqual([]);
    await context.store.transaction((tx) => tx.retries.remove(newer));
    expect(await of(time(1))).toEqual([other]);
    await context.store.transaction((tx) => tx.retries.forget({ staleBeforeUtc: time(6) }));
    expect(await of(time(1))).toEqual([]);
  });

  it('lists what has failed more than so often, the most stubborn first', async () => {
    const all = [newRetry({ failures: 6 }), newRetry({ failures: 9 }), newRetry({ failures: 5 })];
    const stale = newRetry({ failures: 99, staleAfterUtc: time(2) });
    for (const retry of [...all, stale]) await note(retry);
    const list = (moreThan: number, limit = 10) =>
      context.store.read.retries({ nowUtc: time(3), moreThan, limit });
    expect(await list(5)).toEqual([all[1], all[0]]);
    expect(await list(0, 1)).toEqual([all[1]]);
  });
}
