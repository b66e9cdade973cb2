import { formatAmount, type Money } from '../domain/money.ts';
import type { PaymentRow, StoreTransaction } from '../ports/store.ts';
import { closeIntent, closingRequests } from './close-intent.ts';
import type { ActivityDeps } from './deps.ts';
import { askedFor, markedBy, notConfirmed, type Claim } from './mark-done.ts';
import { paymentRequests, type PaymentFacts, type PaymentProcessed } from './payment-protocol.ts';
import { paymentOperation, takeBackLatePayment } from './process-payment.ts';
import { runProviderOperation, type Attempt } from './provider-operation.ts';
import { createRefundPayment, type Owing } from './refund-payment.ts';

/**
 * Takes a charge that the provider has as the order's own, as if processPayment had made it: that one's operation is
 * done, and finds this charge. The order's other intents are canceled first, so that none can charge as well.
 * Idempotent by `payment-<orderId>-<n>`.
 * Fails with ReferenceNotConfirmed (not stored) unless the provider says that the payment is charged with the order's
 * total, carries the order's id (or is stored as the order's) and was not refunded; or when another payment of the order
 * is charged, or is its stored answer. Otherwise technically. Late after refundPayment: the charge is refunded.
 * Writes: Payments, Orders, Operations, AuditLog, OutboxMessages(payment.processed.v1), in one transaction.
 */
export const createMarkPaymentDone =
  (deps: ActivityDeps) =>
  async (claim: Claim & { n: number }): Promise<PaymentProcessed> => {
    const input = { ...claim, marked: markedBy(claim) };
    const operation = paymentOperation(deps, input);
    const paid = await runProviderOperation<PaymentProcessed, PaymentProcessed, PaymentFacts>(deps, {
      ...operation,
      harmless: () => true,
      requests: (facts) => paymentRequests(facts) + closingRequests,
      settle: async (attempt) => {
        const effect = await confirmCharge(deps, claim, attempt);
        await closeOthers(deps, claim, attempt);
        return { effect, reference: claim.reference };
      },
      commit: async (tx, order, settled) => {
        await adopt(tx, claim);
        return operation.commit(tx, order, settled);
      },
      takeBack: (intentId) => takeBackLatePayment(deps, input, intentId),
    });
    if (paid.intentId === claim.reference) return paid;
    throw notConfirmed(`The order is charged already, by payment ${paid.intentId}; a retry finds it.`);
  };

async function confirmCharge(
  deps: ActivityDeps,
  { orderId, reference: intentId }: Claim,
  { order, facts, timeoutMs }: Attempt<PaymentFacts>,
): Promise<PaymentProcessed> {
  const known = await askedFor(deps.payments.retrieve({ intentId, timeoutMs: timeoutMs() }));
  if (known.status !== 'charged') {
    throw notConfirmed(`Payment ${intentId} is ${known.status} at the provider; expected charged.`);
  }
  const stored = [facts.payment, ...facts.earlier].some((payment) => payment.intentId === intentId);
  if (!stored && known.orderId !== orderId) {
    const says = known.orderId ?? 'nothing';
    throw notConfirmed(`Payment ${intentId} says about its order: ${says}; expected orderId ${orderId}.`);
  }
  const { amount } = known;
  if (amount.amountMinor !== order.total?.amountMinor || amount.currency !== order.total.currency) {
    throw notConfirmed(`Payment ${intentId} charged ${text(amount)}; expected ${text(order.total)}.`);
  }
  const refunds = await deps.payments.refunds({ intentId, timeoutMs: timeoutMs() });
  const refund = refunds.find(({ status }) => status !== 'failed');
  if (refund) throw notConfirmed(`Payment ${intentId} was refunded (${refund.refundId}).`);
  return { intentId, amount };
}

const text = (money: Money | undefined): string =>
  money ? `${formatAmount(money)} ${money.currency}` : 'nothing, the order has no total';

/** Only one payment of an order may ever charge. */
async function closeOthers(
  deps: ActivityDeps,
  { reference }: Claim,
  { facts, timeoutMs }: Attempt<PaymentFacts>,
): Promise<void> {
  for (const payment of [...facts.earlier, facts.payment]) {
    const { intentId } = payment;
    if (!intentId || intentId === reference) continue;
    const left = await closeIntent(deps, { payment, intentId, timeoutMs });
    if (left.status === 'charged') {
      throw notConfirmed(`Payment ${intentId} of the order is charged already; that is its reference.`);
    }
  }
}

/** The payment that is tried now becomes that of the reference, unless an earlier one is. */
async function adopt(tx: StoreTransaction, { orderId, n, reference }: Claim & { n: number }): Promise<void> {
  const payments: PaymentRow[] = await tx.payments.list(orderId);
  if (payments.some(({ intentId }) => intentId === reference)) return;
  const present = payments.find((payment) => payment.n === n);
  if (present) await tx.payments.put({ ...present, intentId: reference, state: 'created' });
}

/**
 * Takes a charge as refunded that a person has refunded, and runs refundPayment, which finds it so (and refunds what may
 * be left of it).
 * Fails with ReferenceNotConfirmed unless the refund is of one of the order's payments and has not failed. Otherwise as
 * refundPayment, by whose key it is idempotent.
 */
export const createMarkRefundDone =
  (deps: ActivityDeps) =>
  async ({ orderId, reference: refundId, attemptTimeoutMs }: Claim): Promise<Owing | null> => {
    const payments = await deps.store.transaction((tx) => tx.payments.list(orderId));
    const timeoutMs = Math.floor(attemptTimeoutMs / 4);
    const refund = await askedFor(deps.payments.findRefund({ refundId, timeoutMs }));
    if (!payments.some(({ intentId }) => intentId === refund.intentId)) {
      throw notConfirmed(`Refund ${refundId} is of payment ${refund.intentId}, which is not the order's.`);
    }
    if (refund.status === 'failed') {
      throw notConfirmed(`Refund ${refundId} has failed: ${refund.failure ?? 'no reason given'}.`);
    }
    return createRefundPayment(deps)({ orderId, attemptTimeoutMs: Math.floor(attemptTimeoutMs / 2) });
  };
