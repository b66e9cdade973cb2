import { operationKeys, type OrderId } from '../../domain/ids.ts';
import { checkPaidOtherwise, owedOf } from '../../domain/owed.ts';
import {
  chargedMoney,
  checkRefund,
  refuseSameAmount,
  type PaymentSubject,
  type Refund,
  type RefundAnswer,
  type RefundRefusal,
  type RequestRefund,
} from '../../domain/refunds.ts';
import { isKeySpent, type ProviderRefund, type RefundRequested } from '../../ports/payment-gateway.ts';
import type { RefundRow } from '../../ports/refunds.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { runProviderOperation, type Attempt, type Settled } from '../provider-operation.ts';
import { knownThere, tellLateNews, type LateNews } from './late-news.ts';
import { placeOf } from '../order/order-place.ts';
import { recordRefunds, writeRefund } from './refund-records.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { PaymentRow } from '../../ports/store/money.ts';

/**
 * Reserves the amount of a refund, or says why not: from then on it counts as given back. An amount that went back within
 * 24 hours needs `confirmSameAmount`.
 * Idempotent by `refundId`: the row it has, whatever became of it; without a row it is judged anew, unless another refund
 * was asked for since it was refused. Concurrent refunds of one order are counted one after
 * another, under the order's row lock. Fails technically only.
 * One that was paid otherwise is settled here: the operator's word is all there is.
 * Writes: Refunds, Payments, AuditLog, in one transaction; nothing when refused.
 */
export const createRequestRefund =
  (deps: ActivityDeps) =>
  (wanted: RequestRefund): Promise<RefundAnswer> =>
    deps.store.transaction(async (tx): Promise<RefundAnswer> => {
      const order = await tx.orders.find(wanted.orderId);
      if (!order) return refused('nothing_charged', `Order ${wanted.orderId} is not recorded yet.`);
      const refunds = await tx.refunds.list(wanted.orderId);
      const known = refunds.find(({ refundId }) => refundId === wanted.refundId);
      if (known) return knownRefund(known, wanted);
      const since = changedSince(refunds, wanted);
      if (since) return since;
      const payments = await tx.payments.list(wanted.orderId);
      if (wanted.paidOtherwise) return recordPaid(deps, tx, { wanted, order, payments, refunds });
      const disputes = await tx.disputes.list(wanted.orderId);
      const { payment, ...money } = chargedMoney({ payments, refunds, disputes });
      const place = await placeOf(deps, tx, order);
      const judged = checkRefund({ orderId: order.orderId, ...place, ...money }, wanted.amount);
      if ('code' in judged) return refused(judged.code, judged.reason, deps.clock.nowUtc());
      const same = sameAmount(deps, refunds, { wanted, amount: judged.amount });
      if (same) return same;
      if (!payment) throw new Error(`Order ${order.orderId}: a refund was granted without a charge`);
      const { orderId, refundId, reason, actor, fingerprint } = wanted;
      const refund: RefundRow = {
        orderId,
        refundId,
        n: payment.n,
        state: 'requested',
        amount: judged.amount,
        reason,
        actor,
        requestedAtUtc: deps.clock.nowUtc(),
        fingerprint,
        keyNumber: 1,
      };
      await writeRefund(deps, tx, { order, payment, before: undefined, after: refund });
      return { status: 'taken', refund: viewOf(refund) };
    });

/** Counted under the order's row lock: of two requests for one amount at once, the second meets the first. */
function sameAmount(
  { clock }: ActivityDeps,
  refunds: readonly RefundRow[],
  { wanted, amount }: { wanted: RequestRefund; amount: RefundRow['amount'] },
): RefundAnswer | undefined {
  if (wanted.confirmSameAmount) return undefined;
  const nowUtc = clock.nowUtc();
  const same = refuseSameAmount(refunds, { orderId: wanted.orderId, amount, nowUtc });
  return same && refused(same.code, same.reason, nowUtc);
}

/** Nothing is sent: `refundPart` finds the row settled. */
async function recordPaid(
  deps: ActivityDeps,
  tx: StoreTransaction,
  {
    wanted,
    order,
    payments,
    refunds,
  }: { wanted: RequestRefund; order: OrderRow; payments: PaymentRow[]; refunds: RefundRow[] },
): Promise<RefundAnswer> {
  const { orderId, refundId, reason, actor, fingerprint } = wanted;
  const disputes = await tx.disputes.list(orderId);
  const judged = checkPaidOtherwise(
    owedOf({ status: order.status, payments, refunds, disputes }),
    wanted.amount,
  );
  if ('code' in judged) return refused(judged.code, judged.reason);
  const same = sameAmount(deps, refunds, { wanted, amount: judged.amount });
  if (same) return same;
  const payment = payments.find(({ n }) => n === judged.n);
  if (!payment) throw new Error(`Order ${orderId} owes from payment ${judged.n}, which it does not have`);
  const nowUtc = deps.clock.nowUtc();
  const paid: RefundRow = {
    orderId,
    refundId,
    n: judged.n,
    state: 'paid_otherwise',
    amount: judged.amount,
    reason,
    actor,
    requestedAtUtc: nowUtc,
    settledAtUtc: nowUtc,
    fingerprint,
    keyNumber: 1,
  };
  await writeRefund(deps, tx, { order, payment, before: undefined, after: paid });
  return { status: 'taken', refund: viewOf(paid) };
}

const refused = (code: RefundRefusal, reason: string, atUtc?: string): RefundAnswer => ({
  status: 'refused',
  code,
  reason,
  ...(atUtc ? { atUtc } : {}),
});

const knownRefund = (known: RefundRow, { fingerprint, orderId }: RequestRefund): RefundAnswer =>
  known.fingerprint === fingerprint
    ? { status: 'taken', refund: viewOf(known) }
    : refused('key_reused', `Order ${orderId} has another refund under the same key.`);

/**
 * Whoever repeats a refused request has not seen what another request has given back since: both would pay. It stays
 * refused under this id.
 */
function changedSince(
  refunds: readonly RefundRow[],
  { orderId, refusedAtUtc }: RequestRefund,
): RefundAnswer | undefined {
  if (refusedAtUtc === undefined) return undefined;
  const other = refunds.find(
    ({ fingerprint, requestedAtUtc }) => fingerprint !== '' && requestedAtUtc >= refusedAtUtc,
  );
  if (!other) return undefined;
  const reason = `Another refund of order ${orderId} was asked for at ${other.requestedAtUtc}, after this request had been refused: look at the order's refunds, then use a new key.`;
  return refused('changed_since', reason, refusedAtUtc);
}

const viewOf = ({ fingerprint: _, keyNumber: __, ...refund }: RefundRow): Refund => refund;

export interface RefundPart {
  orderId: OrderId;
  refundId: string;
  attemptTimeoutMs: number;
}

interface RefundFacts {
  row: RefundRow;
  payment: PaymentRow;
}

/** What an attempt has found out: the refund at the provider, its refusal, or that another has recorded it already. */
type Effect = { found: ProviderRefund } | { refusal: string } | { recorded: true };

/**
 * Gives a reserved amount back, once.
 * Idempotent by `refund-<orderId>-<refundId>`: every attempt looks at the charge's refunds for that key before it sends,
 * so that neither a lost reply nor a key that the provider has forgotten (after 24 h) refunds twice. A failure that is
 * stored under the provider's key is answered by a look-up and the next key number.
 * Beside the saga's own compensation: the provider never gives back more than the charge; whoever comes second is
 * refused there, and looks again. What the provider refuses ends as `failed`.
 * Takes at most `attemptTimeoutMs`. Fails technically only (retried without end).
 * Writes: Operations; Refunds, Payments, AuditLog, OutboxMessages(payment.refunded.v1 or refund.failed.v1), in one
 * transaction.
 */
export const createRefundPart =
  (deps: ActivityDeps) =>
  (input: RefundPart): Promise<Refund> => {
    const { orderId, refundId, attemptTimeoutMs } = input;
    return runProviderOperation<Refund, Effect, RefundFacts>(deps, {
      /* Also beside the compensation and after it: the provider bounds what both give back. */
      name: {
        key: operationKeys.refundOrder(orderId, refundId),
        orderId,
        step: 'payment',
        tombstoneKeys: [],
      },
      attemptTimeoutMs,
      landsLaterMs: 0,
      requests: 3,
      prepare: (tx) => readRefund(tx, input),
      settle: (attempt) => settleRefund(deps, attempt),
      commit: async (tx, order, settled) => ({
        done: await commitRefund(deps, tx, { input, order, settled }),
      }),
      takeBack: () =>
        Promise.reject(new Error(`Refund ${refundId} of order ${orderId} cannot be taken back`)),
    });
  };

async function readRefund(tx: StoreTransaction, { orderId, refundId }: RefundPart): Promise<RefundFacts> {
  const row = (await tx.refunds.list(orderId)).find((refund) => refund.refundId === refundId);
  const payment = row && (await tx.payments.find({ orderId, n: row.n }));
  if (row && payment) return { row, payment };
  throw new Error(
    `Refund ${refundId} of order ${orderId} is not in the store; expected requestRefund before`,
  );
}

async function settleRefund(deps: ActivityDeps, attempt: Attempt<RefundFacts>): Promise<Settled<Effect>> {
  const { row, payment } = attempt.facts;
  const { orderId, refundId, amount, keyNumber } = row;
  const reference = refundId;
  if (row.state !== 'requested') return { effect: { recorded: true }, reference };
  const { intentId = '' } = payment;
  const operationKey = operationKeys.refundOrder(orderId, refundId);
  const find = async () =>
    (await deps.payments.refunds({ intentId, timeoutMs: attempt.timeoutMs() })).find(
      (refund) => refund.operationKey === operationKey,
    );
  const there = await find();
  if (there) return { effect: { found: there }, reference };
  const request = { operationKey, orderId, intentId, amount, timeoutMs: attempt.timeoutMs() };
  const idempotencyKey = keyNumber === 1 ? operationKey : `${operationKey}-r${keyNumber}`;
  const answer = await deps.payments.refund({ idempotencyKey, ...request }).catch(async (error: unknown) => {
    if (!isKeySpent(error)) throw error;
    const landed = await find();
    if (landed) return { status: 'taken', refund: landed } satisfies RefundRequested;
    await attempt.save(undefined, (tx) => tx.refunds.put({ ...row, keyNumber: keyNumber + 1 }));
    throw error;
  });
  const effect = answer.status === 'taken' ? { found: answer.refund } : { refusal: answer.reason };
  return { effect, reference };
}

async function commitRefund(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { input, order, settled }: { input: RefundPart; order: OrderRow; settled: Settled<Effect> },
): Promise<Refund> {
  if ('refused' in settled) throw new Error(`Refund ${input.refundId}: ${settled.refused.reason}`);
  const { row, payment } = await readRefund(tx, input);
  const { effect } = settled;
  if ('found' in effect) await recordRefunds(deps, tx, { order, payment, refunds: [effect.found] });
  if ('refusal' in effect && row.state === 'requested') {
    const after: RefundRow = {
      ...row,
      state: 'failed',
      failure: effect.refusal,
      settledAtUtc: deps.clock.nowUtc(),
    };
    await writeRefund(deps, tx, { order, payment, before: row, after });
  }
  return viewOf((await readRefund(tx, input)).row);
}

export interface RecordPayment {
  subject: PaymentSubject;
  attemptTimeoutMs: number;
}

/**
 * Looks up a refund at the provider and records what it says now: that it arrived, or that it failed after all, or that
 * somebody made it at the provider's own desk. undefined for one of no order here.
 * Idempotent: a refund only goes forward. Fails technically only.
 * Writes: Refunds, Payments, AuditLog, OutboxMessages(payment.refunded.v1, refund.failed.v1), in one transaction.
 */
export const createRecordRefund =
  (deps: ActivityDeps) =>
  async ({ subject, attemptTimeoutMs }: RecordPayment): Promise<Refund | null> => {
    const ask = deps.payments.findRefund({ refundId: subject.id, timeoutMs: attemptTimeoutMs * 0.9 });
    const found = await knownThere(deps, subject, ask);
    if (!found) return null;
    const { refundId: id, status: state, failure: reason = '' } = found;
    const news = { ...found, kind: 'refund' as const, id, state, reason };
    const recorded = await inOrder(deps, news, (tx, { order, payment }) =>
      recordRefunds(deps, tx, { order, payment, refunds: [found] }),
    );
    const [row] = recorded ?? [];
    return row ? viewOf(row) : null;
  };

/**
 * Runs `work` with the order and payment that something at the provider belongs to; undefined when it is not ours, or of an
 * order or a payment that is not in the store, which is told.
 */
export async function inOrder<T>(
  deps: ActivityDeps,
  found: Omit<LateNews, 'orderId' | 'orderIsHere'> & { orderId?: OrderId },
  work: (tx: StoreTransaction, of: { order: OrderRow; payment: PaymentRow }) => Promise<T>,
): Promise<T | undefined> {
  const { orderId, intentId } = found;
  if (orderId === undefined) return undefined;
  const done = await deps.store.transaction(async (tx) => {
    const order = await tx.orders.find(orderId);
    const payment = order && (await tx.payments.list(orderId)).find((one) => one.intentId === intentId);
    if (order && payment) return work(tx, { order, payment });
    await tellLateNews(deps, tx, { ...found, orderId, orderIsHere: order !== undefined });
    return undefined;
  });
  deps.bell.ring();
  return done;
}
