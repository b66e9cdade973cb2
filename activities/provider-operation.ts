import { ApplicationFailure } from '@temporalio/common';
import { TechnicalFailure, type Refusal } from '../domain/failures.ts';
import type { OperationKey } from '../domain/ids.ts';
import { withoutQuotes } from '../domain/quotes.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { ActivityDeps } from './deps.ts';
import { refusalFailure } from './failures.ts';
import {
  answerBeforehand,
  compensated,
  deliver,
  exclusively,
  inProgress,
  requestTimes,
  tombstoned,
  type OperationName,
  type Outcome,
} from './operation.ts';
import { findOrder } from './transition.ts';
import { unquoted } from './unquoted.ts';
import type { OrderRow, StoredOutcome } from '../ports/store/orders.ts';

/** One attempt of a provider step between its first and last transaction. */
export interface Attempt<Facts> {
  order: OrderRow;
  /** What `prepare` read or wrote. */
  facts: Facts;
  /** Until then an earlier attempt may still cause effects; absent when its lease has ended. */
  earlierUntilUtc?: string;
  /**
   * Milliseconds the next request to the provider may take, so that all of them end inside the lease; asked right before
   * each. Throws when the attempt's time is over (a process that was stopped for a while): nothing may be sent then.
   */
  timeoutMs(): number;
  /**
   * Writes progress (a provider's id) before the next request. Rejects when a newer attempt has begun or has answered;
   * when the compensation has begun, takes back what `reference` names first.
   */
  save(reference: string | undefined, write: (tx: StoreTransaction) => Promise<void>): Promise<void>;
}

/** What the provider did. `reference` is the provider's id, by which the effect can be taken back. */
export type Settled<Effect> = { effect: Effect; reference: string } | { refused: Refusal };

export interface ProviderOperation<Result, Effect, Facts> {
  name: OperationName & { tombstoneKeys: readonly OperationKey[] };
  /** Time of one attempt; lock and lease outlast it. */
  attemptTimeoutMs: number;
  /**
   * How long after an attempt's end a request that was never answered may still take effect. The compensation waits
   * that long before it believes that there is nothing. 0 where the compensation makes a late effect impossible.
   */
  landsLaterMs: number;
  /** An attempt that causes no effect which its compensation would have to wait for needs no lease of its own. */
  harmless?(facts: Facts): boolean;
  /** Most requests that one attempt makes, one after another. */
  requests: number | ((facts: Facts) => number);
  /**
   * In the first transaction, before any request. What it throws leaves nothing of the attempt. `overlaps`: an earlier
   * attempt may still cause effects.
   */
  prepare(tx: StoreTransaction, order: OrderRow, overlaps: boolean): Promise<Facts>;
  /** Talks to the provider until the outcome is known; throws a technical failure otherwise. No SQL but `save`. */
  settle(attempt: Attempt<Facts>): Promise<Settled<Effect>>;
  /** Writes the settled effect or refusal: state, audit row, event. */
  commit(tx: StoreTransaction, order: OrderRow, settled: Settled<Effect>): Promise<Outcome<Result>>;
  /**
   * Takes back an effect that landed after the tombstone and records it. `reference` names it where this attempt
   * knows it; otherwise what an earlier attempt stored. Idempotent, a no-op where there is nothing.
   */
  takeBack(reference: string | undefined): Promise<void>;
  /** Undoes this attempt's own effect where another one is the stored answer (a person's reference was faster). */
  overtaken?(reference: string): Promise<void>;
}

/**
 * A step that calls a provider: lock -> attempt begins in SQL -> provider, without a SQL connection -> one transaction
 * -> unlock. The lock comes first, so that an attempt which finds it held disturbs neither fence nor lease of the other.
 * Run twice: the stored answer. At the same time: the lock lets one through; without Redis the fence lets only the
 * newest attempt commit, and the provider's own keys or the stored id keep the effect single.
 * Killed between any two lines, or a lost reply: the next attempt asks the provider by the stored id. A refusal of any but
 * the first attempt is `unsettled`: it says nothing of the earlier ones, so the compensation stays.
 * Late after its compensation, or an earlier step's: the tombstone is found at the begin, at the next `save` or at the
 * commit, and the effect is taken back here.
 */
export async function runProviderOperation<Result, Effect, Facts>(
  deps: ActivityDeps,
  operation: ProviderOperation<Result, Effect, Facts>,
): Promise<Result> {
  const { name, attemptTimeoutMs } = operation;
  const outcome = await exclusively(deps, name, attemptTimeoutMs, async () => {
    const begun = await beginAttempt(deps, operation);
    if (begun.status === 'answered') return begun.outcome as Outcome<Result>;
    if (begun.status === 'tombstone') return takeBackLate(deps, operation, {});
    return endingLease(deps, operation, begun, () => settleAttempt(deps, operation, begun));
  });
  deps.bell.ring();
  return deliver(outcome);
}

const stale = (name: OperationName): TechnicalFailure =>
  new TechnicalFailure('StaleAttempt', `A newer attempt of ${name.key} has begun; that one settles it`);

interface Begun<Facts> {
  fence: number;
  /** By the same clock as the lease. */
  startedMs: number;
  /** An earlier attempt may still cause effects: its lease goes on under this one's. */
  overlaps: boolean;
  earlierUntilMs: number;
  order: OrderRow;
  facts: Facts;
}

type Beginning<Facts> =
  | { status: 'answered'; outcome: StoredOutcome }
  | { status: 'tombstone' }
  | ({ status: 'begun' } & Begun<Facts>);

const nowMs = ({ clock }: ActivityDeps): number => Date.parse(clock.nowUtc());

async function beginAttempt<Result, Effect, Facts>(
  deps: ActivityDeps,
  operation: ProviderOperation<Result, Effect, Facts>,
): Promise<Beginning<Facts>> {
  const { name } = operation;
  const startedMs = nowMs(deps);
  return deps.store.transaction(async (tx): Promise<Beginning<Facts>> => {
    const order = await findOrder(tx, name.orderId);
    const stored = await tx.operations.find(name.key);
    const answer = await answerBeforehand(tx, name, { order, operation: stored });
    if (answer) return { status: 'answered', outcome: answer };
    const earlierUntilMs = Date.parse(stored?.leaseUntilUtc ?? '') || 0;
    const overlaps = earlierUntilMs > nowMs(deps);
    if (await tombstoned(tx, name)) {
      if (!stored) return { status: 'answered', outcome: { refused: compensated(name) } };
      if (overlaps) throw inProgress(name);
      return { status: 'tombstone' };
    }
    const facts = await operation.prepare(tx, order, overlaps);
    const untilMs = startedMs + operation.attemptTimeoutMs;
    const ownMs = operation.harmless?.(facts) ? 0 : untilMs + operation.landsLaterMs;
    const leaseUntilUtc = new Date(Math.max(ownMs, earlierUntilMs)).toISOString();
    const { fence } = await tx.operations.begin({ ...name, leaseUntilUtc });
    return { status: 'begun', fence, startedMs, overlaps, earlierUntilMs, order, facts };
  });
}

async function settleAttempt<Result, Effect, Facts>(
  deps: ActivityDeps,
  operation: ProviderOperation<Result, Effect, Facts>,
  begun: Begun<Facts>,
): Promise<Outcome<Result>> {
  const { name, attemptTimeoutMs, requests: most } = operation;
  const { startedMs } = begun;
  const requests = typeof most === 'number' ? most : most(begun.facts);
  const timeoutMs = requestTimes(deps, { key: name.key, attemptTimeoutMs, requests, startedMs });
  const { order: asked } = begun;
  const settling = operation.settle({
    order: asked,
    facts: begun.facts,
    ...(begun.overlaps ? { earlierUntilUtc: new Date(begun.earlierUntilMs).toISOString() } : {}),
    timeoutMs,
    save: async (reference, write) => {
      const saved = await fenced(deps, name, begun.fence, async (tx) => {
        await write(tx);
        return { status: 'written' as const };
      });
      if (saved.status === 'tombstone') {
        const leaveOpen = begun.overlaps || !saved.newest;
        throw deliverRefusal(await takeBackLate(deps, operation, { reference, leaveOpen }));
      }
      if (saved.status !== 'written') throw stale(name);
    },
  });
  const answer = unquotedRefusal(await unquoted(asked, settling), asked);
  const settled = begun.fence > 1 ? unsettled(answer) : answer;
  const committed = await fenced(deps, name, begun.fence, async (tx, order) => {
    const outcome = await operation.commit(tx, order, settled);
    await tx.operations.finish({ key: name.key, outcome });
    return { status: 'committed' as const, outcome };
  });
  switch (committed.status) {
    case 'committed':
      return committed.outcome;
    case 'answered':
      if ('reference' in settled) await operation.overtaken?.(settled.reference);
      return committed.outcome as Outcome<Result>;
    case 'stale':
      throw stale(name);
    case 'tombstone':
      return takeBackLate(deps, operation, {
        reference: 'reference' in settled ? settled.reference : undefined,
        leaveOpen: begun.overlaps || !committed.newest,
      });
  }
}

const unquotedRefusal = <Effect>(answer: Settled<Effect>, order: OrderRow): Settled<Effect> =>
  'refused' in answer
    ? { ...answer, refused: { ...answer.refused, reason: withoutQuotes(answer.refused.reason, order) } }
    : answer;

/** An attempt before this one was not answered: what it asked for may have happened, or may happen yet. */
const unsettled = <Effect>(answer: Settled<Effect>): Settled<Effect> =>
  'refused' in answer ? { ...answer, refused: { ...answer.refused, unsettled: true } } : answer;

const deliverRefusal = ({ refused }: { refused: Refusal }) => refusalFailure(refused);

/** Runs `write` only while this attempt is the newest and no compensation has begun. */
function fenced<Written>(
  deps: ActivityDeps,
  name: OperationName,
  fence: number,
  write: (tx: StoreTransaction, order: OrderRow) => Promise<Written>,
): Promise<
  | Written
  | { status: 'tombstone'; newest: boolean }
  | { status: 'stale' }
  | { status: 'answered'; outcome: StoredOutcome }
> {
  return deps.store.transaction(async (tx) => {
    const order = await findOrder(tx, name.orderId);
    const current = await tx.operations.find(name.key);
    if (await tombstoned(tx, name)) return { status: 'tombstone', newest: current?.fence === fence };
    if (current?.outcome) return { status: 'answered', outcome: current.outcome };
    if (current?.fence !== fence) return { status: 'stale' };
    return write(tx, order);
  });
}

/**
 * Takes the late effect back and closes the operation, so that further attempts have nothing left to do. Beside another
 * attempt that may still cause effects it is left open: that one's lease must not end.
 */
async function takeBackLate<Result, Effect, Facts>(
  deps: ActivityDeps,
  { name, takeBack }: ProviderOperation<Result, Effect, Facts>,
  { reference, leaveOpen = false }: { reference?: string | undefined; leaveOpen?: boolean },
): Promise<{ refused: Refusal }> {
  await takeBack(reference);
  const refused = compensated(name);
  if (!leaveOpen) {
    await deps.store.transaction((tx) => tx.operations.finish({ key: name.key, outcome: { refused } }));
  }
  return { refused };
}

/**
 * Ends the lease of an attempt that failed, unless something of it, or of an earlier attempt, may still take effect:
 * then the lease ends by time.
 */
async function endingLease<Result, Effect, Facts>(
  deps: ActivityDeps,
  { name, landsLaterMs }: ProviderOperation<Result, Effect, Facts>,
  { fence, overlaps }: Begun<Facts>,
  work: () => Promise<Outcome<Result>>,
): Promise<Outcome<Result>> {
  try {
    return await work();
  } catch (error) {
    const mayLand = overlaps || (landsLaterMs > 0 && !isSettled(error));
    if (!mayLand) await endLease(deps, name.key, fence);
    throw error;
  }
}

/** Failures after which no request of the attempt can still be under way. */
const isSettled = (error: unknown): boolean =>
  error instanceof TechnicalFailure ? error.type !== 'OutcomeUnknown' : error instanceof ApplicationFailure;

/** When this write fails, a compensation only waits a little longer. */
async function endLease(deps: ActivityDeps, key: OperationKey, fence: number): Promise<void> {
  try {
    await deps.store.transaction((tx) => tx.operations.endLease({ key, fence }));
  } catch (error) {
    if (!(error instanceof TechnicalFailure)) throw error;
  }
}
