import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bulkSubject, deadLetterSubject } from '../domain/dead-letters.ts';
import { orderId } from '../domain/ids.ts';
import { openDeadLetterRoom, tasksQueue, type DeadLetterRoom } from '../test/support/dead-letter-fixture.ts';
import { until } from '../test/setup/saga-environment.ts';
import { getBulkProgress } from '../workflows/dead-letter-messages.ts';

const dlq = `${tasksQueue}.dlq`;
let room: DeadLetterRoom;
beforeAll(async () => {
  room = await openDeadLetterRoom();
});
afterAll(() => room.close());
/** What the broker dates only to the second counts as failed at its end. */
const soonUtc = () => new Date(Date.now() + 2_000).toISOString();
afterEach(async () => {
  await (await room.start({ act: 'discard', filter: { failedUntilUtc: soonUtc() } })).result();
  await until(
    () => room.depth(dlq),
    (depth) => depth === 0,
  );
  await room.drain(tasksQueue);
});

const messages = (count: number, changes: (n: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, n) => ({ messageId: randomUUID(), body: { n }, ...changes(n) }));

describe('the index', () => {
  it('tells the whole story of a dead letter, which stays in its queue', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await room.fail([
      {
        messageId: 'm-1',
        body: { a: 1 },
        headers: { traceparent, 'x-error': '550 <ada@example.com> unknown', 'x-reason': 'mail-refused' },
      },
    ]);
    await room.indexed(1);
    const [letter] = await room.open();
    expect(letter).toMatchObject({
      queue: tasksQueue,
      messageId: 'm-1',
      type: 'task.v1',
      orderId: 'order-1',
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      reason: 'mail-refused',
      error: '550 <<address>> unknown',
      attempts: 4,
      state: 'open',
    });
    await until(
      () => room.depth(dlq),
      (depth) => depth === 1,
    );
    const whole = await room.read.find(letter?.id ?? '');
    expect(JSON.parse(Buffer.from(whole?.message.content ?? []).toString())).toEqual({ a: 1 });
  });

  it('groups by queue and kind of error, whatever numbers and ids the error names', async () => {
    await room.fail([
      ...messages(5),
      ...messages(2, () => ({
        headers: { 'x-reason': 'timeout', 'x-error': `no answer for ${randomUUID()}` },
      })),
    ]);
    await room.indexed(7);
    const groups = await room.read.groups({});
    expect(groups.map(({ queue, reason, open }) => [queue, reason, open])).toEqual([
      [tasksQueue, 'partner-error', 5],
      [tasksQueue, 'timeout', 2],
    ]);
  });

  it('takes copies of one failed delivery for one, and messages without an id for one each', async () => {
    const [copy] = messages(1);
    const nameless = {
      body: { same: true },
      headers: {
        'x-error': 'e',
        'x-last-failed-at': '2026-01-02T03:04:05Z',
        'x-first-failed-at': '2026-01-02T03:04:05Z',
      },
    };
    await room.fail([copy ?? {}, copy ?? {}, nameless, nameless, nameless]);
    await room.indexed(4);
    await (await room.start()).result();
    await until(
      () => room.depth(dlq),
      (depth) => depth === 0,
    );
    expect((await room.drain(tasksQueue)).length).toBe(4);
  });

  it('takes a replay that failed again for another one, also when its consumer’s clock is behind', async () => {
    await room.fail([{ messageId: 'again' }]);
    await room.indexed(1);
    await (await room.start()).result();
    const [replayed] = await room.drain(tasksQueue);
    const headers = {
      'x-replay-of': replayed?.properties.headers?.['x-replay-of'],
      'x-last-failed-at': '2026-01-02T03:04:05.678Z',
    };
    await room.fail([{ messageId: 'again', headers }]);
    await room.indexed(1);
    expect((await room.open())[0]).toMatchObject({ messageId: 'again', state: 'open' });
  });

  it('knows what expired, by the broker’s own words', async () => {
    const queue = 'short-lived';
    await room.channel.assertQueue(queue, {
      arguments: { 'x-message-ttl': 20, 'x-dead-letter-exchange': 'dlx', 'x-dead-letter-routing-key': dlq },
    });
    room.channel.sendToQueue(queue, Buffer.from('{}'), { messageId: 'late' });
    await room.indexed(1);
    expect((await room.open())[0]).toMatchObject({ messageId: 'late', reason: 'expired', attempts: 1 });
    await room.channel.deleteQueue(queue);
  });

  it('finds dead-letter queues that other services declared', async () => {
    await room.channel.assertQueue('loyalty.points.q.dlq');
    room.channel.sendToQueue('loyalty.points.q.dlq', Buffer.from('not json'), { messageId: 'theirs' });
    await room.indexed(1, 15_000);
    expect((await room.open())[0]).toMatchObject({ queue: 'loyalty.points.q', messageId: 'theirs' });
    const replay = await (await room.start()).result();
    expect(replay).toMatchObject({ settled: 0, left: 1 });
    expect((await room.open())[0]?.replayError).toContain('there is no queue loyalty.points.q');
    await (await room.start({ act: 'discard' })).result();
    await until(
      () => room.depth('loyalty.points.q.dlq'),
      (depth) => depth === 0,
    );
    await room.channel.deleteQueue('loyalty.points.q.dlq');
  });
});

describe('a replay', () => {
  it('delivers what is wanted once, marked, under its own id, and empties the queue', async () => {
    await room.fail(messages(3));
    await room.indexed(3);
    const [first, second] = await room.open();
    const ids = [first?.id ?? '', second?.id ?? ''];
    const progress = await (
      await room.start({ filter: { ids, failedUntilUtc: new Date().toISOString() } })
    ).result();
    expect(progress).toMatchObject({ status: 'completed', settled: 2, left: 0, toGo: 0 });
    await until(
      () => room.depth(dlq),
      (depth) => depth === 1,
    );
    const got = await room.drain(tasksQueue);
    expect(got.map(({ properties }) => properties.messageId)).toEqual([first?.messageId, second?.messageId]);
    expect(got[0]?.properties).toMatchObject({
      type: 'task.v1',
      priority: 3,
      contentType: 'application/json',
    });
    expect(got[0]?.properties.headers).toMatchObject({ 'x-replay-of': first?.id, 'order-id': 'order-1' });
    expect(got[0]?.properties.headers).not.toHaveProperty('x-attempt');
    const [row] = await room.store.read.audit(deadLetterSubject(first?.id ?? ''));
    expect(row).toMatchObject({
      actor: 'ada',
      step: 'replay',
      from: 'open',
      to: 'replayed',
      reason: 'the cause is mended',
    });
  });

  it('never takes up what failed after its cutoff, nor its own messages when they fail again', async () => {
    await room.fail(messages(2));
    await room.indexed(2);
    const failedUntilUtc = new Date().toISOString();
    await sleep(5);
    await room.fail(messages(3));
    await room.indexed(5);
    const progress = await (await room.start({ filter: { failedUntilUtc } })).result();
    expect(progress.settled).toBe(2);
    const replayed = await room.drain(tasksQueue);
    await room.fail(
      replayed.map(({ properties }) => ({
        messageId: String(properties.messageId),
        headers: { 'x-replay-of': properties.headers?.['x-replay-of'] },
      })),
    );
    await room.indexed(5);
    expect((await (await room.start({ filter: { failedUntilUtc } })).result()).settled).toBe(0);
  });

  it('of one kind of failure leaves the others', async () => {
    await room.fail([...messages(3), ...messages(2, () => ({ headers: { 'x-reason': 'timeout' } }))]);
    await room.indexed(5);
    const group = (await room.read.groups({})).find(({ reason }) => reason === 'timeout');
    const failedUntilUtc = new Date().toISOString();
    const filter = { queue: tasksQueue, fingerprint: group?.fingerprint ?? '', failedUntilUtc };
    expect((await (await room.start({ filter })).result()).settled).toBe(2);
    expect((await room.open()).map(({ reason }) => reason)).toEqual(Array(3).fill('partner-error'));
  });

  it('delivers the edit and never the original, also when somebody else replays at the same time', async () => {
    await room.fail(messages(100, () => ({ body: { url: 'https://old.example', keep: 1 } })));
    await room.indexed(100);
    const acts = await Promise.all([
      room.start({ patch: { url: 'https://new.example' } }),
      room.start(),
      room.start({ patch: { url: 'https://other.example' } }),
    ]);
    const ends = await Promise.all(acts.map((act) => act.result()));
    expect(ends.reduce((sum, { settled }) => sum + settled, 0)).toBe(100);
    const got = await room.drain(tasksQueue);
    expect(new Set(got.map(({ properties }) => String(properties.messageId))).size).toBe(100);
    expect(got.length).toBe(100);
    const urls = got.map(({ content }) => (JSON.parse(content.toString()) as { url: string }).url);
    const counted = ['https://new.example', 'https://old.example', 'https://other.example'].map(
      (url) => urls.filter((came) => came === url).length,
    );
    expect(counted).toEqual(ends.map(({ settled }) => settled));
  });

  it('leaves what an edit does not fit, with the reason', async () => {
    const task = { taskId: 't', template: 'order-shipped', to: 'ada@example.com' };
    await room.fail([
      { messageId: randomUUID(), type: 'email.order-shipped.v1', body: task },
      { messageId: randomUUID(), body: { url: 'x' } },
    ]);
    await room.indexed(2);
    const progress = await (await room.start({ patch: { url: 'y' } })).result();
    expect(progress).toMatchObject({ settled: 1, left: 1 });
    const [letter] = await room.open();
    expect(letter?.replayError).toMatch(/the edit does not fit: orderId: expected/);
    const rows = await room.store.read.audit(deadLetterSubject(letter?.id ?? ''));
    expect(rows[0]).toMatchObject({ to: 'open', reason: expect.stringContaining('edited: url') as string });
  });

  it('keeps to its rate, shows progress and ends at a cancel without leaving anything claimed', async () => {
    await room.fail(messages(60));
    await room.indexed(60);
    const act = await room.start({ ratePerSecond: 20 });
    const seen = await until(
      () => act.query(getBulkProgress),
      ({ settled }) => settled >= 10,
    );
    expect(seen).toMatchObject({ status: 'running' });
    await act.cancel();
    await expect(act.result()).rejects.toThrow(WorkflowFailedError);
    const end = await act.query(getBulkProgress);
    expect(end.status).toBe('cancelled');
    expect(end.settled + end.toGo).toBe(60);
    expect(end.settled).toBeLessThan(60);
    expect(await room.total()).toBe(60 - end.settled);
    expect((await room.drain(tasksQueue)).length).toBe(end.settled);
    const notes = await room.store.read.audit(bulkSubject(end.replayId));
    expect(notes.map(({ to }) => to.split(':')[0])).toEqual(['running', 'cancelled']);
  });

  it('moves 2,000 at hundreds a second, while the list answers in under a second', async () => {
    await room.fail(messages(2_000));
    await room.indexed(2_000);
    const startedAt = performance.now();
    const act = await room.start();
    const [, listMs] = await Promise.all([act.result(), timed(() => room.read.groups({}))]);
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(`2,000 replayed in ${seconds.toFixed(2)} s; the list took ${listMs.toFixed(0)} ms`);
    expect(listMs).toBeLessThan(1_000);
    expect(2_000 / seconds).toBeGreaterThan(250);
    expect((await room.drain(tasksQueue)).length).toBe(2_000);
  });
});

describe('a message of the outbox that was set aside', () => {
  const setAside = async (sequence: number, id: ReturnType<typeof orderId>) => {
    const message = {
      id: randomUUID(),
      occurredAtUtc: new Date().toISOString(),
      type: 'task.v1',
      payload: '{"url":"old"}',
      destination: 'queue:nobody.q',
      orderId: id,
      sequence,
      traceparent: '',
    };
    await room.store.transaction((tx) => tx.messages.add(message));
    await room.store.outbox.markFailed({
      id: message.id,
      error: 'unroutable for queue:nobody.q',
      setAsideAfter: 1,
    });
    return message.id;
  };
  const pending = async () => {
    const lease = { owner: 'relay', nowUtc: new Date().toISOString(), leaseMs: 60_000 };
    const partitions = await room.store.outbox.lease(lease);
    return room.store.outbox.pending({ owner: 'relay', partitions, limit: 10 });
  };

  it('looks the same, and a replay gives it to the relay again, edited', async () => {
    const id = await setAside(1, orderId(randomUUID()));
    await room.indexed(1);
    expect((await room.open())[0]).toMatchObject({ queue: 'outbox', messageId: id, reason: 'unroutable' });
    expect((await (await room.start({ patch: { url: 'new' } })).result()).settled).toBe(1);
    expect(await pending()).toMatchObject([{ id, attempts: 0, payload: '{"url":"new"}' }]);
    await room.store.outbox.markPublished({ ids: [id], publishedAtUtc: new Date().toISOString() });
  });

  it('is skipped by a discard: later messages of its order go on', async () => {
    const order = orderId(randomUUID());
    await setAside(1, order);
    await room.indexed(1);
    const id = randomUUID();
    const facts = { occurredAtUtc: new Date().toISOString(), type: 't', payload: '{}', traceparent: '' };
    await room.store.transaction((tx) =>
      tx.messages.add({ ...facts, id, destination: 'queue:nobody.q', orderId: order, sequence: 2 }),
    );
    expect(await pending()).toEqual([]);
    await (await room.start({ act: 'discard', reason: 'nobody needs it' })).result();
    expect((await pending()).map((row) => row.id)).toEqual([id]);
    await room.store.outbox.markPublished({ ids: [id], publishedAtUtc: new Date().toISOString() });
  });
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
