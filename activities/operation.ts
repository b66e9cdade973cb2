import { TechnicalFailure, type Refusal } from '../domain/failures.ts';
import type { OperationKey, OrderId } from '../domain/ids.ts';
import type { OrderRow, StoredOutcome, StoreTransaction } from '../ports/store.ts';
import type { ActivityDeps } from './deps.ts';
import { refusalFailure } from './failures.ts';
import { findOrder } from './transition.ts';

/**
 * The mechanism behind every step: an operation key leads to one effect and one answer, for good.
 *
 * A compensation's operation row is its step's tombstone: it is written before the compensation looks at anything, and
 * a forward attempt that finds it does nothing, or undoes what it has just done.
 */
export interface OperationName {
  key: OperationKey;
  orderId: OrderId;
  /** Shared by a step and its compensation; names the lock and the leases. */
  step: string;
  /** Key of the compensation whose row forbids this operation. Absent for compensations and steps without one. */
  tombstoneKey?: OperationKey;
}

export type Outcome<Result> = { done: Result } | { refused: Refusal };

/** Gives a stored or new outcome to the workflow: a value, or a business failure. */
export function deliver<Result>(outcome: Outcome<Result>): Result {
  if ('refused' in outcome) throw refusalFailure(outcome.refused);
  return outcome.done;
}

const compensated = (name: OperationName): Refusal => ({
  type: 'OperationCompensated',
  reason: `Operation ${name.key} was compensated before this attempt ended; nothing of it stands.`,
});

const tombstoned = async (tx: StoreTransaction, name: OperationName): Promise<boolean> =>
  name.tombstoneKey !== undefined && (await tx.operations.find(name.tombstoneKey)) !== undefined;

/**
 * A step that only touches SQL: look-up, effect, audit, event and answer in one transaction.
 * Run twice, at the same time or years later: the first one's answer. Killed anywhere: all or nothing.
 * Late after its compensation: OperationCompensated, nothing written.
 */
export async function runSqlOperation<Result>(
  deps: ActivityDeps,
  name: OperationName,
  work: (tx: StoreTransaction, order: OrderRow) => Promise<Outcome<Result>>,
): Promise<Result> {
  const outcome = await deps.store.transaction(async (tx): Promise<Outcome<Result>> => {
    const order = await findOrder(tx, name.orderId);
    const operation = await tx.operations.begin(name);
    if (operation.outcome) return operation.outcome as Outcome<Result>;
    if (await tombstoned(tx, name)) return { refused: compensated(name) };
    const result = await work(tx, order);
    await tx.operations.finish({ key: name.key, outcome: result as StoredOutcome });
    return result;
  });
  deps.bell.ring();
  return deliver(outcome);
}

/** One attempt of a provider step between its first and last transaction. */
export interface Attempt<Facts> {
  order: OrderRow;
  /** What `prepare` read or wrote. */
  facts: Facts;
  /** Milliseconds one request to the provider may take, so that all of them end inside the lease. */
  requestTimeoutMs: number;
  /**
   * Writes progress (a provider's id) before the next request. Rejects when a newer attempt has begun; when the
   * compensation has begun, takes back what `reference` names first.
   */
  save(reference: string | undefined, write: (tx: StoreTransaction) => Promise<void>): Promise<void>;
}

/** What the provider did. `reference` is the provider's id, by which the effect can be taken back. */
export type Settled<Effect> = { effect: Effect; reference: string } | { refused: Refusal };

export interface ProviderOperation<Result, Effect, Facts> {
  name: OperationName & { tombstoneKey: OperationKey };
  /** Time of one attempt; lock and lease outlast it. */
  attemptTimeoutMs: number;
  /** Most requests that one attempt makes, one after another. */
  requests: number;
  /** In the first transaction, before any request. */
  prepare(tx: StoreTransaction, order: OrderRow): Promise<Facts>;
  /** Talks to the provider until the outcome is known; throws a technical failure otherwise. No SQL but `save`. */
  settle(attempt: Attempt<Facts>): Promise<Settled<Effect>>;
  /** Writes the settled effect or refusal: state, audit row, event. */
  commit(tx: StoreTransaction, order: OrderRow, settled: Settled<Effect>): Promise<Outcome<Result>>;
  /**
   * Takes back an effect that landed after the tombstone and records it. `reference` names it where this attempt
   * knows it; otherwise what an earlier attempt stored. Idempotent, a no-op where there is nothing.
   */
  takeBack(reference: string | undefined): Promise<void>;
}

const SAFETY_MS = 1_000;

/**
 * A step that calls a provider: attempt begins in SQL -> lock -> provider, without a SQL connection -> one
 * transaction -> unlock.
 * Run twice: the stored answer. At the same time: the lock lets one through; without Redis the fence lets only the
 * newest attempt commit, and the provider's own keys or the stored id keep the effect single.
 * Killed between any two lines, or a lost reply: the next attempt asks the provider by the stored id.
 * Late after its compensation: the tombstone is found at the begin, at the next `save` or at the commit, and the
 * effect is taken back here.
 */
export async function runProviderOperation<Result, Effect, Facts>(
  deps: ActivityDeps,
  operation: ProviderOperation<Result, Effect, Facts>,
): Promise<Result> {
  const { name } = operation;
  const begun = await beginAttempt(deps, operation);
  if (begun.status === 'answered') return deliver(begun.outcome as Outcome<Result>);
  const lock = await deps.locks.acquire({
    name: lockName(name),
    ttlMs: operation.attemptTimeoutMs + SAFETY_MS,
  });
  try {
    if (lock.status === 'held') throw inProgress(name);
    const outcome =
      begun.status === 'tombstone'
        ? await takeBackLate(deps, operation, undefined)
        : await settleAttempt(deps, operation, begun);
    deps.bell.ring();
    return deliver(outcome);
  } catch (error) {
    if (begun.status === 'begun') await endAttempt(deps, name, begun.fence);
    throw error;
  } finally {
    if (lock.status === 'acquired') await lock.release();
  }
}

const lockName = ({ orderId, step }: OperationName): string => `operation:${step}:${orderId}`;

const inProgress = ({ key }: OperationName): TechnicalFailure =>
  new TechnicalFailure('OperationInProgress', `Operation ${key} is being worked on by another attempt`, {
    retryAfterMs: 250,
  });

const stale = (name: OperationName): TechnicalFailure =>
  new TechnicalFailure('StaleAttempt', `A newer attempt of ${name.key} has begun; that one settles it`);

type Begun<Facts> =
  | { status: 'answered'; outcome: StoredOutcome }
  | { status: 'tombstone' }
  | { status: 'begun'; fence: number; order: OrderRow; facts: Facts };

async function beginAttempt<Result, Effect, Facts>(
  deps: ActivityDeps,
  { name, attemptTimeoutMs, prepare }: ProviderOperation<Result, Effect, Facts>,
): Promise<Begun<Facts>> {
  return deps.store.transaction(async (tx): Promise<Begun<Facts>> => {
    const order = await findOrder(tx, name.orderId);
    if (await tombstoned(tx, name)) {
      const stored = await tx.operations.find(name.key);
      if (stored && !stored.outcome) return { status: 'tombstone' };
      return { status: 'answered', outcome: stored?.outcome ?? { refused: compensated(name) } };
    }
    const leaseUntilUtc = new Date(Date.parse(deps.clock.nowUtc()) + attemptTimeoutMs).toISOString();
    const { fence, outcome } = await tx.operations.begin({ ...name, leaseUntilUtc });
    if (outcome) return { status: 'answered', outcome };
    return { status: 'begun', fence, order, facts: await prepare(tx, order) };
  });
}

async function settleAttempt<Result, Effect, Facts>(
  deps: ActivityDeps,
  operation: ProviderOperation<Result, Effect, Facts>,
  begun: { fence: number; order: OrderRow; facts: Facts },
): Promise<Outcome<Result>> {
  const { name, attemptTimeoutMs, requests } = operation;
  const settled = await operation.settle({
    order: begun.order,
    facts: begun.facts,
    requestTimeoutMs: Math.max(100, Math.floor((attemptTimeoutMs * 0.9) / requests)),
    save: async (reference, write) => {
      const saved = await fenced(deps, name, begun.fence, async (tx) => {
        await write(tx);
        return { status: 'written' as const };
      });
      if (saved.status === 'stale') throw stale(name);
      if (saved.status === 'tombstone') throw deliverRefusal(await takeBackLate(deps, operation, reference));
    },
  });
  const committed = await fenced(deps, name, begun.fence, async (tx, order) => {
    const outcome = await operation.commit(tx, order, settled);
    await tx.operations.finish({ key: name.key, outcome: outcome as StoredOutcome });
    return { status: 'committed' as const, outcome };
  });
  switch (committed.status) {
    case 'committed':
      return committed.outcome;
    case 'answered':
      return committed.outcome as Outcome<Result>;
    case 'stale':
      throw stale(name);
    case 'tombstone':
      return takeBackLate(deps, operation, 'reference' in settled ? settled.reference : undefined);
  }
}

const deliverRefusal = ({ refused }: { refused: Refusal }) => refusalFailure(refused);

/** Runs `write` only while this attempt is the newest and no compensation has begun. */
function fenced<Written>(
  deps: ActivityDeps,
  name: OperationName,
  fence: number,
  write: (tx: StoreTransaction, order: OrderRow) => Promise<Written>,
): Promise<
  Written | { status: 'tombstone' } | { status: 'stale' } | { status: 'answered'; outcome: StoredOutcome }
> {
  return deps.store.transaction(async (tx) => {
    const order = await findOrder(tx, name.orderId);
    if (await tombstoned(tx, name)) return { status: 'tombstone' };
    const current = await tx.operations.find(name.key);
    if (current?.outcome) return { status: 'answered', outcome: current.outcome };
    if (current?.fence !== fence) return { status: 'stale' };
    return write(tx, order);
  });
}

/** Takes the late effect back and closes the operation, so that further attempts have nothing left to do. */
async function takeBackLate<Result, Effect, Facts>(
  deps: ActivityDeps,
  { name, takeBack }: ProviderOperation<Result, Effect, Facts>,
  reference: string | undefined,
): Promise<{ refused: Refusal }> {
  await takeBack(reference);
  const refused = compensated(name);
  await deps.store.transaction((tx) => tx.operations.finish({ key: name.key, outcome: { refused } }));
  return { refused };
}

/** The lease also ends by time: when this write fails, a compensation only waits a little longer. */
async function endAttempt(deps: ActivityDeps, { key }: OperationName, fence: number): Promise<void> {
  try {
    await deps.store.transaction((tx) => tx.operations.endLease({ key, fence }));
  } catch (error) {
    if (!(error instanceof TechnicalFailure)) throw error;
  }
}

export interface ProviderCompensation<Result, Facts> {
  name: OperationName;
  attemptTimeoutMs: number;
  /** What the step has left behind, read in the transaction that writes the tombstone. */
  read(tx: StoreTransaction, order: OrderRow): Promise<Facts>;
  /** Undoes it at the provider; idempotent there. */
  settle(facts: Facts, requestTimeoutMs: number): Promise<Facts>;
  commit(tx: StoreTransaction, order: OrderRow, facts: Facts): Promise<Result>;
}

/**
 * A compensation that calls a provider. Its operation row, written first, is the tombstone: no new forward attempt
 * begins. It then waits until no forward attempt can cause an effect any more (their leases have ended), and only
 * then asks the provider what there is to take back. A safe no-op where nothing happened.
 * Run twice or killed anywhere: the provider calls repeat under the same keys, the answer is stored once.
 */
export async function runProviderCompensation<Result, Facts>(
  deps: ActivityDeps,
  compensation: ProviderCompensation<Result, Facts>,
): Promise<Result> {
  const { name, attemptTimeoutMs } = compensation;
  const begun = await deps.store.transaction(async (tx) => {
    const order = await findOrder(tx, name.orderId);
    const operation = await tx.operations.begin(name);
    if (operation.outcome) return { outcome: operation.outcome as Outcome<Result> };
    const leased = await tx.operations.leased({
      orderId: name.orderId,
      step: name.step,
      nowUtc: deps.clock.nowUtc(),
    });
    return { leased: leased.length, facts: await compensation.read(tx, order) };
  });
  if ('outcome' in begun && begun.outcome) return deliver(begun.outcome);
  if (begun.leased > 0) throw inProgress(name);
  const lock = await deps.locks.acquire({ name: lockName(name), ttlMs: attemptTimeoutMs + SAFETY_MS });
  try {
    if (lock.status === 'held') throw inProgress(name);
    const facts = await compensation.settle(begun.facts, Math.max(100, Math.floor(attemptTimeoutMs / 6)));
    return await commitCompensation(deps, compensation, facts);
  } finally {
    if (lock.status === 'acquired') await lock.release();
  }
}

async function commitCompensation<Result, Facts>(
  deps: ActivityDeps,
  { name, commit }: ProviderCompensation<Result, Facts>,
  facts: Facts,
): Promise<Result> {
  const outcome = await deps.store.transaction(async (tx): Promise<Outcome<Result>> => {
    const order = await findOrder(tx, name.orderId);
    const current = await tx.operations.find(name.key);
    if (current?.outcome) return current.outcome as Outcome<Result>;
    const done = await commit(tx, order, facts);
    await tx.operations.finish({ key: name.key, outcome: { done } });
    return { done };
  });
  deps.bell.ring();
  return deliver(outcome);
}
