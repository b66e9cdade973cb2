import { beforeEach, expect, it } from 'vitest';
import { outboxPartitions } from '../../ports/store/messages.ts';
import type { CreateDatabase } from './contract-database.ts';
import { at, atOnce, time, useDatabase } from './store-fixtures.ts';

export function describeOutboxLeases(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase, 2);
  const lease = (owner: string, second: number) =>
    context.store.outbox.lease({ owner, nowUtc: time(second), leaseMs: 10_000 });

  beforeEach(async () => {
    for (const owner of ['a', 'b', 'c']) await context.store.outbox.releaseLeases(owner);
  });

  it('gives a lone relay all partitions, again at each renewal', async () => {
    const all = Array.from({ length: outboxPartitions }, (_, partition) => partition);
    expect(await lease('a', 0)).toEqual(all);
    expect(await lease('a', 5)).toEqual(all);
  });

  it('divides the partitions evenly when relays join, never one between two', async () => {
    await lease('a', 0);
    expect(await lease('b', 1), 'taken from a live relay').toEqual([]);
    const [a, b] = [await lease('a', 2), await lease('b', 3)];
    expect([a.length, b.length]).toEqual([8, 8]);
    await lease('c', 4);
    const three = [await lease('a', 5), await lease('b', 5), await lease('c', 5)];
    expect(three.map((share) => share.length)).toEqual([6, 5, 5]);
    expect(new Set(three.flat()).size).toBe(outboxPartitions);
  });

  it('passes the partitions of a relay that is gone on when its lease has run out, not before', async () => {
    await lease('a', 0);
    expect(await lease('b', 9)).toEqual([]);
    expect(await lease('b', 10)).toHaveLength(outboxPartitions);
  });

  it('keeps a relay that renews its lease in possession', async () => {
    await lease('a', 0);
    await lease('a', 8);
    await lease('b', 9);
    expect(await lease('b', 12)).toEqual([]);
  });

  it('takes the work from a relay that comes back after its lease was passed on', async () => {
    await lease('a', 0);
    await lease('b', 20);
    expect(await lease('a', 21)).toEqual([]);
    const [b, a] = [await lease('b', 22), await lease('a', 23)];
    expect([a.length, b.length]).toEqual([8, 8]);
  });

  it('frees the partitions at once when a relay gives them back', async () => {
    await lease('a', 0);
    await context.store.outbox.releaseLeases('a');
    expect(await lease('b', 1)).toHaveLength(outboxPartitions);
  });

  it('never gives one partition to two relays that ask at the same time', async () => {
    const owners = ['a', 'b', 'c'];
    const ask = (second: number) =>
      atOnce(context.stores, 3, (store, index) =>
        store.outbox.lease({ owner: at(owners, index), nowUtc: time(second), leaseMs: 10_000 }),
      );
    // Everybody is known after the first round, gives up what is too much in the second and takes it in the third.
    for (const second of [0, 1]) await ask(second);
    const partitions = (await ask(2)).flat();
    expect(partitions).toHaveLength(outboxPartitions);
    expect(new Set(partitions).size).toBe(outboxPartitions);
  });
}
