import { randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import type { NewDeadLetter } from '../../ports/dead-letters.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { CreateDatabase } from './contract-database.ts';
import { at, atOnce, newMessage, newOrderId, time, useDatabase } from './store-fixtures.ts';

export function describeDeadLetters(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase, 3);
  let queue: string;
  beforeEach(() => {
    queue = `q-${randomUUID()}`;
  });

  const letter = (second: number, changes: Partial<NewDeadLetter> = {}): NewDeadLetter => ({
    id: randomUUID().replaceAll('-', ''),
    queue,
    messageId: randomUUID(),
    type: 'task.v1',
    orderId: '',
    traceId: '',
    reason: 'timeout',
    error: 'no answer',
    fingerprint: 'f00000000001',
    attempts: 4,
    firstFailedAtUtc: time(second),
    lastFailedAtUtc: time(second),
    indexedAtUtc: time(second),
    message: {
      content: Buffer.from([0, 255, 10, 65]),
      properties: { messageId: 'm', priority: 3 },
      headers: { 'x-a': 'ä', nested: { list: [1] } },
    },
    ...changes,
  });
  const run = <T>(work: (tx: StoreTransaction) => Promise<T>) => context.store.transaction(work);
  const add = (...letters: NewDeadLetter[]) =>
    run(async (tx) => {
      const added: boolean[] = [];
      for (const one of letters) added.push(await tx.deadLetters.add(one));
      return added;
    });
  const read = () => context.store.read.deadLetters;
  const claim = (
    ids: readonly string[],
    replayId: string,
    changes: { patch?: string; stale?: string } = {},
  ) =>
    run((tx) =>
      tx.deadLetters.claim({
        ids,
        replayId,
        ...(changes.patch === undefined ? {} : { patch: changes.patch }),
        nowUtc: time(30),
        staleBeforeUtc: changes.stale ?? time(0),
      }),
    );
  const settle = (id: string, replayId: string, state: 'open' | 'replayed' | 'discarded') =>
    run((tx) => tx.deadLetters.settle({ id, replayId, state, nowUtc: time(31) }));

  it('keeps a message to the byte, with its properties and headers', async () => {
    const one = letter(1);
    expect(await add(one, one)).toEqual([true, false]);
    const found = await read().find(one.id);
    expect(found).toMatchObject({ ...one, message: expect.anything() as unknown, state: 'open' });
    expect(Buffer.from(found?.message.content ?? []).equals(Buffer.from(one.message.content))).toBe(true);
    expect([found?.message.properties, found?.message.headers]).toEqual([
      one.message.properties,
      one.message.headers,
    ]);
    expect(await read().find('nothing')).toBeUndefined();
  });

  it('takes over a later failure while open, and nothing afterwards', async () => {
    const one = letter(5);
    await add(one, { ...one, lastFailedAtUtc: time(4), error: 'older' });
    await add({ ...one, lastFailedAtUtc: time(6), error: 'newer', attempts: 8 });
    expect(await read().find(one.id)).toMatchObject({
      error: 'newer',
      attempts: 8,
      lastFailedAtUtc: time(6),
    });
    await claim([one.id], 'r');
    await add({ ...one, lastFailedAtUtc: time(7), error: 'newest' });
    expect(await read().find(one.id)).toMatchObject({ error: 'newer', state: 'replaying' });
  });

  it('lists oldest first by filter, page by page', async () => {
    const orderId = newOrderId();
    const letters = [
      letter(3),
      letter(1, { fingerprint: 'f00000000002' }),
      letter(2, { orderId }),
      letter(3),
    ];
    await add(...letters);
    const page = (changes: object = {}) =>
      read().page({ filter: { queue, ...changes }, states: ['open'], limit: 10 });
    const byTime = letters.toSorted((a, b) =>
      `${a.lastFailedAtUtc}${a.id}` < `${b.lastFailedAtUtc}${b.id}` ? -1 : 1,
    );
    expect((await page()).map(({ id }) => id)).toEqual(byTime.map(({ id }) => id));
    expect((await page({ failedUntilUtc: time(2) })).length).toBe(2);
    expect((await page({ fingerprint: 'f00000000002' })).map(({ id }) => id)).toEqual([at(letters, 1).id]);
    expect((await page({ orderId })).map(({ id }) => id)).toEqual([at(letters, 2).id]);
    const ids = [at(letters, 0).id, at(letters, 1).id];
    expect((await page({ ids })).length).toBe(2);
    const [, second] = byTime;
    const after = { lastFailedAtUtc: second?.lastFailedAtUtc ?? '', id: second?.id ?? '' };
    const rest = await read().page({ filter: { queue }, states: ['open'], after, limit: 1 });
    expect(rest.map(({ id }) => id)).toEqual([at(byTime, 2).id]);
    expect(await read().count({ filter: { queue }, after })).toBe(2);
    expect(await read().count({ filter: { queue, failedUntilUtc: time(2) } })).toBe(2);
  });

  it('groups what is open or in replay by queue and fingerprint, the largest first', async () => {
    const other = { fingerprint: 'f00000000002', reason: 'refused', error: '400' };
    const letters = [letter(1), letter(4), letter(2), letter(3, other), letter(3, other)];
    await add(...letters);
    await claim([at(letters, 0).id], 'r');
    await claim([at(letters, 4).id], 'r');
    await settle(at(letters, 4).id, 'r', 'discarded');
    expect(await read().groups({ queue })).toEqual([
      {
        queue,
        fingerprint: 'f00000000001',
        reason: 'timeout',
        error: 'no answer',
        open: 2,
        replaying: 1,
        oldestUtc: time(1),
        newestUtc: time(4),
      },
      { queue, ...other, open: 1, replaying: 0, oldestUtc: time(3), newestUtc: time(3) },
    ]);
  });

  it('is claimed by one replay alone, however many try at once, and again by the same', async () => {
    const letters = Array.from({ length: 20 }, () => letter(1));
    await add(...letters);
    const ids = letters.map(({ id }) => id);
    const claims = await atOnce(context.stores, 9, (store, index) =>
      store.transaction((tx) =>
        tx.deadLetters.claim({ ids, replayId: `r-${index}`, nowUtc: time(2), staleBeforeUtc: time(0) }),
      ),
    );
    expect(claims.map(({ length }) => length).filter((length) => length > 0)).toEqual([20]);
    const owner = claims.findIndex(({ length }) => length > 0);
    expect((await claim(ids, `r-${owner}`)).length).toBe(20);
    expect(await claim(ids, 'another')).toEqual([]);
  });

  it('keeps the edit of its claim, and gives a stale claim on only as it is', async () => {
    const one = letter(1);
    await add(one);
    expect(await claim([one.id], 'r', { patch: '{"a":1}' })).toMatchObject([{ patch: { a: 1 } }]);
    expect(await claim([one.id], 'r')).toMatchObject([{ patch: { a: 1 } }]);
    expect(await claim([one.id], 's', { stale: time(40), patch: '{"b":1}' })).toEqual([]);
    expect(await claim([one.id], 's', { stale: time(40) })).toMatchObject([
      { patch: { a: 1 }, replayId: 's' },
    ]);
    expect(await settle(one.id, 'r', 'replayed')).toBe(false);
    expect(await settle(one.id, 's', 'open')).toBe(true);
    expect((await read().find(one.id))?.patch).toBeUndefined();
  });

  it('counts a replay, knows who may leave and forgets who has left', async () => {
    const letters = [letter(1), letter(1), letter(1)];
    await add(...letters);
    const [one, two, three] = letters.map(({ id }) => id) as [string, string, string];
    await claim([one, two, three], queue);
    await settle(one, queue, 'replayed');
    await settle(two, queue, 'open');
    expect(await read().countReplay(queue)).toEqual({ open: 1, replaying: 1, settled: 1 });
    expect((await read().leaving()).filter((row) => row.queue === queue)).toEqual([{ queue, id: one }]);
    await run((tx) => tx.deadLetters.markLeft({ ids: [one, two], leftAtUtc: time(32) }));
    expect((await read().leaving()).filter((row) => row.queue === queue)).toEqual([]);
    const known = await read().known([one, two, 'nothing']);
    expect(known.toSorted((a, b) => Number(b.left) - Number(a.left))).toEqual([
      { id: one, state: 'replayed', lastFailedAtUtc: time(1), left: true },
      { id: two, state: 'open', lastFailedAtUtc: time(1), left: false },
    ]);
    await run((tx) => tx.deadLetters.purge({ settledBeforeUtc: time(31), limit: 10 }));
    expect(await read().find(one)).toBeDefined();
    await run((tx) => tx.deadLetters.purge({ settledBeforeUtc: time(50), limit: 10 }));
    expect([await read().find(one), (await read().find(two))?.state]).toEqual([undefined, 'open']);
  });

  it('gives a set-aside message of the outbox to the relay again, or skips it, and nothing else', async () => {
    const { outbox } = context.store;
    const orderId = newOrderId();
    const [first, second] = [newMessage({ orderId, sequence: 1 }), newMessage({ orderId, sequence: 2 })];
    await run(async (tx) => {
      await tx.messages.add(first);
      await tx.messages.add(second);
    });
    const resume = (act: 'retry' | 'skip', payload?: string) =>
      run((tx) =>
        tx.messages.resume({
          id: first.id,
          act,
          ...(payload === undefined ? {} : { payload }),
          nowUtc: time(9),
        }),
      );
    expect(await resume('retry')).toBe(false);
    await outbox.markFailed({ id: first.id, error: 'unroutable', setAsideAfter: 1 });
    expect(await outbox.setAside({ limit: 100 })).toContainEqual({
      ...first,
      attempts: 1,
      lastError: 'unroutable',
      setAsideAtUtc: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    const partitions = await outbox.lease({ owner: 'relay', nowUtc: time(0), leaseMs: 3_600_000 });
    const pending = async () =>
      (await outbox.pending({ owner: 'relay', partitions, limit: 50 })).filter(
        (row) => row.orderId === orderId,
      );
    expect(await pending()).toEqual([]);
    expect(await resume('retry', '{"edited":true}')).toBe(true);
    expect(await pending()).toMatchObject([
      { id: first.id, attempts: 0, payload: '{"edited":true}' },
      second,
    ]);
    await outbox.markFailed({ id: first.id, error: 'unroutable', setAsideAfter: 1 });
    expect(await resume('skip')).toBe(true);
    expect((await pending()).map(({ id }) => id)).toEqual([second.id]);
    expect(await resume('retry')).toBe(false);
  });
}
