import { setTimeout as sleep } from 'node:timers/promises';
import {
  bulkSubject,
  deadLetterSubject,
  outboxDeadLetters,
  type BulkAct,
  type BulkCounts,
  type BulkSlice,
  type DeadLetter,
  type DeadLetterCursor,
} from '../domain/dead-letters.ts';
import { TechnicalFailure } from '../domain/failures.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeadLetterService, DeadLetterQueues } from '../ports/dead-letters.ts';
import type { Store, StoreTransaction } from '../ports/store.ts';
import { editedContent } from './dead-letters-edit.ts';
import { replayOf } from './dead-letters-row.ts';

export interface DeadLetterServiceDeps {
  store: Pick<Store, 'transaction' | 'read'>;
  queues: Pick<DeadLetterQueues, 'send'>;
  clock: Clock;
  /** Length of one slice, milliseconds. Default 2,000. */
  sliceMs?: number;
}

const batchSize = 200;
/** After so long without a sign a claim may be taken over: its replay was ended from outside. */
const staleMs = 15 * 60_000;

type Delivered =
  { status: 'settled' } | { status: 'left'; reason: string } | { status: 'unknown'; reason: string };

/**
 * Replays and discards. A dead letter is claimed in SQL before anything is sent, with the edit it is sent with, and
 * only the claim's owner may send it: two replays never deliver one twice, nor the original and an edit. It is settled
 * after the broker's confirm; an attempt that died in between sends the same bytes under the same message id again.
 */
export function createDeadLetterService(deps: DeadLetterServiceDeps): DeadLetterService {
  const { store, queues, clock, sliceMs = 2_000 } = deps;

  async function work(slice: BulkSlice, ids: readonly string[]): Promise<void> {
    const { bulk } = slice;
    const nowUtc = clock.nowUtc();
    const claimed = await store.transaction((tx) =>
      tx.deadLetters.claim({
        ids,
        replayId: bulk.replayId,
        ...(bulk.patch === undefined ? {} : { patch: JSON.stringify(bulk.patch) }),
        nowUtc,
        staleBeforeUtc: new Date(Date.parse(nowUtc) - staleMs).toISOString(),
      }),
    );
    const ends = await Promise.all(
      claimed.map(async (letter) => ({ letter, delivered: await deliver(bulk.act, letter) })),
    );
    const sure = ends.filter(({ delivered }) => delivered.status !== 'unknown');
    await store.transaction(async (tx) => {
      for (const { letter, delivered } of sure) await settle({ tx, slice, letter, delivered });
    });
    const unknown = ends.find(({ delivered }) => delivered.status === 'unknown');
    if (unknown === undefined || unknown.delivered.status !== 'unknown') return;
    const { letter, delivered } = unknown;
    throw new TechnicalFailure(
      'OutcomeUnknown',
      `RabbitMQ confirmed ${sure.length} of ${ends.length} replays, not that of dead letter ${letter.id} to ` +
        `${letter.queue}: ${delivered.reason}`,
    );
  }

  async function deliver(act: BulkAct['act'], letter: DeadLetter): Promise<Delivered> {
    if (act === 'discard') return { status: 'settled' };
    const edited = editedContent(letter, letter.patch);
    if (!edited.ok) return { status: 'left', reason: `the edit does not fit: ${edited.reason}` };
    if (letter.queue === outboxDeadLetters) return { status: 'settled' };
    const answer = await queues.send({ queue: letter.queue, message: replayOf(letter, edited.content) });
    switch (answer.status) {
      case 'confirmed':
        return { status: 'settled' };
      case 'unavailable':
        return { status: 'unknown', reason: answer.reason };
      case 'unroutable':
        return { status: 'left', reason: `there is no queue ${letter.queue}: ${answer.reason}` };
      case 'refused':
        return { status: 'left', reason: `RabbitMQ does not take it: ${answer.reason}` };
    }
  }

  async function settle(input: {
    tx: StoreTransaction;
    slice: BulkSlice;
    letter: DeadLetter;
    delivered: Delivered;
  }): Promise<void> {
    const { tx, slice, letter, delivered } = input;
    const { act, replayId } = slice.bulk;
    const left = delivered.status === 'settled' ? undefined : delivered.reason;
    const state = left !== undefined ? 'open' : act === 'replay' ? 'replayed' : 'discarded';
    const nowUtc = clock.nowUtc();
    const replayError = left === undefined ? {} : { replayError: left };
    const isOurs = await tx.deadLetters.settle({ id: letter.id, replayId, state, ...replayError, nowUtc });
    if (!isOurs) return;
    if (letter.queue === outboxDeadLetters && left === undefined) await resumeOutbox(tx, act, letter);
    await tx.audit.append({
      ...whoAndWhen(slice),
      subject: deadLetterSubject(letter.id),
      from: 'open',
      to: state,
      reason: [slice.bulk.reason, editText(letter.patch), left].filter(Boolean).join('; '),
      causingEventId: letter.messageId,
    });
  }

  /** The relay publishes the row itself, in its place among the events of its order. */
  async function resumeOutbox(tx: StoreTransaction, act: BulkAct['act'], letter: DeadLetter): Promise<void> {
    const edited = editedContent(letter, letter.patch);
    const payload =
      letter.patch === undefined || !edited.ok ? {} : { payload: Buffer.from(edited.content).toString() };
    await tx.messages.resume({
      id: letter.messageId,
      act: act === 'replay' ? 'retry' : 'skip',
      ...payload,
      nowUtc: clock.nowUtc(),
    });
  }

  const whoAndWhen = ({ bulk, workflowId, runId }: BulkSlice) => ({
    actor: bulk.actor,
    step: bulk.act,
    workflowId,
    runId,
    occurredAtUtc: clock.nowUtc(),
  });

  async function countsAfter({ bulk }: BulkSlice, after: DeadLetterCursor | undefined): Promise<BulkCounts> {
    const done = await store.read.deadLetters.countReplay(bulk.replayId);
    const toGo = await store.read.deadLetters.count({ filter: bulk.filter, ...(after && { after }) });
    return { settled: done.settled, left: done.open, toGo };
  }

  return {
    async slice({ alive = () => {}, ...slice }) {
      const { filter, replayId, ratePerSecond } = slice.bulk;
      const startedAt = performance.now();
      const limit = Math.min(batchSize, Math.max(1, Math.ceil((ratePerSecond ?? Infinity) / 5)));
      let after = slice.after;
      for (let done = 0; done === 0 || performance.now() - startedAt < sliceMs;) {
        const place = after === undefined ? {} : { after };
        const page = await store.read.deadLetters.page({
          ...place,
          filter,
          states: ['open'],
          claimedBy: replayId,
          limit,
        });
        const last = page.at(-1);
        if (last === undefined) return { counts: { ...(await countsAfter(slice, after)), toGo: 0 } };
        await work(
          slice,
          page.map(({ id }) => id),
        );
        after = { lastFailedAtUtc: last.lastFailedAtUtc, id: last.id };
        done += page.length;
        alive();
        await sleep(waitMs(startedAt, done, ratePerSecond));
      }
      return { ...(after && { next: after }), counts: await countsAfter(slice, after) };
    },
    async note({ from, to, ...slice }) {
      const { bulk } = slice;
      await store.transaction((tx) =>
        tx.audit.append({
          ...whoAndWhen(slice),
          subject: bulkSubject(bulk.replayId),
          from,
          to,
          reason: [bulk.reason, filterText(bulk), editText(bulk.patch)].filter(Boolean).join('; '),
          causingEventId: '',
        }),
      );
    },
  };
}

const waitMs = (startedAt: number, done: number, ratePerSecond: number | undefined): number =>
  ratePerSecond === undefined
    ? 0
    : Math.max(0, startedAt + (done * 1_000) / ratePerSecond - performance.now());

/** Names of the changed fields only: their values may be personal data. */
function editText(patch: unknown): string {
  if (patch === undefined) return '';
  const names = typeof patch === 'object' && patch !== null ? Object.keys(patch) : [];
  return `edited: ${names.join(', ').slice(0, 200)}`;
}

function filterText({ filter }: BulkAct): string {
  const { ids, ...rest } = filter;
  const parts = Object.entries(rest).map(([name, value]) => `${name} ${String(value)}`);
  return [...(ids === undefined ? [] : [`${ids.length} by id`]), ...parts].join(', ');
}
