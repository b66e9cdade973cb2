import { TechnicalFailure, type Refusal } from '../domain/failures.ts';
import type { OperationKey, OrderId } from '../domain/ids.ts';
import { isEnded } from '../domain/order.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { ActivityDeps } from './deps.ts';
import { refusalFailure } from './failures.ts';
import { findOrder } from './transition.ts';
import type { Operation, OrderRow, StoredOutcome } from '../ports/store/orders.ts';

/**
 * The mechanism behind every step: an operation key leads to one effect and one answer, until its compensation: from
 * then on the answer is OperationCompensated, for good.
 *
 * A compensation's operation row is its step's tombstone: it is written before the compensation looks at anything, and
 * a forward attempt that finds it does nothing, or undoes what it has just done. It forbids the later steps as well: an
 * order whose walk back has begun never goes forward again, in whichever run (Temporal's reset starts another one).
 */
export interface OperationName {
  key: OperationKey;
  orderId: OrderId;
  /** Shared by a step and its compensation; names the lock and the leases. */
  step: string;
  /** Keys of the compensations whose rows forbid this operation. Absent for compensations and steps without one. */
  tombstoneKeys?: readonly OperationKey[];
  /** Begins only while the order is open: afterwards, without a stored answer, it answers OrderClosed. */
  untilEnd?: true;
}

export type Outcome<Result> = { done: Result } | { refused: Refusal };

/** Gives a stored or new outcome to the workflow: a value, or a business failure. */
export function deliver<Result>(outcome: Outcome<Result>): Result {
  if ('refused' in outcome) throw refusalFailure(outcome.refused);
  return outcome.done;
}

export const compensated = (name: OperationName): Refusal => ({
  type: 'OperationCompensated',
  reason: `Operation ${name.key} was compensated before this attempt ended; nothing of it stands.`,
});

export async function tombstoned(
  tx: StoreTransaction,
  { tombstoneKeys = [] }: OperationName,
): Promise<boolean> {
  for (const key of tombstoneKeys) if (await tx.operations.find(key)) return true;
  return false;
}

export const orderClosed = (id: OrderId, status: string): Refusal => ({
  type: 'OrderClosed',
  reason: `Order ${id} has already ended (${status}); a new order needs a new Idempotency-Key.`,
  details: { status },
});

/**
 * The answer of an operation that must not begin (again): the stored one, unless what it tells of was taken back since,
 * or OrderClosed. Undefined when it may begin, or when an attempt that has begun may have to be taken back.
 */
export async function answerBeforehand(
  tx: StoreTransaction,
  name: OperationName,
  { order, operation }: { order: OrderRow; operation: Operation | undefined },
): Promise<StoredOutcome | undefined> {
  const stored = operation?.outcome;
  const over = name.untilEnd && isEnded(order.status);
  const closed = { refused: orderClosed(name.orderId, order.status) };
  if (stored && 'done' in stored && (await tombstoned(tx, name))) {
    return over ? closed : { refused: compensated(name) };
  }
  if (stored || !over) return stored;
  return operation && (await tombstoned(tx, name)) ? undefined : closed;
}

/**
 * A step that only touches SQL: look-up, effect, audit, event and answer in one transaction.
 * Run twice, at the same time or years later: the first one's answer. Killed anywhere: all or nothing.
 * Late after its compensation: OperationCompensated, nothing written. After the order's end: see `untilEnd`.
 */
export async function runSqlOperation<Result>(
  deps: ActivityDeps,
  name: OperationName,
  work: (tx: StoreTransaction, order: OrderRow) => Promise<Outcome<Result>>,
): Promise<Result> {
  const outcome = await deps.store.transaction(async (tx): Promise<Outcome<Result>> => {
    const order = await findOrder(tx, name.orderId);
    const over = name.untilEnd && isEnded(order.status);
    const operation = over ? await tx.operations.find(name.key) : await tx.operations.begin(name);
    const answer = await answerBeforehand(tx, name, { order, operation });
    if (answer) return answer as Outcome<Result>;
    if (await tombstoned(tx, name)) return { refused: compensated(name) };
    const result = await work(tx, order);
    await tx.operations.finish({ key: name.key, outcome: result });
    return result;
  });
  deps.bell.ring();
  return deliver(outcome);
}

/** One attempt's time for its requests to a provider. */
interface AttemptTime {
  /** What the attempt belongs to, for the error: an operation's key. */
  key: string;
  attemptTimeoutMs: number;
  /** Most requests that one attempt makes, one after another. */
  requests: number;
  /** The attempt's begin, where that was before now. */
  startedMs?: number;
}

/**
 * What a provider's next request may take: an equal share of the attempt, never past its end. Asked right before each.
 * Throws when the time is over, as for a process that was stopped for a while: what it had read is old by then, and
 * nothing may be sent on the strength of it.
 */
export function requestTimes({ clock }: ActivityDeps, time: AttemptTime): () => number {
  const nowMs = () => Date.parse(clock.nowUtc());
  const { key, attemptTimeoutMs, requests, startedMs = nowMs() } = time;
  const shareMs = Math.max(100, Math.floor((attemptTimeoutMs * 0.9) / requests));
  return () => {
    const leftMs = startedMs + attemptTimeoutMs - nowMs();
    if (leftMs > 0) return Math.min(leftMs, shareMs);
    const message = `The time of this attempt of ${key} was over before its next request; nothing was sent`;
    throw new TechnicalFailure('StaleAttempt', message);
  };
}

const SAFETY_MS = 1_000;

/** Runs `work` under the lock of the step and order; without Redis just so. Rejects with OperationInProgress. */
export async function exclusively<T>(
  deps: ActivityDeps,
  name: OperationName,
  attemptTimeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const lockName = `operation:${name.step}:${name.orderId}`;
  const lock = await deps.locks.acquire({ name: lockName, ttlMs: attemptTimeoutMs + SAFETY_MS });
  if (lock.status === 'held') throw inProgress(name);
  try {
    return await work();
  } finally {
    if (lock.status === 'acquired') await lock.release();
  }
}

export const inProgress = ({ key }: OperationName): TechnicalFailure =>
  new TechnicalFailure('OperationInProgress', `Operation ${key} is being worked on by another attempt`, {
    retryAfterMs: 250,
  });
