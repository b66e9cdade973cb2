import type { ChargeRecord, DisputeRecord, IntentRecord, RefundRecord } from '../records.ts';
import { testPaymentMethod } from './test-payment-methods.ts';

const seconds = (ms: number): number => Math.floor(ms / 1_000);

/** The payment method object inside errors. */
export const paymentMethodObject = (id: string) => {
  const method = testPaymentMethod(id);
  const card = {
    brand: method?.brand ?? 'unknown',
    last4: method?.last4 ?? '0000',
    exp_month: 12,
    exp_year: 2034,
  };
  return {
    id,
    object: 'payment_method',
    type: method?.type ?? 'card',
    livemode: false,
    customer: null,
    metadata: {},
    ...(method?.type === 'us_bank_account'
      ? { us_bank_account: { bank_name: 'STRIPE TEST BANK', last4: method.last4 } }
      : { card }),
  };
};

const nextAction = (intent: IntentRecord, baseUrl: string) => {
  if (intent.status !== 'requires_action') return null;
  const url = `${baseUrl}/payments/${intent.id}`;
  return intent.returnUrl
    ? { type: 'redirect_to_url', redirect_to_url: { url, return_url: intent.returnUrl } }
    : {
        type: 'use_stripe_sdk',
        use_stripe_sdk: {
          type: 'three_d_secure_redirect',
          stripe_js: url,
          source: `src_${intent.id.slice(3)}`,
        },
      };
};

export const intentObject = (intent: IntentRecord, baseUrl: string) => ({
  id: intent.id,
  object: 'payment_intent',
  amount: intent.amount,
  amount_capturable: intent.amountCapturable,
  amount_details: { tip: {} },
  amount_received: intent.amountReceived,
  application: null,
  application_fee_amount: null,
  automatic_payment_methods: intent.automaticMethods,
  canceled_at: intent.canceledMs === null ? null : seconds(intent.canceledMs),
  cancellation_reason: intent.cancellationReason,
  capture_method: intent.captureMethod,
  client_secret: intent.secret,
  confirmation_method: 'automatic',
  created: seconds(intent.createdMs),
  currency: intent.currency,
  customer: null,
  description: intent.description,
  last_payment_error: intent.lastError,
  latest_charge: intent.latestCharge as string | object | null,
  livemode: false,
  metadata: intent.metadata,
  next_action: nextAction(intent, baseUrl),
  on_behalf_of: null,
  payment_method: intent.paymentMethod,
  payment_method_configuration_details: null,
  payment_method_options: { card: { request_three_d_secure: 'automatic' } },
  payment_method_types: ['card', 'us_bank_account'],
  processing: null,
  receipt_email: intent.receiptEmail,
  review: null,
  setup_future_usage: null,
  shipping: intent.shipping ?? null,
  source: null,
  statement_descriptor: null,
  statement_descriptor_suffix: intent.statementSuffix,
  status: intent.status,
  transfer_data: null,
  transfer_group: null,
});

const outcomeObject = (charge: ChargeRecord) =>
  charge.failure
    ? {
        network_status: 'declined_by_network',
        reason: charge.failure.declineCode ?? charge.failure.code,
        risk_level: 'normal',
        seller_message: 'The bank did not return any further details with this decline.',
        type: 'issuer_declined',
      }
    : {
        network_status: 'approved_by_network',
        reason: null,
        risk_level: 'normal',
        seller_message: 'Payment complete.',
        type: 'authorized',
      };

export const chargeObject = (charge: ChargeRecord) => ({
  id: charge.id,
  object: 'charge',
  amount: charge.amount,
  amount_captured: charge.captured,
  amount_refunded: charge.refunded,
  balance_transaction: null,
  billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
  captured: charge.captured > 0,
  created: seconds(charge.createdMs),
  currency: charge.currency,
  customer: null,
  description: charge.description,
  disputed: charge.disputed,
  failure_code: charge.failure?.code ?? null,
  failure_message: charge.failure?.message ?? null,
  fraud_details: {},
  livemode: false,
  metadata: charge.metadata,
  outcome: outcomeObject(charge),
  paid: charge.status === 'succeeded',
  payment_intent: charge.intent as string | object,
  payment_method: charge.paymentMethod,
  payment_method_details: paymentMethodObject(charge.paymentMethod),
  receipt_url: null,
  refunded: charge.captured > 0 && charge.refunded === charge.captured,
  status: charge.status,
});

export const refundObject = (refund: RefundRecord) => ({
  id: refund.id,
  object: 'refund',
  amount: refund.amount,
  balance_transaction: null,
  charge: refund.charge as string | object,
  created: seconds(refund.createdMs),
  currency: refund.currency,
  ...(refund.failureReason && { failure_reason: refund.failureReason }),
  metadata: refund.metadata,
  payment_intent: refund.intent as string | object,
  payment_method: null,
  reason: refund.reason,
  receipt_number: null,
  source_transfer_reversal: null,
  status: refund.status,
  transfer_reversal: null,
});

export const disputeObject = (dispute: DisputeRecord) => ({
  id: dispute.id,
  object: 'dispute',
  amount: dispute.amount,
  balance_transactions: [],
  charge: dispute.charge,
  created: seconds(dispute.createdMs),
  currency: dispute.currency,
  evidence: {},
  evidence_details: {
    due_by: seconds(dispute.createdMs) + 7 * 86_400,
    has_evidence: false,
    submission_count: 0,
  },
  is_charge_refundable: dispute.status === 'won' || dispute.status.startsWith('warning_'),
  livemode: false,
  metadata: {},
  payment_intent: dispute.intent as string | object,
  reason: dispute.reason,
  status: dispute.status,
});
