import { setTimeout as sleep } from 'node:timers/promises';
import { outboxDeadLetters } from '../domain/dead-letters.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeadLetterQueues, KnownDeadLetter, QueuedMessage } from '../ports/dead-letters.ts';
import type { Store } from '../ports/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import {
  deadLetterOfMessage,
  deadLetterOfOutbox,
  identityOf,
  nthId,
  type MessageIdentity,
} from './dead-letters-row.ts';

export interface DeadLetterIndexDeps {
  queues: DeadLetterQueues;
  store: Pick<Store, 'transaction' | 'read' | 'outbox'>;
  clock: Clock;
  logger: Logger;
  /** Pause between two looks at the queues' depths, milliseconds. Default 1,000. */
  lookMs?: number;
}

/** Messages of one queue that are looked at; what lies behind them is listed once they have left. */
const maximum = 100_000;
/** A queue that does not change is swept anyway so often: somebody may have taken one out and put one in. */
const sweepAnywayMs = 60_000;
/** A sweep hides the queue from others; then it leaves the queue alone for several times as long. */
const restFactor = 4;
const retentionMs = 30 * 24 * 3_600_000;

/**
 * Keeps the index of dead letters in SQL true to the queues, which keep the messages. A sweep takes all of a queue's
 * messages, adds those that the index does not have, lets those leave that were replayed or discarded, and puts the
 * rest back. So a message leaves its queue only after SQL says that its new delivery was confirmed, and a crash at any
 * moment leaves it there. Several may run side by side.
 */
export function startDeadLetterIndex(deps: DeadLetterIndexDeps): { close(): Promise<void> } {
  const { queues, store, clock, logger, lookMs = 1_000 } = deps;
  const closing = new AbortController();
  const looks = new Map<string, { kept: number; atMs: number; restUntilMs: number }>();
  let lastError = '';

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await look();
      await sleep(lookMs, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  async function look(): Promise<void> {
    try {
      await indexOutbox();
      const leaving = Map.groupBy(await store.read.deadLetters.leaving(), ({ queue }) => queue);
      // Rows of the outbox lie in no queue: settled is gone.
      await markLeft((leaving.get(outboxDeadLetters) ?? []).map(({ id }) => id));
      for (const queue of await queues.list()) {
        if (closing.signal.aborted) return;
        const ids = leaving.get(queue.replace(/\.dlq$/, ''))?.map(({ id }) => id) ?? [];
        if (await isDue(queue, ids.length > 0)) await sweep(queue, ids);
      }
      await purge();
      lastError = '';
    } catch (error) {
      const { message } = error as Error;
      if (message !== lastError) logger.warn({ err: error }, 'dead letters cannot be indexed; trying again');
      lastError = message;
    }
  }

  async function isDue(queue: string, someLeave: boolean): Promise<boolean> {
    const last = looks.get(queue);
    if (last !== undefined && performance.now() < last.restUntilMs) return false;
    const depth = await queues.depth(queue);
    if (depth === 0 && !someLeave) looks.delete(queue);
    if (someLeave) return true;
    if (depth === 0) return false;
    return last === undefined || depth !== last.kept || performance.now() - last.atMs > sweepAnywayMs;
  }

  async function sweep(queue: string, leaving: readonly string[]): Promise<void> {
    const startedAt = performance.now();
    const alike = new Map<string, number>();
    const occurrence = (look: string): number => {
      const n = alike.get(look) ?? 0;
      alike.set(look, n + 1);
      return n;
    };
    const left = new Set<string>();
    const result = await queues.sweep({
      queue,
      maximum,
      onPage: (page) => indexPage(page, { occurrence, left }),
    });
    const endedAt = performance.now();
    const restUntilMs = endedAt + restFactor * (endedAt - startedAt);
    looks.set(queue, { kept: result.kept, atMs: endedAt, restUntilMs });
    // What a whole sweep did not meet has left before. Should it turn up again, its state still says that it may go.
    if (result.complete) await markLeft(leaving.filter((id) => !left.has(id)));
    logger.debug({ queue, ...result }, 'dead-letter queue swept');
  }

  /** Says for each message whether it leaves. Leaving is noted before: noted too early, a message is listed once more; too late, it would be taken for its twin. */
  async function indexPage(
    page: readonly QueuedMessage[],
    sweeping: { occurrence: (look: string) => number; left: Set<string> },
  ): Promise<boolean[]> {
    const nowUtc = clock.nowUtc();
    const found = await resolve(page.map((message) => identityOf(message, sweeping.occurrence)));
    const news = found.flatMap(({ id, isNew }, index) => {
      const message = page[index];
      return isNew && message ? [deadLetterOfMessage(message, id, nowUtc)] : [];
    });
    await inBites(news, (some) =>
      tx(async (t) => {
        for (const letter of some) await t.deadLetters.add(letter);
      }),
    );
    const leaving = found.filter(({ leaves }) => leaves).map(({ id }) => id);
    await markLeft(leaving);
    for (const id of leaving) sweeping.left.add(id);
    return found.map(({ leaves }) => leaves);
  }

  /** Which dead letter each message is, whether the index lacks it, and whether its message may leave. */
  async function resolve(identities: readonly MessageIdentity[]): Promise<Resolved[]> {
    const resolved = identities.map((): Resolved => ({ id: '', isNew: true, leaves: false }));
    let open = identities.map((identity, index) => ({ identity, index }));
    for (let n = 0; open.length > 0; n += 1) {
      const ids = open.map(({ identity }) => nthId(identity, n));
      const known = new Map((await store.read.deadLetters.known(ids)).map((row) => [row.id, row]));
      open = open.filter(({ identity, index }) => {
        const id = nthId(identity, n);
        const row = known.get(id);
        if (row !== undefined && isAnother(identity, row)) return true;
        resolved[index] = { id, isNew: isNews(identity, row), leaves: row !== undefined && isSettled(row) };
        return false;
      });
    }
    return resolved;
  }

  async function indexOutbox(): Promise<void> {
    const rows = await store.outbox.setAside({ limit: 500 });
    if (rows.length === 0) return;
    const letters = rows.map((row) => deadLetterOfOutbox(row, clock.nowUtc()));
    const known = new Set(
      (await store.read.deadLetters.known(letters.map(({ id }) => id))).map(({ id }) => id),
    );
    await tx(async (t) => {
      for (const letter of letters) if (!known.has(letter.id)) await t.deadLetters.add(letter);
    });
  }

  const markLeft = (ids: readonly string[]) =>
    inBites(ids, (some) => tx((t) => t.deadLetters.markLeft({ ids: some, leftAtUtc: clock.nowUtc() })));

  async function purge(): Promise<void> {
    const settledBeforeUtc = new Date(Date.parse(clock.nowUtc()) - retentionMs).toISOString();
    await tx((t) => t.deadLetters.purge({ settledBeforeUtc, limit: 200 }));
  }

  const tx = store.transaction;
  const running = run();
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}

const biteSize = 200;

/** In transactions short enough that others get their turn. */
async function inBites<T>(all: readonly T[], act: (some: readonly T[]) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < all.length; start += biteSize) await act(all.slice(start, start + biteSize));
}

interface Resolved {
  id: string;
  isNew: boolean;
  leaves: boolean;
}

const isSettled = ({ state }: KnownDeadLetter): boolean => state === 'replayed' || state === 'discarded';

/** A settled one that failed once more since, or the twin without an id of one that has left. */
function isAnother({ isNamed, failedAtUtc }: MessageIdentity, row: KnownDeadLetter): boolean {
  if (!isSettled(row)) return false;
  return isNamed ? failedAtUtc !== undefined && failedAtUtc > row.lastFailedAtUtc : row.left;
}

const isNews = ({ failedAtUtc }: MessageIdentity, row: KnownDeadLetter | undefined): boolean =>
  row === undefined ||
  (row.state === 'open' && failedAtUtc !== undefined && failedAtUtc > row.lastFailedAtUtc);
