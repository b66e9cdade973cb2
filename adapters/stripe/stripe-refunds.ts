import type Stripe from 'stripe';
import { TechnicalFailure } from '../../domain/failures.ts';
import type { DisputeState } from '../../domain/refunds.ts';
import type { ProviderDispute, ProviderRefund } from '../../ports/payment-gateway.ts';
import { fromStripeAmount } from './stripe-amounts.ts';
import { expectObject, orderIdIn } from './stripe-answers.ts';

/** A refund as the port has it; the order is known where the payment intent was expanded. */
export function providerRefund(answer: Stripe.Refund): ProviderRefund {
  const refund = expectObject(answer, 'refund');
  const status = refundStatus(refund);
  const operationKey = refund.metadata?.['operationKey'];
  return {
    refundId: refund.id,
    ...paymentOf(refund),
    status,
    amount: fromStripeAmount(refund.amount, refund.currency),
    createdAtUtc: utcOf(refund.created),
    ...(status === 'failed' ? { failure: refund.failure_reason ?? `the refund was ${refund.status}` } : {}),
    ...(operationKey ? { operationKey } : {}),
  };
}

function refundStatus({ id, status }: Stripe.Refund): ProviderRefund['status'] {
  switch (status) {
    case 'succeeded':
    case 'failed':
      return status;
    case 'canceled':
      return 'failed';
    case 'pending':
    /* The customer has to tell where the money shall go: on its way as far as we are concerned. */
    case 'requires_action':
      return 'pending';
    case null:
    default:
      throw unreadable(`refund ${id} has the unknown status ${String(status)}`);
  }
}

/** After https://docs.stripe.com/disputes/how-disputes-work: while the bank only asks, the charge can be refunded. */
const disputeStateOf: Record<string, DisputeState> = {
  warning_needs_response: 'inquiry',
  warning_under_review: 'inquiry',
  warning_closed: 'won',
  needs_response: 'open',
  under_review: 'open',
  prevented: 'won',
  won: 'won',
  lost: 'lost',
};

export function providerDispute(answer: Stripe.Dispute): ProviderDispute {
  const dispute = expectObject(answer, 'dispute');
  const state = disputeStateOf[dispute.status];
  if (!state) throw unreadable(`dispute ${dispute.id} has the unknown status ${String(dispute.status)}`);
  return {
    disputeId: dispute.id,
    ...paymentOf(dispute),
    state,
    amount: fromStripeAmount(dispute.amount, dispute.currency),
    reason: dispute.reason,
    createdAtUtc: utcOf(dispute.created),
    ...(dispute.evidence_details?.due_by ? { dueByUtc: utcOf(dispute.evidence_details.due_by) } : {}),
  };
}

function paymentOf({ payment_intent: intent }: { payment_intent: string | Stripe.PaymentIntent | null }) {
  if (typeof intent === 'string' || intent === null) return { intentId: intent ?? '' };
  const orderId = orderIdIn(intent.metadata);
  return { intentId: intent.id, ...(orderId ? { orderId } : {}) };
}

const utcOf = (seconds: number): string => new Date(seconds * 1_000).toISOString();

const unreadable = (what: string): TechnicalFailure =>
  new TechnicalFailure('OutcomeUnknown', `Stripe's answer cannot be read: ${what}`);
