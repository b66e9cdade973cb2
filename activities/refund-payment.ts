import type { EventFacts } from '../domain/events.ts';
import { TechnicalFailure } from '../domain/failures.ts';
import { operationKeys, type OrderId } from '../domain/ids.ts';
import { sumMinor, type Money } from '../domain/money.ts';
import type { Dispute } from '../domain/refunds.ts';
import { isKeySpent, type ProviderRefund, type RefundRequested } from '../ports/payment-gateway.ts';
import type { OrderRow, PaymentRow, StoreTransaction } from '../ports/store.ts';
import { closeIntent, numbered, takeNextKey, type IntentOf } from './close-intent.ts';
import type { ActivityDeps } from './deps.ts';
import { runProviderCompensation } from './provider-compensation.ts';
import { recordRefunds } from './refund-records.ts';
import { writeTransition } from './transition.ts';

/** A payment of the order, and what the provider says went back from it. */
export interface TakenBack {
  payment: PaymentRow;
  refunds: readonly ProviderRefund[];
}

/**
 * Compensates processPayment, for all its payment updates: cancels what is not charged (so that a late confirmation
 * is refused), refunds what is left of what is. A safe no-op where nothing was created. A charge under dispute is not
 * refunded but waited for; what a lost dispute has given the customer is not given twice.
 * Idempotent by `refund-payment-<orderId>`; at the provider by `refund-<orderId>-<n>`, after a look at the refunds
 * there are.
 * Fails technically only (retried without end).
 * Writes: Payments, Refunds, AuditLog, OutboxMessages(payment.refunded.v1 per refund; payment.failed.v1 for a payment
 * that waited for the customer), in one transaction.
 */
export const createRefundPayment =
  (deps: ActivityDeps) =>
  ({ orderId, attemptTimeoutMs }: { orderId: OrderId; attemptTimeoutMs: number }): Promise<null> =>
    runProviderCompensation<null, (TakenBack & { disputes: Dispute[] })[]>(deps, {
      name: { key: operationKeys.refundPayment(orderId), orderId, step: 'payment' },
      attemptTimeoutMs,
      read: async (tx) => {
        const disputes = await tx.disputes.list(orderId);
        return (await tx.payments.list(orderId)).map((payment) => ({ payment, refunds: [], disputes }));
      },
      settle: async (payments, timeoutMs) => {
        const settled = [];
        for (const { payment, disputes } of payments) {
          const taken = await settlePayment(deps, { payment, disputes, timeoutMs: () => timeoutMs });
          settled.push({ ...taken, disputes });
        }
        return settled;
      },
      commit: async (tx, order, payments) => {
        await writeTakenBack(deps, tx, { order, payments });
        return null;
      },
    });

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
  return { payment, refunds: await refundLeft(deps, { ...input, charged: left.amount }) };
}

/** Gives back what the provider's own list of refunds leaves; all refunds of the charge afterwards, newest first. */
async function refundLeft(
  deps: ActivityDeps,
  input: IntentOf & { charged: Money; disputes: readonly Dispute[] },
): Promise<ProviderRefund[]> {
  const { payment, intentId, charged, timeoutMs } = input;
  const { orderId, n } = payment;
  const operationKey = operationKeys.refundLeft(orderId, n);
  const list = () => deps.payments.refunds({ intentId, timeoutMs: timeoutMs() });
  const refunds = await list();
  const lost = input.disputes.filter((dispute) => dispute.n === n && dispute.state === 'lost');
  const gone = [...refunds.filter(({ status }) => status !== 'failed'), ...lost];
  const amountMinor = charged.amountMinor - sumMinor(gone.map(({ amount }) => amount.amountMinor));
  if (amountMinor <= 0) return refunds;
  const idempotencyKey = keyOfLeft(operationKey, { payment, refunds, charged, amountMinor });
  const amount = { ...charged, amountMinor };
  try {
    const request = { idempotencyKey, operationKey, orderId, intentId, amount, timeoutMs: timeoutMs() };
    const answer = await deps.payments.refund(request);
    if (answer.status === 'taken' && answer.refund.status !== 'failed') return [answer.refund, ...refunds];
    throw notRefunded(orderId, answer);
  } catch (error) {
    if (!isKeySpent(error)) throw error;
    /* The key's request has ended, so nothing of it lands after this look. */
    const now = await list();
    if (now.some(({ refundId }) => !refunds.some((one) => one.refundId === refundId))) throw error;
    await takeNextKey(deps, payment, 'refundKeyNumber');
    throw error;
  }
}

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

const notRefunded = (orderId: OrderId, answer: RefundRequested): TechnicalFailure => {
  const why = answer.status === 'taken' ? `it failed: ${answer.refund.failure}` : answer.reason;
  const disputed = answer.status === 'refused' && answer.code === 'disputed';
  return new TechnicalFailure(
    'ProviderUnavailable',
    `The charge of order ${orderId} was not refunded: ${why}${disputed ? '; it waits for the end of the dispute' : ''}`,
    { retryAfterMs: disputed ? 60_000 : 1_000 },
  );
};

/** Records taken-back payments: once per payment and refund, whoever comes first. */
export async function writeTakenBack(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, payments }: { order: OrderRow; payments: readonly TakenBack[] },
): Promise<void> {
  for (const { payment, refunds } of payments) {
    const before = await tx.payments.find({ orderId: payment.orderId, n: payment.n });
    if (payment.state === 'canceled') await writeCanceled(deps, tx, { order, payment, before });
    else
      await recordRefunds(deps, tx, {
        order,
        payment: { ...(before ?? payment), intentId: payment.intentId ?? '' },
        refunds,
      });
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
