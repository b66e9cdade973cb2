import { stripeId } from '../ids.ts';
import type { ChargeRecord, RefundRecord } from '../records.ts';
import { announceCharge, saveCharge } from './confirm-intent.ts';
import { displayAmount } from './currencies.ts';
import { blockingDispute, closeInquiry } from './disputes.ts';
import { intentById, orderIdOf, saveIntent, unexpectedState } from './payment-intents.ts';
import { BY_ITSELF, type Origin, type StripeDeps } from './stripe-deps.ts';
import { invalidRequest, notFound } from './stripe-errors.ts';
import { chargeObject, refundObject } from './stripe-objects.ts';
import type { CreateRefundParams } from './stripe-params.ts';
import { testPaymentMethod } from './test-payment-methods.ts';

const chargeOf = (deps: StripeDeps, params: CreateRefundParams): ChargeRecord => {
  if (params.charge) {
    const charge = deps.store.get('charge', params.charge);
    if (!charge)
      throw invalidRequest(`No such charge: '${params.charge}'`, {
        code: 'resource_missing',
        param: 'charge',
      });
    return charge;
  }
  const intentId = params.payment_intent ?? '';
  const intent = deps.store.get('intent', intentId);
  if (!intent) {
    throw invalidRequest(`No such payment_intent: '${intentId}'`, {
      code: 'resource_missing',
      param: 'payment_intent',
    });
  }
  const charge = intent.latestCharge ? deps.store.get('charge', intent.latestCharge) : undefined;
  if (!charge || charge.captured === 0) {
    throw invalidRequest(`This PaymentIntent (${intentId}) does not have a successful charge to refund.`, {
      code: 'payment_intent_unexpected_state',
      param: 'payment_intent',
    });
  }
  return charge;
};

const assertRefundable = (deps: StripeDeps, charge: ChargeRecord, amount: number): void => {
  if (charge.status !== 'succeeded' || charge.captured === 0) {
    throw invalidRequest(`Charge ${charge.id} was never captured and cannot be refunded.`, {
      code: 'charge_not_refundable',
      param: 'charge',
    });
  }
  if (blockingDispute(deps, charge)) {
    throw invalidRequest(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
      code: 'charge_disputed',
      param: 'charge',
    });
  }
  const left = charge.captured - charge.refunded;
  if (left === 0) {
    throw invalidRequest(`Charge ${charge.id} has already been refunded.`, {
      code: 'charge_already_refunded',
    });
  }
  if (amount < 1) {
    throw invalidRequest('Invalid positive integer', { code: 'parameter_invalid_integer', param: 'amount' });
  }
  if (amount <= left) return;
  const than = charge.refunded > 0 ? 'unrefunded amount on charge' : 'charge amount';
  throw invalidRequest(
    `Refund amount (${displayAmount(amount, charge.currency)}) is greater than ${than} (${displayAmount(left, charge.currency)})`,
    { param: 'amount' },
  );
};

const saveRefund = (deps: StripeDeps, refund: RefundRecord, charge: ChargeRecord, dueMs?: number): void =>
  deps.store.put('refund', refund.id, refund, {
    parent: refund.charge,
    orderId: orderIdOf(charge.metadata),
    dueMs,
  });

/** Gives money back, at most what was captured less what went back before. */
export const createRefund = (deps: StripeDeps, params: CreateRefundParams, origin: Origin): RefundRecord => {
  if (!params.payment_intent && !params.charge) {
    throw invalidRequest(
      'One of the following params should be provided for this request: payment_intent or charge.',
    );
  }
  const charge = chargeOf(deps, params);
  const amount = params.amount ?? charge.captured - charge.refunded;
  assertRefundable(deps, charge, amount);
  const outcome = testPaymentMethod(charge.paymentMethod)?.outcome;
  const later = outcome?.kind === 'succeeds' ? outcome.refund : undefined;
  const refund: RefundRecord = {
    id: stripeId('re'),
    intent: charge.intent,
    charge: charge.id,
    amount,
    currency: charge.currency,
    status: later === 'pending' ? 'pending' : 'succeeded',
    reason: params.reason ?? null,
    metadata: params.metadata ?? {},
    createdMs: deps.clock.nowMs(),
    failureReason: null,
  };
  const refunded = { ...charge, refunded: charge.refunded + amount };
  saveCharge(deps, refunded);
  saveRefund(deps, refund, charge, later && deps.clock.nowMs() + deps.settings().processingMs);
  deps.counts.business('refunds_created');
  deps.counts.business(`refunded_minor_${refund.currency}`, amount);
  deps.emit('charge.refunded', chargeObject(refunded), origin);
  deps.emit('refund.created', refundObject(refund), origin);
  if (refunded.refunded === refunded.captured) closeInquiry(deps, refunded);
  return refund;
};

/** Ends a refund that was pending or fails late: a failed one puts the money back on the charge. */
export const settleRefund = (deps: StripeDeps, refund: RefundRecord): void => {
  const charge = deps.store.get('charge', refund.charge);
  if (!charge) return;
  if (refund.status === 'pending') {
    const done: RefundRecord = { ...refund, status: 'succeeded' };
    saveRefund(deps, done, charge);
    announceChange(deps, done);
    return;
  }
  failRefund(deps, refund, 'expired_or_canceled_card');
};

/** The customer's bank sends a refund back, whenever it likes; an operator of the sandbox may be that bank. */
export const failRefund = (deps: StripeDeps, refund: RefundRecord, failureReason: string): RefundRecord => {
  const charge = deps.store.get('charge', refund.charge);
  if (!charge || refund.status === 'failed') {
    throw invalidRequest(`Refund ${refund.id} cannot fail: it is ${refund.status}.`);
  }
  const failed: RefundRecord = { ...refund, status: 'failed', failureReason };
  saveRefund(deps, failed, charge);
  saveCharge(deps, { ...charge, refunded: charge.refunded - refund.amount });
  deps.counts.business('refunds_failed');
  deps.counts.business(`refunded_minor_${refund.currency}`, -refund.amount);
  announceChange(deps, failed);
  deps.emit('refund.failed', refundObject(failed), BY_ITSELF);
  return failed;
};

/** Stripe tells of every change twice, under an old and a new name. */
const announceChange = ({ emit }: StripeDeps, refund: RefundRecord): void => {
  emit('refund.updated', refundObject(refund), BY_ITSELF);
  emit('charge.refund.updated', refundObject(refund), BY_ITSELF);
};

export const refundById = ({ store }: StripeDeps, id: string): RefundRecord => {
  const refund = store.get('refund', id);
  if (!refund) throw notFound('refund', id, 'refund');
  return refund;
};

/** Captures authorized money, all of it or less; the rest is let go. */
export const captureIntent = (
  deps: StripeDeps,
  id: string,
  params: { amount_to_capture?: number | undefined; metadata?: Record<string, string> | undefined },
  origin: Origin,
) => {
  const intent = intentById(deps, id);
  const charge = intent.latestCharge ? deps.store.get('charge', intent.latestCharge) : undefined;
  if (intent.status !== 'requires_capture' || !charge) {
    throw unexpectedState(
      deps,
      intent,
      `This PaymentIntent could not be captured because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.`,
    );
  }
  const amount = params.amount_to_capture ?? intent.amountCapturable;
  if (amount < 1 || amount > intent.amountCapturable) {
    throw invalidRequest(
      `The requested capture amount must be between 1 and the authorized amount ${intent.amountCapturable}, it is ${amount}.`,
      { code: amount < 1 ? 'parameter_invalid_integer' : 'amount_too_large', param: 'amount_to_capture' },
    );
  }
  const captured = { ...charge, captured: amount };
  const paid = {
    ...intent,
    status: 'succeeded' as const,
    amountReceived: amount,
    amountCapturable: 0,
    metadata: { ...intent.metadata, ...params.metadata },
  };
  saveCharge(deps, captured);
  saveIntent(deps, paid);
  announceCharge(deps, paid, captured, origin);
  return paid;
};
