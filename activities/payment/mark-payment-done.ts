import { closeOthers, closingRequests } from './close-intent.ts';
import { confirmCharge, confirmingRequests } from './confirm-charge.ts';
import type { ActivityDeps } from '../deps.ts';
import { askedFor, markedBy, notConfirmed, type Claim } from '../mark-done.ts';
import { paymentRequests } from './payment-protocol.ts';
import { paymentOperation, takeBackLatePayment } from './process-payment.ts';
import { runProviderOperation, type Attempt } from '../provider-operation.ts';
import { createRefundPayment, type Owing } from '../refunds/refund-payment.ts';
import type { Charge, PaymentFacts, PaymentProcessed } from './payment-facts.ts';

/**
 * Takes a charge that the provider has as the order's own, as if processPayment had made it: that one's operation is
 * done, and finds this charge. The order's other intents are canceled first, so that none can charge as well.
 * Idempotent by `payment-<orderId>-<n>`.
 * Fails with ReferenceNotConfirmed (not stored) unless the provider says that the payment is charged with the order's
 * total, carries the order's id (or is stored as the order's), was not refunded and is not disputed; or when it is another
 * order's; or when another payment of the order is charged, or is its stored answer. Otherwise technically. Late after refundPayment: the charge is refunded.
 * Writes: Payments, Orders, Operations, AuditLog, OutboxMessages(payment.processed.v1), in one transaction.
 */
export const createMarkPaymentDone =
  (deps: ActivityDeps) =>
  async (claim: Claim & { n: number }): Promise<PaymentProcessed> => {
    const input = { ...claim, marked: markedBy(claim) };
    const operation = paymentOperation(deps, input);
    const paid = await runProviderOperation<PaymentProcessed, Charge, PaymentFacts>(deps, {
      ...operation,
      harmless: () => true,
      requests: (facts) => paymentRequests(facts) + confirmingRequests + closingRequests,
      settle: async (attempt) => {
        const effect = await confirmed(deps, claim, attempt);
        await refuseSecondCharge(deps, claim, attempt);
        return { effect, reference: claim.reference };
      },
      takeBack: (intentId) => takeBackLatePayment(deps, input, intentId),
    });
    if (paid.intentId === claim.reference) return paid;
    throw notConfirmed(`The order is charged already, by payment ${paid.intentId}; a retry finds it.`);
  };

async function confirmed(
  deps: ActivityDeps,
  { reference: intentId }: Claim,
  { order, facts, timeoutMs }: Attempt<PaymentFacts>,
): Promise<Charge> {
  const known = await askedFor(deps.payments.retrieve({ intentId, timeoutMs: timeoutMs() }));
  const stored = facts.known.includes(intentId);
  const found = await confirmCharge(deps, { order, known, stored, timeoutMs });
  if ('objection' in found) throw notConfirmed(found.objection);
  return { ...found.charge, disputes: found.disputes };
}

/** Only one payment of an order may ever charge. */
async function refuseSecondCharge(
  deps: ActivityDeps,
  { reference }: Claim,
  { facts, timeoutMs }: Attempt<PaymentFacts>,
): Promise<void> {
  const ours = await closeOthers(deps, facts, { reference, timeoutMs });
  if (ours) throw notConfirmed(`Payment ${ours} of the order is charged already; that is its reference.`);
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
