import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BulkAct, KeptMessage } from '../domain/dead-letters.ts';
import type { PublishAnswer } from '../ports/broker.ts';
import type { Store } from '../ports/store.ts';
import { connectStore } from '../compose/connect-store.ts';
import { createDeadLetterService } from './dead-letters-service.ts';
import { deadLetterOfMessage, identityOf, nthId } from './dead-letters-row.ts';

let folder: string;
let store: Store;
let nowUtc: string;
let sent: KeptMessage[];
let answer: (message: KeptMessage) => PublishAnswer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'order-saga-desk-'));
  store = await connectStore({ SQL_URL: `sqlite:${join(folder, 'orders.sqlite')}` });
  nowUtc = '2026-01-02T03:00:00.000Z';
  sent = [];
  answer = () => ({ status: 'confirmed' });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const deskOn = (on: Pick<Store, 'transaction' | 'read'> = store) =>
  createDeadLetterService({
    store: on,
    clock: { nowUtc: () => nowUtc },
    queues: {
      send: async ({ message }) => {
        sent.push(message);
        return answer(message);
      },
    },
  });

async function add(count: number): Promise<string[]> {
  const letters = Array.from({ length: count }, (_, n) => {
    const message = {
      queue: 'tasks.dlq',
      content: Buffer.from(JSON.stringify({ n, url: 'old' })),
      properties: { messageId: `m-${n}`, type: 'task.v1' },
      headers: { 'x-last-failed-at': '2026-01-02T02:00:00.000Z' },
    };
    return deadLetterOfMessage(
      message,
      nthId(
        identityOf(message, () => 0),
        0,
      ),
      nowUtc,
    );
  });
  await store.transaction(async (tx) => {
    for (const letter of letters) await tx.deadLetters.add(letter);
  });
  return letters.map(({ id }) => id);
}

const slice = (changes: Partial<BulkAct> = {}) => ({
  bulk: {
    replayId: 'r-1',
    act: 'replay' as const,
    filter: { failedUntilUtc: nowUtc },
    actor: 'ada',
    reason: 'mended',
    ...changes,
  },
  workflowId: 'w',
  runId: 'run',
});
const ids = () => sent.map(({ properties }) => properties.messageId ?? '').toSorted();
const urls = () =>
  sent.map(({ content }) => (JSON.parse(Buffer.from(content).toString()) as { url: string }).url);

it('sends after a crash between confirm and SQL the same edit once more, and nobody else can meanwhile', async () => {
  await add(3);
  let transactions = 0;
  const dying: Pick<Store, 'transaction' | 'read'> = {
    read: store.read,
    transaction: (work) => {
      transactions += 1;
      return transactions === 2 ? Promise.reject(new Error('killed')) : store.transaction(work);
    },
  };
  const edited = slice({ patch: { url: 'new' } });
  await expect(deskOn(dying).slice(edited)).rejects.toThrow('killed');
  expect(ids()).toEqual(['m-0', 'm-1', 'm-2']);

  expect((await deskOn().slice(slice({ replayId: 'r-2' }))).counts).toEqual({ settled: 0, left: 0, toGo: 0 });
  expect(sent.length).toBe(3);

  expect((await deskOn().slice(edited)).counts).toEqual({ settled: 3, left: 0, toGo: 0 });
  expect(ids()).toEqual(['m-0', 'm-0', 'm-1', 'm-1', 'm-2', 'm-2']);
  expect(new Set(urls())).toEqual(new Set(['new']));
  await deskOn().slice(edited);
  expect(sent.length).toBe(6);
});

it('settles what the broker confirmed, and asks for another attempt for the rest', async () => {
  await add(4);
  answer = ({ properties }) =>
    properties.messageId === 'm-2' ? { status: 'unavailable', reason: 'away' } : { status: 'confirmed' };
  await expect(deskOn().slice(slice())).rejects.toMatchObject({
    type: 'OutcomeUnknown',
    message: expect.stringMatching(/confirmed 3 of 4 .*tasks: away/) as string,
  });
  answer = () => ({ status: 'confirmed' });
  expect((await deskOn().slice(slice())).counts).toEqual({ settled: 4, left: 0, toGo: 0 });
  expect(ids()).toEqual(['m-0', 'm-1', 'm-2', 'm-2', 'm-3']);
});

it('takes over a claim whose replay was ended from outside, only after a quarter of an hour and only as it was', async () => {
  await add(1);
  answer = () => ({ status: 'unavailable', reason: 'away' });
  await expect(deskOn().slice(slice({ patch: { url: 'new' } }))).rejects.toThrow('away');
  answer = () => ({ status: 'confirmed' });
  const take = (replayId: string, patch?: unknown) =>
    store.transaction((tx) =>
      tx.deadLetters.claim({
        ids: known,
        replayId,
        ...(patch === undefined ? {} : { patch: JSON.stringify(patch) }),
        nowUtc,
        staleBeforeUtc: new Date(Date.parse(nowUtc) - 15 * 60_000).toISOString(),
      }),
    );
  const known = (
    await store.read.deadLetters.page({ filter: {}, states: ['replaying'], claimedBy: 'r-1', limit: 9 })
  ).map(({ id }) => id);
  expect(known.length).toBe(1);
  expect(await take('r-2')).toEqual([]);
  nowUtc = '2026-01-02T03:15:00.001Z';
  expect(await take('r-2', { url: 'other' })).toEqual([]);
  expect(await take('r-2')).toMatchObject([{ patch: { url: 'new' }, replayId: 'r-2' }]);
});

it('leaves what has no queue any more, says why, and goes on with the others', async () => {
  const [first = ''] = await add(2);
  answer = ({ properties }) =>
    properties.messageId === 'm-0' ? { status: 'unroutable', reason: 'NO_ROUTE' } : { status: 'confirmed' };
  expect((await deskOn().slice(slice())).counts).toEqual({ settled: 1, left: 1, toGo: 0 });
  expect(await store.read.deadLetters.find(first)).toMatchObject({
    state: 'open',
    replayError: 'there is no queue tasks: NO_ROUTE',
  });
});

it('does what it is asked for once more when a slice is repeated, and no more', async () => {
  await add(500);
  await deskOn().slice(slice());
  await deskOn().slice(slice());
  expect(new Set(ids()).size).toBe(500);
  expect(sent.length).toBe(500);
});
