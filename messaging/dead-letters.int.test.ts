import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bulkSubject, deadLetterSubject } from '../domain/dead-letters.ts';
import { orderId } from '../domain/ids.ts';
import {
  startDeadLetterFixture,
  tasksQueue,
  type DeadLetterFixture,
} from '../test/support/dead-letter-fixture.ts';
import { until } from '../test/setup/saga-environment.ts';
import { getBulkProgress } from '../workflows/dead-letter-messages.ts';

const dlq = `${tasksQueue}.dlq`;
let fixture: DeadLetterFixture;
beforeAll(async () => {
  fixture = await startDeadLetterFixture();
});
afterAll(() => fixture.close());
/** What the broker dates only to the second counts as failed at its end. */
const soonUtc = () => new Date(Date.now() + 2_000).toISOString();
afterEach(async () => {
  await (await fixture.start({ act: 'discard', filter: { failedUntilUtc: soonUtc() } })).result();
  await until(
    () => fixture.depth(dlq),
    (depth) => depth === 0,
  );
  await fixture.drain(tasksQueue);
});

const messages = (count: number, changes: (n: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, n) => ({ messageId: randomUUID(), body: { n }, ...changes(n) }));

describe('the index', () => {
  it('tells the whole story of a dead letter, which stays in its queue', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await fixture.fail([
      {
        messageId: 'm-1',
        body: { a: 1 },
        headers: { traceparent, 'x-error': '550 <ada@example.com> unknown', 'x-reason': 'mail-refused' },
      },
    ]);
    await fixture.indexed(1);
    const [letter] = await fixture.open();
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
      () => fixture.depth(dlq),
      (depth) => depth === 1,
    );
    const whole = await fixture.read.find(letter?.id ?? '');
    expect(JSON.parse(Buffer.from(whole?.message.content ?? []).toString())).toEqual({ a: 1 });
  });

  it('groups by queue and kind of error, whatever numbers and ids the error names', async () => {
    await fixture.fail([
      ...messages(5),
      ...messages(2, () => ({
        headers: { 'x-reason': 'timeout', 'x-error': `no answer for ${randomUUID()}` },
      })),
    ]);
    await fixture.indexed(7);
    const groups = await fixture.read.groups({});
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
    await fixture.fail([copy ?? {}, copy ?? {}, nameless, nameless, nameless]);
    await fixture.indexed(4);
    await (await fixture.start()).result();
    await until(
      () => fixture.depth(dlq),
      (depth) => depth === 0,
    );
    expect((await fixture.drain(tasksQueue)).length).toBe(4);
  });

  it('takes a replay that failed again for another one, also when its consumer’s clock is behind', async () => {
    await fixture.fail([{ messageId: 'again' }]);
    await fixture.indexed(1);
    await (await fixture.start()).result();
    const [replayed] = await fixture.drain(tasksQueue);
    const headers = {
      'x-replay-of': replayed?.properties.headers?.['x-replay-of'],
      'x-last-failed-at': '2026-01-02T03:04:05.678Z',
    };
    await fixture.fail([{ messageId: 'again', headers }]);
    await fixture.indexed(1);
    expect((await fixture.open())[0]).toMatchObject({ messageId: 'again', state: 'open' });
  });

  it('knows what expired, by the broker’s own words', async () => {
    const queue = 'short-lived';
    await fixture.channel.assertQueue(queue, {
      arguments: { 'x-message-ttl': 20, 'x-dead-letter-exchange': 'dlx', 'x-dead-letter-routing-key': dlq },
    });
    fixture.channel.sendToQueue(queue, Buffer.from('{}'), { messageId: 'late' });
    await fixture.indexed(1);
    expect((await fixture.open())[0]).toMatchObject({ messageId: 'late', reason: 'expired', attempts: 1 });
    await fixture.channel.deleteQueue(queue);
  });

  it('finds dead-letter queues that other services declared', async () => {
    await fixture.channel.assertQueue('loyalty.points.q.dlq');
    fixture.channel.sendToQueue('loyalty.points.q.dlq', Buffer.from('not json'), { messageId: 'theirs' });
    await fixture.indexed(1, 15_000);
    expect((await fixture.open())[0]).toMatchObject({ queue: 'loyalty.points.q', messageId: 'theirs' });
    const replay = await (await fixture.start()).result();
    expect(replay).toMatchObject({ settled: 0, left: 1 });
    expect((await fixture.open())[0]?.replayError).toContain('there is no queue loyalty.points.q');
    await (await fixture.start({ act: 'discard' })).result();
    await until(
      () => fixture.depth('loyalty.points.q.dlq'),
      (depth) => depth === 0,
    );
    await fixture.channel.deleteQueue('loyalty.points.q.dlq');
  });
});

describe('a replay', () => {
  it('delivers what is wanted once, marked, under its own id, and empties the queue', async () => {
    await fixture.fail(messages(3));
    await fixture.indexed(3);
    const [first, second] = await fixture.open();
    const ids = [first?.id ?? '', second?.id ?? ''];
    const progress = await (
      await fixture.start({ filter: { ids, failedUntilUtc: new Date().toISOString() } })
    ).result();
    expect(progress).toMatchObject({ status: 'completed', settled: 2, left: 0, toGo: 0 });
    await until(
      () => fixture.depth(dlq),
      (depth) => depth === 1,
    );
    const got = await fixture.drain(tasksQueue);
    expect(got.map(({ properties }) => properties.messageId)).toEqual([first?.messageId, second?.messageId]);
    expect(got[0]?.properties).toMatchObject({
      type: 'task.v1',
      priority: 3,
      contentType: 'application/json',
    });
    expect(got[0]?.properties.headers).toMatchObject({ 'x-replay-of': first?.id, 'order-id': 'order-1' });
    expect(got[0]?.properties.headers).not.toHaveProperty('x-attempt');
    const [row] = await fixture.store.read.audit(deadLetterSubject(first?.id ?? ''));
    expect(row).toMatchObject({
      actor: 'ada',
      step: 'replay',
      from: 'open',
      to: 'replayed',
      reason: 'the cause is mended',
    });
  });

  it('never takes up what failed after its cutoff, nor its own messages when they fail again', async () => {
    await fixture.fail(messages(2));
    await fixture.indexed(2);
    const failedUntilUtc = new Date().toISOString();
    await sleep(5);
    await fixture.fail(messages(3));
    await fixture.indexed(5);
    const progress = await (await fixture.start({ filter: { failedUntilUtc } })).result();
    expect(progress.settled).toBe(2);
    const replayed = await fixture.drain(tasksQueue);
    await fixture.fail(
      replayed.map(({ properties }) => ({
        messageId: String(properties.messageId),
        headers: { 'x-replay-of': properties.headers?.['x-replay-of'] },
      })),
    );
    await fixture.indexed(5);
    expect((await (await fixture.start({ filter: { failedUntilUtc } })).result()).settled).toBe(0);
  });

  it('of one kind of failure leaves the others', async () => {
    await fixture.fail([...messages(3), ...messages(2, () => ({ headers: { 'x-reason': 'timeout' } }))]);
    await fixture.indexed(5);
    const group = (await fixture.read.groups({})).find(({ reason }) => reason === 'timeout');
    const failedUntilUtc = new Date().toISOString();
    const filter = { queue: tasksQueue, fingerprint: group?.fingerprint ?? '', failedUntilUtc };
    expect((await (await fixture.start({ filter })).result()).settled).toBe(2);
    expect((await fixture.open()).map(({ reason }) => reason)).toEqual(Array(3).fill('partner-error'));
  });

  it('delivers the edit and never the original, also when somebody else replays at the same time', async () => {
    await fixture.fail(messages(100, () => ({ body: { url: 'https://old.example', keep: 1 } })));
    await fixture.indexed(100);
    const acts = await Promise.all([
      fixture.start({ patch: { url: 'https://new.example' } }),
      fixture.start(),
      fixture.start({ patch: { url: 'https://other.example' } }),
    ]);
    const ends = await Promise.all(acts.map((act) => act.result()));
    expect(ends.reduce((sum, { settled }) => sum + settled, 0)).toBe(100);
    const got = await fixture.drain(tasksQueue);
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
    await fixture.fail([
      { messageId: randomUUID(), type: 'email.order-shipped.v1', body: task },
      { messageId: randomUUID(), body: { url: 'x' } },
    ]);
    await fixture.indexed(2);
    const progress = await (await fixture.start({ patch: { url: 'y' } })).result();
    expect(progress).toMatchObject({ settled: 1, left: 1 });
    const [letter] = await fixture.open();
    expect(letter?.replayError).toMatch(/the edit does not fit: orderId: expected/);
    const rows = await fixture.store.read.audit(deadLetterSubject(letter?.id ?? ''));
    expect(rows[0]).toMatchObject({ to: 'open', reason: expect.stringContaining('edited: url') as string });
  });

  it('keeps to its rate, shows progress and ends at a cancel without leaving anything claimed', async () => {
    await fixture.fail(messages(60));
    await fixture.indexed(60);
    const act = await fixture.start({ ratePerSecond: 20 });
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
    expect(await fixture.total()).toBe(60 - end.settled);
    expect((await fixture.drain(tasksQueue)).length).toBe(end.settled);
    const notes = await fixture.store.read.audit(bulkSubject(end.replayId));
    expect(notes.map(({ to }) => to.split(':')[0])).toEqual(['running', 'cancelled']);
  });

  it('moves 2,000 at hundreds a second, while the list answers in under a second', async () => {
    await fixture.fail(messages(2_000));
    await fixture.indexed(2_000);
    const startedAt = performance.now();
    const act = await fixture.start();
    const [, listMs] = await Promise.all([act.result(), timed(() => fixture.read.groups({}))]);
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(`2,000 replayed in ${seconds.toFixed(2)} s; the list took ${listMs.toFixed(0)} ms`);
    expect(listMs).toBeLessThan(1_000);
    expect(2_000 / seconds).toBeGreaterThan(250);
    expect((await fixture.drain(tasksQueue)).length).toBe(2_000);
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
    await fixture.store.transaction((tx) => tx.messages.add(message));
    await fixture.store.outbox.markFailed({
      id: message.id,
      error: 'unroutable for queue:nobody.q',
      setAsideAfter: 1,
    });
    return message.id;
  };
  const pending = async () => {
    const lease = { owner: 'relay', nowUtc: new Date().toISOString(), leaseMs: 60_000 };
    const partitions = await fixture.store.outbox.lease(lease);
    return fixture.store.outbox.pending({ owner: 'relay', partitions, limit: 10 });
  };

  it('looks the same, and a replay gives it to the relay again, edited', async () => {
    const id = await setAside(1, orderId(randomUUID()));
    await fixture.indexed(1);
    expect((await fixture.open())[0]).toMatchObject({ queue: 'outbox', messageId: id, reason: 'unroutable' });
    expect((await (await fixture.start({ patch: { url: 'new' } })).result()).settled).toBe(1);
    expect(await pending()).toMatchObject([{ id, attempts: 0, payload: '{"url":"new"}' }]);
    await fixture.store.outbox.markPublished({ ids: [id], publishedAtUtc: new Date().toISOString() });
  });

  it('is skipped by a discard: later messages of its order go on', async () => {
    const order = orderId(randomUUID());
    await setAside(1, order);
    await fixture.indexed(1);
    const id = randomUUID();
    const facts = { occurredAtUtc: new Date().toISOString(), type: 't', payload: '{}', traceparent: '' };
    await fixture.store.transaction((tx) =>
      tx.messages.add({ ...facts, id, destination: 'queue:nobody.q', orderId: order, sequence: 2 }),
    );
    expect(await pending()).toEqual([]);
    await (await fixture.start({ act: 'discard', reason: 'nobody needs it' })).result();
    expect((await pending()).map((row) => row.id)).toEqual([id]);
    await fixture.store.outbox.markPublished({ ids: [id], publishedAtUtc: new Date().toISOString() });
  });
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
