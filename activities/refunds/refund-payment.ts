import type { EventFacts } from '../../domain/events.ts';
import { TechnicalFailure } from '../../domain/failures.ts';
import { operationKeys, type OrderId } from '../../domain/ids.ts';
import { sumMinor, type Money } from '../../domain/money.ts';
import type { Dispute } from '../../domain/refunds.ts';
import { isKeySpent, type ProviderDispute, type ProviderRefund } from '../../ports/payment-gateway.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import {
  closeIntent,
  closingRequests,
  numbered,
  takeNextKey,
  type IntentOf,
} from '../payment/close-intent.ts';
import type { ActivityDeps } from '../deps.ts';
import { runProviderCompensation } from '../provider-compensation.ts';
import { recordDisputes } from './record-dispute.ts';
import { recordRefunds, writeDebt } from './refund-records.ts';
import { writeTransition } from '../transition.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { PaymentRow } from '../../ports/store/money.ts';

/** A payment of the order, what the provider says went back from it, and what it could not give back. */
export interface TakenBack extends GivenBack {
  payment: PaymentRow;
}

/** What the provider says about one charge after it was asked to give back what is left. */
export interface GivenBack {
  /** All refunds of the charge, newest first. */
  refunds: readonly ProviderRefund[];
  /** Its disputes, where they were asked for. */
  disputes?: readonly ProviderDispute[];
  /** What the provider has refused to give back, and why. */
  left?: { amount: Money; code: 'disputed' | 'failed' | 'not_refundable' | 'look_again'; reason: string };
}

/** What the compensation could not give back: it is a debt now, `settleDebt` settles it. */
export interface Owing {
  owed: { n: number; amount: Money }[];
}

/**
 * Compensates processPayment, for all its payment updates: cancels what is not charged (so that a late confirmation
 * is refused), refunds what is left of what is. A safe no-op where nothing was created. What the provider refuses to
 * refund because the customer's bank disputes the charge is not waited for: it becomes a debt in the transaction that
 * stores the answer, and the order goes on without it. What a lost dispute has given the customer is not given twice.
 * Idempotent by `refund-payment-<orderId>`; at the provider by `refund-<orderId>-<n>`, after a look at the refunds
 * there are.
 * Run twice, at the same time, after a reset or in a second run: the stored answer, the debt included. Killed anywhere or
 * a lost reply: asked again under the same keys. A charge that lands late: `takeBackLatePayment`, which owes the same way.
 * Fails technically only (retried without end), also while it is not known whether there is a charge.
 * Writes: Payments, Refunds, Disputes, AuditLog, OutboxMessages(payment.refunded.v1 per refund; payment.disputed.v1;
 * refund.owed.v1; payment.failed.v1 for a payment that waited for the customer), in one transaction.
 */
export const createRefundPayment =
  (deps: ActivityDeps) =>
  ({ orderId, attemptTimeoutMs }: { orderId: OrderId; attemptTimeoutMs: number }): Promise<Owing | null> =>
    runProviderCompensation<Owing | null, (TakenBack & { known: Dispute[] })[]>(deps, {
      name: { key: operationKeys.refundPayment(orderId), orderId, step: 'payment' },
      attemptTimeoutMs,
      read: async (tx) => {
        const known = await tx.disputes.list(orderId);
        return (await tx.payments.list(orderId)).map((payment) => ({ payment, refunds: [], known }));
      },
      requests: (payments) => takingBackRequests * payments.filter(({ payment }) => asksOf(payment)).length,
      settle: async (payments, timeoutMs) => {
        const settled = [];
        for (const { payment, known } of payments) {
          const taken = await settlePayment(deps, { payment, disputes: known, timeoutMs });
          settled.push({ ...taken, known });
        }
        return settled;
      },
      commit: async (tx, order, payments) => {
        await writeTakenBack(deps, tx, { order, payments });
        const owed = payments.flatMap(({ payment: { n }, left }) =>
          left ? [{ n, amount: left.amount }] : [],
        );
        return owed.length > 0 ? { owed } : null;
      },
    });

/** Requests of `takeBackPayment` at most: what closes the intent, its refunds, the refund, then its disputes or refunds. */
export const takingBackRequests = closingRequests + 3;

const asksOf = ({ state, intentId }: PaymentRow): boolean => state !== 'canceled' && intentId !== undefined;

async function settlePayment(
  deps: ActivityDeps,
  { payment, disputes, timeoutMs }: Omit<IntentOf, 'intentId'> & { disputes: readonly Dispute[] },
): Promise<TakenBack> {
  if (payment.state === 'canceled') return { payment, refunds: [] };
  /* Without a stored id nothing was confirmed: an intent nobody knows of can never charge. */
  if (!payment.intentId) return { payment: { ...payment, state: 'canceled' }, refunds: [] };
  return takeBackPayment(deps, { payment, intentId: payment.intentId, disputes, timeoutMs });
}

/**
 * Refunds or cancels one intent at the provider, whichever its state asks for. Idempotent by the numbered keys
 * `refund-<orderId>-<n>` and `cancel-<orderId>-<n>`; the amount refunded is what the provider says is left of the charge.
 */
export async function takeBackPayment(
  deps: ActivityDeps,
  input: IntentOf & { disputes: readonly Dispute[] },
): Promise<TakenBack> {
  const payment = { ...input.payment, intentId: input.intentId };
  const left = await closeIntent(deps, input);
  if (left.status === 'canceled') return { payment: { ...payment, state: 'canceled' }, refunds: [] };
  const disputes = input.disputes.filter(({ n }) => n === payment.n);
  const given = await refundLeft(deps, { ...input, disputes, charged: left.amount });
  if (given.left && given.left.code !== 'disputed') throw notRefunded(payment.orderId, given.left.reason);
  return { payment: { ...payment, state: 'charged' }, ...given };
}

/**
 * Gives back what the provider's own list of refunds leaves, under the compensation's key, whoever asks. A refusal because
 * of a dispute is held against the provider's list of disputes: one that was lost meanwhile has given the money back.
 */
export async function refundLeft(
  deps: ActivityDeps,
  input: IntentOf & { charged: Money; disputes: readonly Pick<Dispute, 'disputeId' | 'state' | 'amount'>[] },
): Promise<GivenBack> {
  const { payment, intentId, charged, timeoutMs } = input;
  const { orderId, n } = payment;
  const operationKey = operationKeys.refundLeft(orderId, n);
  const list = () => deps.payments.refunds({ intentId, timeoutMs: timeoutMs() });
  const refunds = await list();
  const amountMinor = minorLeft(charged, refunds, input.disputes);
  if (amountMinor <= 0) return { refunds };
  const idempotencyKey = keyOfLeft(operationKey, { payment, refunds, charged, amountMinor });
  const amount = { ...charged, amountMinor };
  try {
    const request = { idempotencyKey, operationKey, orderId, intentId, amount, timeoutMs: timeoutMs() };
    const answer = await deps.payments.refund(request);
    if (answer.status === 'taken') {
      const { refund } = answer;
      if (refund.status !== 'failed') return { refunds: [refund, ...refunds] };
      const reason = `it failed: ${refund.failure}`;
      return { refunds: [refund, ...refunds], left: { amount, code: 'failed', reason } };
    }
    const { code, reason } = answer;
    if (code === 'not_refundable') return { refunds, left: { amount, code, reason } };
    if (code !== 'disputed') return { refunds, left: { amount, code: 'look_again', reason } };
    const disputes = await deps.payments.disputes({ intentId, timeoutMs: timeoutMs() });
    const stillMinor = minorLeft(charged, refunds, disputes);
    return {
      refunds,
      disputes,
      ...(stillMinor > 0 ? { left: { amount: { ...charged, amountMinor: stillMinor }, code, reason } } : {}),
    };
  } catch (error) {
    if (!isKeySpent(error)) throw error;
    /* The key's request has ended, so nothing of it lands after this look. */
    const now = await list();
    if (now.some(({ refundId }) => !refunds.some((one) => one.refundId === refundId))) throw error;
    await takeNextKey(deps, payment, 'refundKeyNumber');
    throw error;
  }
}

const minorLeft = (
  charged: Money,
  refunds: readonly ProviderRefund[],
  disputes: readonly Pick<Dispute, 'state' | 'amount'>[],
): number => {
  const gone = [
    ...refunds.filter(({ status }) => status !== 'failed'),
    ...disputes.filter(({ state }) => state === 'lost'),
  ];
  return charged.amountMinor - sumMinor(gone.map(({ amount }) => amount.amountMinor));
};

/**
 * Another amount is another request to the provider, and so is another try after a refund that failed, or after an error
 * that is stored under the key and a look that found no refund: each of these moves the number on.
 */
const keyOfLeft = (
  key: string,
  input: { payment: PaymentRow; refunds: readonly ProviderRefund[]; charged: Money; amountMinor: number },
): string => {
  const { payment, refunds, charged, amountMinor } = input;
  const failed = refunds.filter(({ operationKey, status }) => operationKey === key && status === 'failed');
  const part = amountMinor < charged.amountMinor ? `-${amountMinor}` : '';
  return numbered(`${key}${part}`, payment.refundKeyNumber + failed.length);
};

export const notRefunded = (orderId: OrderId, why: string): TechnicalFailure =>
  new TechnicalFailure('ProviderUnavailable', `The charge of order ${orderId} was not refunded: ${why}`, {
    retryAfterMs: 1_000,
  });

/** Records taken-back payments: once per payment and refund, whoever comes first. */
export async function writeTakenBack(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, payments }: { order: OrderRow; payments: readonly TakenBack[] },
): Promise<void> {
  for (const { payment, refunds, disputes = [], left } of payments) {
    const before = await tx.payments.find({ orderId: payment.orderId, n: payment.n });
    if (payment.state === 'canceled') {
      await writeCanceled(deps, tx, { order, payment, before });
      continue;
    }
    const of = { order, payment: { ...(before ?? payment), intentId: payment.intentId ?? '' } };
    await recordDisputes(deps, tx, { ...of, disputes });
    await recordRefunds(deps, tx, { ...of, refunds });
    if (left) await writeDebt(deps, tx, { ...of, left, disputes });
  }
}

async function writeCanceled(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, payment, before }: { order: OrderRow; payment: PaymentRow; before: PaymentRow | undefined },
): Promise<void> {
  if (before?.state === 'canceled') return;
  await tx.payments.put(payment);
  const event = before?.state === 'action_required' ? notAuthenticated : undefined;
  await writeTransition(tx, {
    order,
    step: 'payment',
    from: before?.state ?? '',
    to: payment.state,
    reason: 'compensation',
    ...(event ? { event } : {}),
    nowUtc: deps.clock.nowUtc(),
  });
}

const notAuthenticated: EventFacts = {
  type: 'payment.failed.v1',
  details: {
    failureType: 'CustomerActionRequired',
    reason: 'The customer did not authenticate the payment.',
  },
};
