import { stripeId } from '../ids.ts';
import type { Reply } from '../refusal.ts';
import type { ChargeRecord, IntentRecord, StripeErrorBody } from '../records.ts';
import { createDispute } from './disputes.ts';
import {
  assertPaymentMethod,
  intentById,
  orderIdOf,
  saveIntent,
  unexpectedState,
} from './payment-intents.ts';
import type { Origin, StripeDeps } from './stripe-deps.ts';
import { docUrl, invalidRequest, stripeError } from './stripe-errors.ts';
import { chargeObject, intentObject, paymentMethodObject } from './stripe-objects.ts';
import type { ConfirmIntentParams } from './stripe-params.ts';
import { type Decline, testPaymentMethod } from './test-payment-methods.ts';

type Settled = { intent: IntentRecord; refused?: Reply };

const newCharge = (deps: StripeDeps, intent: IntentRecord, paymentMethod: string): ChargeRecord => ({
  id: stripeId('ch'),
  intent: intent.id,
  amount: intent.amount,
  captured: 0,
  refunded: 0,
  currency: intent.currency,
  status: 'pending',
  createdMs: deps.clock.nowMs(),
  paymentMethod,
  description: intent.description,
  metadata: intent.metadata,
  failure: null,
  disputed: false,
});

export const saveCharge = ({ store }: StripeDeps, charge: ChargeRecord): void =>
  store.put('charge', charge.id, charge, { parent: charge.intent, orderId: orderIdOf(charge.metadata) });

/** Takes the money: now, or on `capture` for an intent with manual capture. */
const succeed = (deps: StripeDeps, intent: IntentRecord, paymentMethod: string, origin: Origin): Settled => {
  const manual = intent.captureMethod === 'manual';
  const charge: ChargeRecord = {
    ...newCharge(deps, intent, paymentMethod),
    status: 'succeeded',
    captured: manual ? 0 : intent.amount,
  };
  const paid: IntentRecord = {
    ...intent,
    status: manual ? 'requires_capture' : 'succeeded',
    amountReceived: manual ? 0 : intent.amount,
    amountCapturable: manual ? intent.amount : 0,
    paymentMethod,
    latestCharge: charge.id,
    lastError: null,
    settlesAs: null,
  };
  saveCharge(deps, charge);
  saveIntent(deps, paid);
  if (manual)
    deps.emit('payment_intent.amount_capturable_updated', intentObject(paid, deps.baseUrl()), origin);
  else announceCharge(deps, paid, charge, origin);
  const outcome = testPaymentMethod(paymentMethod)?.outcome;
  if (!manual && outcome?.kind === 'succeeds' && outcome.disputed)
    createDispute(deps, charge.id, outcome.disputed);
  return { intent: paid };
};

/** Counts captured money and tells the endpoint. */
export const announceCharge = (
  { counts, emit, baseUrl }: StripeDeps,
  intent: IntentRecord,
  charge: ChargeRecord,
  origin: Origin,
): void => {
  counts.business('charges_succeeded');
  counts.business(`charged_minor_${charge.currency}`, charge.captured);
  emit('charge.succeeded', chargeObject(charge), origin);
  emit('payment_intent.succeeded', intentObject(intent, baseUrl()), origin);
};

/** Ends one attempt without money: the intent waits for another payment method. */
const fail = (
  deps: StripeDeps,
  intent: IntentRecord,
  paymentMethod: string,
  error: StripeErrorBody,
  origin: Origin,
  charge?: ChargeRecord,
): Settled => {
  const lastError: StripeErrorBody = {
    ...error,
    ...(charge && { charge: charge.id }),
    ...(error.code && { doc_url: docUrl(error.code) }),
    payment_method: paymentMethodObject(paymentMethod),
  };
  const failed: IntentRecord = {
    ...intent,
    status: 'requires_payment_method',
    paymentMethod: null,
    lastError,
    latestCharge: charge?.id ?? intent.latestCharge,
    settlesAs: null,
  };
  if (charge) saveCharge(deps, charge);
  saveIntent(deps, failed);
  deps.counts.business('payments_failed');
  const object = intentObject(failed, deps.baseUrl());
  deps.emit('payment_intent.payment_failed', object, origin);
  return { intent: failed, refused: stripeError(402, { ...lastError, payment_intent: object }) };
};

const decline = (
  deps: StripeDeps,
  intent: IntentRecord,
  method: string,
  { code, declineCode, message }: Decline,
  origin: Origin,
): Settled => {
  const charge: ChargeRecord = {
    ...newCharge(deps, intent, method),
    status: 'failed',
    failure: { code, message, declineCode: declineCode ?? null },
  };
  const error = { type: 'card_error', code, message, ...(declineCode && { decline_code: declineCode }) };
  return fail(deps, intent, method, error, origin, charge);
};

const authenticationFailed: StripeErrorBody = {
  type: 'card_error',
  code: 'payment_intent_authentication_failure',
  message:
    'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.',
};

const assertConfirmable = (deps: StripeDeps, intent: IntentRecord): void => {
  if (intent.status === 'succeeded' || intent.status === 'requires_capture') {
    throw unexpectedState(
      deps,
      intent,
      'You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.',
    );
  }
  if (intent.status === 'canceled' || intent.status === 'processing') {
    throw unexpectedState(
      deps,
      intent,
      `You cannot confirm this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.`,
    );
  }
};

const assertReturnUrl = (intent: IntentRecord, returnUrl: string | undefined): void => {
  if (returnUrl || !intent.automaticMethods?.enabled || intent.automaticMethods.allow_redirects === 'never')
    return;
  throw invalidRequest(
    "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.",
  );
};

const chosenMethod = (deps: StripeDeps, intent: IntentRecord, params: ConfirmIntentParams): string => {
  const name = params.payment_method ?? intent.paymentMethod;
  if (!name) {
    throw unexpectedState(
      deps,
      intent,
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
    );
  }
  assertPaymentMethod(name);
  return name;
};

/** Holds the intent in a state that something else has to end: the customer, or time. */
const hold = (
  deps: StripeDeps,
  intent: IntentRecord,
  change: Partial<IntentRecord> & { status: 'requires_action' | 'processing' },
  origin: Origin,
  dueMs?: number,
): Settled => {
  const held: IntentRecord = { ...intent, ...change };
  saveIntent(deps, held, dueMs);
  deps.emit(`payment_intent.${change.status}`, intentObject(held, deps.baseUrl()), origin);
  return { intent: held };
};

const assertCurrency = (intent: IntentRecord, name: string): void => {
  const outcome = testPaymentMethod(name)?.outcome;
  if (outcome?.kind !== 'processing' || !outcome.currency || outcome.currency === intent.currency) return;
  throw invalidRequest(
    `The payment method ${name} cannot be used in ${intent.currency}, only in ${outcome.currency}.`,
    { code: 'payment_intent_incompatible_payment_method', param: 'payment_method' },
  );
};

/** The payment method a confirmation would use; throws Stripe's refusal when it could not be confirmed. */
export const checkConfirmation = (
  deps: StripeDeps,
  intent: IntentRecord,
  params: ConfirmIntentParams,
): string => {
  assertConfirmable(deps, intent);
  const name = chosenMethod(deps, intent, params);
  assertReturnUrl(intent, params.return_url);
  assertCurrency(intent, name);
  return name;
};

/** Attempts the payment; the outcome follows from the test payment method. */
export const confirmIntent = (
  deps: StripeDeps,
  id: string,
  params: ConfirmIntentParams,
  origin: Origin,
): Settled => {
  const stored = intentById(deps, id);
  const name = checkConfirmation(deps, stored, params);
  const intent: IntentRecord = {
    ...stored,
    paymentMethod: name,
    returnUrl: params.return_url ?? null,
    receiptEmail: params.receipt_email ?? stored.receiptEmail,
    shipping: params.shipping ?? stored.shipping,
    captureMethod: params.capture_method ?? stored.captureMethod,
  };
  const outcome = testPaymentMethod(name)?.outcome;
  if (!outcome || outcome.kind === 'succeeds') return succeed(deps, intent, name, origin);
  if (outcome.kind === 'declined') return decline(deps, intent, name, outcome.decline, origin);
  if (outcome.kind === 'authentication') {
    if (params.off_session) return decline(deps, intent, name, AUTHENTICATION_REQUIRED, origin);
    return hold(deps, intent, { status: 'requires_action' }, origin);
  }
  const dueMs = outcome.settles ? deps.clock.nowMs() + deps.settings().processingMs : undefined;
  return hold(deps, intent, { status: 'processing', settlesAs: outcome.settles }, origin, dueMs);
};

const AUTHENTICATION_REQUIRED: Decline = {
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};

/** The customer's side of a payment that needs action: passes or fails the bank's check. */
export const authenticateIntent = (
  deps: StripeDeps,
  id: string,
  outcome: 'succeed' | 'fail',
  origin: Origin,
): IntentRecord => {
  const intent = intentById(deps, id);
  const name = intent.paymentMethod;
  if (intent.status !== 'requires_action' || !name) {
    throw unexpectedState(
      deps,
      intent,
      `Nothing to authenticate: the PaymentIntent has a status of ${intent.status}.`,
    );
  }
  if (outcome === 'fail') return fail(deps, intent, name, authenticationFailed, origin).intent;
  const planned = testPaymentMethod(name)?.outcome;
  if (planned?.kind === 'authentication' && planned.then !== 'succeeds') {
    return decline(deps, intent, name, planned.then, origin).intent;
  }
  return succeed(deps, intent, name, origin).intent;
};

/** Ends an asynchronous payment; called when it falls due. */
export const settleProcessing = (deps: StripeDeps, intent: IntentRecord, origin: Origin): void => {
  if (intent.status !== 'processing' || !intent.paymentMethod) return;
  if (intent.settlesAs === 'succeeded') {
    succeed(deps, intent, intent.paymentMethod, origin);
    return;
  }
  const refused: Decline = {
    code: 'payment_method_provider_decline',
    message: 'The payment was refused by the payment method after it had been accepted for processing.',
  };
  decline(deps, intent, intent.paymentMethod, refused, origin);
};
