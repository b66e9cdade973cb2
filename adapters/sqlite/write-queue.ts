import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { TechnicalFailure } from '../../domain/failures.ts';
import type { Connection } from './connection.ts';
import { isBusy, isOutcomeUnknown } from './errors.ts';
import type { Scope } from './transaction.ts';

/** How long a transaction waits for the database's write lock, in milliseconds, before it is refused. */
const patienceMs = 1_500;
/** Most transactions behind one another in one commit: what the event loop has to wait for. */
const largestGroup = 32;

type Work<Writer> = (writer: Writer, scope: Scope) => unknown;

interface Job<Writer> {
  work: Work<Writer>;
  askedAtMs: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Outcome = { value: unknown } | { error: unknown };

/**
 * The one line in which all writes of a connection wait. What waits when the lock is got is committed as one group with
 * one sync to disk: each transaction behind a savepoint of its own, so a failing one takes back only itself, and no
 * promise resolves before the group is durable.
 */
export function createWriteQueue<Writer extends { connection: Connection }>(deps: {
  /** The writer, opened anew when need be; throws StoreUnavailable. */
  writer: () => Writer;
  /** Told about every error of the database itself. */
  onError: (error: unknown) => void;
  /** Seconds from being asked for to being durable, for each transaction. */
  onTransaction?: ((seconds: number) => void) | undefined;
  /** Whether the one connection is at work, and how many wait for it; after each change. */
  onPool?: ((state: { size: number; inUse: number; waiting: number }) => void) | undefined;
  /** Seconds from asking for a transaction until its group began, or until it was refused. */
  onAcquire?: ((seconds: number, result: 'acquired' | 'refused') => void) | undefined;
  groupSize?: number;
}) {
  const { groupSize = largestGroup } = deps;
  let waiting: Job<Writer>[] = [];
  let draining: Promise<void> | undefined;

  async function drain(): Promise<void> {
    for (let attempt = 0; waiting.length > 0;) {
      // Once per turn of the event loop: gathers what this turn asks for and lets input and output in between.
      await nextTurn();
      const begun = begin();
      if (begun) {
        attempt = 0;
        await commitGroup(begun);
      } else if (waiting.length > 0) {
        await sleep(pauseMs((attempt += 1)));
      }
    }
    draining = undefined;
    deps.onPool?.({ size: 1, inUse: 0, waiting: 0 });
  }

  /** Undefined while the lock is held elsewhere, and after all waiting jobs had to be refused. */
  function begin(): Writer | undefined {
    try {
      const writer = deps.writer();
      writer.connection.run('BEGIN IMMEDIATE');
      return writer;
    } catch (error) {
      const refuseAll = !isBusy(error);
      if (refuseAll) deps.onError(error);
      refuse((job) => refuseAll || performance.now() - job.askedAtMs > patienceMs, error);
      return undefined;
    }
  }

  function refuse(which: (job: Job<Writer>) => boolean, error: unknown): void {
    const refused = waiting.filter(which);
    waiting = waiting.filter((job) => !refused.includes(job));
    for (const job of refused) {
      deps.onAcquire?.(secondsSince(job.askedAtMs), 'refused');
      job.reject(error);
    }
    deps.onPool?.({ size: 1, inUse: 0, waiting: waiting.length });
  }

  async function commitGroup(writer: Writer): Promise<void> {
    const group = waiting.splice(0, groupSize);
    for (const job of group) deps.onAcquire?.(secondsSince(job.askedAtMs), 'acquired');
    deps.onPool?.({ size: 1, inUse: 1, waiting: waiting.length });
    const outcomes: Outcome[] = [];
    try {
      for (const job of group) outcomes.push(await runJob(writer, job, group.length === 1));
      if (writer.connection.inTransaction()) commit(writer.connection);
    } catch (error) {
      rollBack(writer.connection);
      deps.onError(error);
      for (const job of group) job.reject(error);
      return;
    }
    group.forEach((job, index) => settle(job, outcomes[index] as Outcome));
  }

  function settle(job: Job<Writer>, outcome: Outcome): void {
    if ('error' in outcome) return job.reject(outcome.error);
    job.resolve(outcome.value);
    deps.onTransaction?.(secondsSince(job.askedAtMs));
  }

  return {
    run<T>(work: (writer: Writer, scope: Scope) => T | Promise<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        waiting.push({
          // Keeps the caller's asynchronous context (activity, trace) although the queue calls it.
          work: AsyncLocalStorage.bind(work),
          askedAtMs: performance.now(),
          resolve,
          reject,
        });
        draining ??= drain();
      });
    },
    /** Resolves when nothing waits any more. */
    idle: async (): Promise<void> => draining,
  };
}

const secondsSince = (ms: number): number => (performance.now() - ms) / 1_000;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** 5 to 100 ms, doubling, half of it by chance so that processes do not knock in step. */
const pauseMs = (attempt: number): number => {
  const upTo = Math.min(100, 5 * 2 ** attempt);
  return upTo / 2 + Math.random() * (upTo / 2);
};

/** Runs one job. Throws only where the whole group is lost; alone it needs no savepoint. */
async function runJob<Writer extends { connection: Connection }>(
  writer: Writer,
  job: Job<Writer>,
  alone: boolean,
): Promise<Outcome> {
  const { connection } = writer;
  const scope: Scope = { ended: false, broken: undefined };
  if (!alone) connection.run('SAVEPOINT Job');
  const outcome = await outcomeOf(job, writer, scope);
  scope.ended = true;
  const failed = 'error' in outcome;
  if (scope.broken || !connection.inTransaction()) {
    throw scope.broken ?? lostTransaction(failed ? outcome.error : undefined);
  }
  if (failed && alone) connection.run('ROLLBACK');
  if (failed && !alone) connection.run('ROLLBACK TO Job');
  if (!alone) connection.run('RELEASE Job');
  return outcome;
}

/** The work's result; an error when it is not there by the next turn of the event loop. */
function outcomeOf<Writer>(job: Job<Writer>, writer: Writer, scope: Scope): Promise<Outcome> {
  return new Promise((resolve) => {
    const watchdog = setImmediate(() => resolve({ error: new Error(awaitedElsewhere) }));
    const end = (outcome: Outcome) => {
      clearImmediate(watchdog);
      resolve(outcome);
    };
    const run = async () => job.work(writer, scope);
    run().then(
      (value) => end({ value }),
      (error: unknown) => end({ error }),
    );
  });
}

/** A failed sync leaves it open whether the commit is on the disk: the operation key tells on the next attempt. */
function commit(connection: Connection): void {
  try {
    connection.run('COMMIT');
  } catch (error) {
    throw isOutcomeUnknown(error) ? outcomeUnknown(error) : error;
  }
}

const outcomeUnknown = (cause: unknown) =>
  new TechnicalFailure(
    'OutcomeUnknown',
    `The commit may or may not be on the disk (${(cause as Error).message}); the operation key tells on the next attempt`,
    { cause },
  );

function rollBack(connection: Connection): void {
  try {
    if (connection.inTransaction()) connection.run('ROLLBACK');
  } catch {
    // The reason for the roll-back is what the caller has to hear; the connection is opened anew.
  }
}

/** SQLite ends a transaction by itself when the disk is full or fails; the reason is the error of the job, if any. */
const lostTransaction = (reason: unknown): TechnicalFailure =>
  reason instanceof TechnicalFailure
    ? reason
    : new TechnicalFailure('StoreUnavailable', 'SQLite rolled the transaction back by itself; try again');

const awaitedElsewhere =
  'transaction(work): work awaited something else than tx (a timer, a file, a provider) while the write lock was held; ' +
  'it was rolled back. Do that before or after the transaction';
