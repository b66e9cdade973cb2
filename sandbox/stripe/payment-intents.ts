import { clientSecret, stripeId } from '../ids.ts';
import type { IntentRecord, IntentStatus } from '../records.ts';
import { amountProblem, currencyProblem } from './currencies.ts';
import type { Origin, StripeDeps } from './stripe-deps.ts';
import { invalidRequest, notFound } from './stripe-errors.ts';
import { intentObject } from './stripe-objects.ts';
import type { CreateIntentParams } from './stripe-params.ts';
import { testPaymentMethod, testPaymentMethodNames } from './test-payment-methods.ts';

/** The order a payment is for, as its metadata says. */
export const orderIdOf = (metadata: Record<string, string>): string | undefined =>
  metadata.orderId ?? metadata.order_id;

export const saveIntent = ({ store }: StripeDeps, intent: IntentRecord, dueMs?: number): void =>
  store.put('intent', intent.id, intent, {
    orderId: orderIdOf(intent.metadata),
    parent: intent.metadata.operationKey,
    dueMs,
  });

/** Throws resource_missing with 404. */
export const intentById = ({ store }: StripeDeps, id: string): IntentRecord => {
  const intent = store.get('intent', id);
  if (!intent) throw notFound('payment_intent', id, 'intent');
  return intent;
};

/** Throws resource_missing with 400, as for every id that stands in a body. */
export const assertPaymentMethod = (name: string): void => {
  if (testPaymentMethod(name)) return;
  throw invalidRequest(
    `No such PaymentMethod: '${name}'. The sandbox knows ${testPaymentMethodNames().slice(0, 3).join(', ')} and other test payment methods of Stripe.`,
    { code: 'resource_missing', param: 'payment_method' },
  );
};

/** Refuses what the intent's state does not allow, with the intent in the error as Stripe sends it. */
export const unexpectedState = (deps: StripeDeps, intent: IntentRecord, message: string) =>
  invalidRequest(message, {
    code: 'payment_intent_unexpected_state',
    payment_intent: intentObject(intent, deps.baseUrl()),
  });

const CANCELABLE: IntentStatus[] = [
  'requires_payment_method',
  'requires_capture',
  'requires_confirmation',
  'requires_action',
];

/** Creates an unconfirmed payment intent. What `check` refuses is not created. */
export const createIntent = (
  deps: StripeDeps,
  params: CreateIntentParams,
  origin: Origin,
  check: (intent: IntentRecord) => void = () => {},
): IntentRecord => {
  const { clock, settings } = deps;
  const problem =
    currencyProblem(params.currency.toLowerCase()) ??
    amountProblem(params.amount, params.currency.toLowerCase());
  if (problem) throw invalidRequest(problem.message, problem);
  if (params.payment_method) assertPaymentMethod(params.payment_method);
  const id = stripeId('pi');
  const nowMs = clock.nowMs();
  const intent: IntentRecord = {
    id,
    amount: params.amount,
    currency: params.currency.toLowerCase(),
    status: params.payment_method ? 'requires_confirmation' : 'requires_payment_method',
    createdMs: nowMs,
    searchableMs: nowMs + settings().searchDelayMs,
    secret: clientSecret(id),
    paymentMethod: params.payment_method ?? null,
    captureMethod: params.capture_method ?? 'automatic_async',
    // Since API version 2023-08-16 an intent without payment method types has them automatically.
    automaticMethods: params.automatic_payment_methods ?? { enabled: true, allow_redirects: 'always' },
    description: params.description ?? null,
    receiptEmail: params.receipt_email ?? null,
    statementSuffix: params.statement_descriptor_suffix ?? null,
    shipping: params.shipping ?? null,
    metadata: params.metadata ?? {},
    amountReceived: 0,
    amountCapturable: 0,
    latestCharge: null,
    lastError: null,
    returnUrl: null,
    settlesAs: null,
    canceledMs: null,
    cancellationReason: null,
  };
  check(intent);
  saveIntent(deps, intent);
  deps.counts.business('intents_created');
  deps.emit('payment_intent.created', intentObject(intent, deps.baseUrl()), origin);
  return intent;
};

/** Cancels an intent that has not been paid; authorized money is let go. */
export const cancelIntent = (
  deps: StripeDeps,
  id: string,
  reason: string | undefined,
  origin: Origin,
): IntentRecord => {
  const intent = intentById(deps, id);
  if (!CANCELABLE.includes(intent.status)) {
    throw unexpectedState(
      deps,
      intent,
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: ${CANCELABLE.join(', ')}.`,
    );
  }
  const canceled: IntentRecord = {
    ...intent,
    status: 'canceled',
    amountCapturable: 0,
    canceledMs: deps.clock.nowMs(),
    cancellationReason: reason ?? null,
  };
  saveIntent(deps, canceled);
  deps.counts.business('intents_canceled');
  deps.emit('payment_intent.canceled', intentObject(canceled, deps.baseUrl()), origin);
  return canceled;
};
