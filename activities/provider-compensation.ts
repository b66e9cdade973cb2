import { isEnded } from '../domain/order.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { ActivityDeps } from './deps.ts';
import {
  deliver,
  exclusively,
  inProgress,
  orderClosed,
  requestTimes,
  type OperationName,
  type Outcome,
} from './operation.ts';
import { findOrder } from './transition.ts';
import type { OrderRow } from '../ports/store/orders.ts';

export interface ProviderCompensation<Result, Facts> {
  name: OperationName;
  attemptTimeoutMs: number;
  /** Most requests that one attempt makes for what `read` has found, one after another. */
  requests(facts: Facts): number;
  /** What the step has left behind, read in the transaction that writes the tombstone. */
  read(tx: StoreTransaction, order: OrderRow): Promise<Facts>;
  /**
   * Undoes it at the provider; idempotent there. `timeoutMs` is asked right before each request, and throws when the
   * attempt's time is over.
   */
  settle(facts: Facts, timeoutMs: () => number): Promise<Facts>;
  commit(tx: StoreTransaction, order: OrderRow, facts: Facts): Promise<Result>;
}

/**
 * A compensation that calls a provider. Its operation row, written first, is the tombstone: no new forward attempt
 * begins. It then waits until no forward attempt can cause an effect any more (their leases have ended), and only
 * then asks the provider what there is to take back. A safe no-op where nothing happened.
 * Run twice or killed anywhere: the provider calls repeat under the same keys, the answer is stored once. Stopped for
 * longer than its time: nothing more is sent, the next attempt looks anew.
 * After the order's end, without a stored answer: OrderClosed, and nothing is asked.
 */
export async function runProviderCompensation<Result, Facts>(
  deps: ActivityDeps,
  compensation: ProviderCompensation<Result, Facts>,
): Promise<Result> {
  const { name, attemptTimeoutMs } = compensation;
  const startedMs = Date.parse(deps.clock.nowUtc());
  const begun = await deps.store.transaction(async (tx) => {
    const order = await findOrder(tx, name.orderId);
    if (isEnded(order.status)) return { outcome: await answerAfterEnd<Result>(tx, name, order) };
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
  return exclusively(deps, name, attemptTimeoutMs, async () => {
    const requests = compensation.requests(begun.facts);
    const timeoutMs = requestTimes(deps, { key: name.key, attemptTimeoutMs, requests, startedMs });
    const facts = await compensation.settle(begun.facts, timeoutMs);
    return commitCompensation(deps, compensation, facts);
  });
}

/** Nothing of an ended order is taken back any more, whoever asks (a run that Temporal's reset started). */
async function answerAfterEnd<Result>(
  tx: StoreTransaction,
  name: OperationName,
  order: OrderRow,
): Promise<Outcome<Result>> {
  const stored = await tx.operations.find(name.key);
  return (stored?.outcome as Outcome<Result>) ?? { refused: orderClosed(order.orderId, order.status) };
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
