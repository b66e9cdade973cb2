import Stripe from 'stripe';
import { TechnicalFailure, type TechnicalFailureType } from '../../domain/failures.ts';
import type { RefundRequested, SpentKeyFailure } from '../../ports/payment-gateway.ts';
import { isLostRequest } from './stripe-http-client.ts';

/** What the table below looks at. */
export interface StripeErrorFacts {
  /** HTTP status; undefined when no readable answer came. */
  status: number | undefined;
  code: string | undefined;
  /** Stripe's `error.type`, for example `card_error`. */
  type: string | undefined;
  param: string | undefined;
  message: string;
  /** False when the request never left this machine. */
  sent: boolean;
  /**
   * Stripe keeps this answer under the idempotency key: it says that this is a replay (`idempotent-replayed: true`), or
   * that trying a 5xx again is in vain (`stripe-should-retry: false`).
   */
  stored: boolean;
  retryAfterMs: number | undefined;
}

interface Row {
  when(facts: StripeErrorFacts): boolean;
  type: TechnicalFailureType;
  /** What an operator reads: what the failure says about the effect. */
  meaning: string;
  retryAfterMs?: number;
  keyRefused?: true;
}

/**
 * Stripe's errors as ours, first fit. Sources: https://docs.stripe.com/api/errors, /error-low-level and
 * /api/idempotent_requests: an answer is stored once a request has begun to execute, errors 500 included; refusals
 * before that (429, 401, 409 for a key in use) are not.
 */
const rows: readonly Row[] = [
  { when: (f) => !f.sent, type: 'ProviderUnavailable', meaning: 'no connection, so nothing was done' },
  {
    when: (f) => f.status === undefined,
    type: 'OutcomeUnknown',
    meaning: 'no readable answer; it may have happened',
  },
  {
    when: (f) => f.status === 409,
    type: 'OutcomeUnknown',
    meaning: 'the same request is still being worked on',
    retryAfterMs: 1_000,
  },
  {
    when: (f) => f.status === 429 || f.code === 'rate_limit' || f.code === 'lock_timeout',
    type: 'ProviderUnavailable',
    meaning: 'too many requests, so nothing was done',
    retryAfterMs: 1_000,
  },
  {
    when: (f) => f.status !== undefined && f.status >= 500,
    type: 'OutcomeUnknown',
    meaning: 'an error at Stripe; it may have happened',
  },
  {
    when: (f) => f.status === 401,
    type: 'ProviderMisconfigured',
    keyRefused: true,
    meaning: 'the secret key is refused: check STRIPE_SECRET_KEY',
  },
  {
    when: (f) => f.status === 403,
    type: 'ProviderMisconfigured',
    meaning: 'the secret key may not do this: check its permissions at Stripe, or STRIPE_SECRET_KEY',
  },
  {
    when: (f) => f.type === 'idempotency_error',
    type: 'ProviderMisconfigured',
    meaning: 'the idempotency key was used with other parameters before: was SQL reset or restored?',
  },
  {
    when: () => true,
    type: 'ProviderMisconfigured',
    meaning: 'Stripe refuses the request, so nothing was done',
  },
];

/** Any error of a Stripe call as a technical failure; `keySpent` where Stripe says that it keeps the answer. */
export function stripeFailure(
  error: unknown,
  { operation, subject }: { operation: string; subject: string },
): TechnicalFailure {
  if (error instanceof TechnicalFailure) return error;
  const facts = stripeErrorFacts(error);
  const row = rows.find(({ when }) => when(facts)) as Row;
  const answer = [facts.status, facts.code ?? facts.type].filter((part) => part !== undefined).join(' ');
  const message = `Stripe ${operation} for ${subject}: ${row.meaning} (${answer || 'no answer'}: ${facts.message})`;
  const retryAfterMs = facts.retryAfterMs ?? row.retryAfterMs;
  const failure = new TechnicalFailure(row.type, message, {
    cause: error,
    summary: `Stripe ${operation}: ${row.meaning} (${answer || 'no answer'})`,
    ...(row.keyRefused ? { keyRefused: true } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
  if (facts.status === 404) return Object.assign(failure, { unknownThere: true as const });
  return facts.stored ? spentKey(failure) : failure;
}

const spentKey = (failure: TechnicalFailure): SpentKeyFailure =>
  Object.assign(failure, { keySpent: true as const });

function stripeErrorFacts(error: unknown): StripeErrorFacts {
  const stripeError = error instanceof Stripe.errors.StripeError ? error : undefined;
  const headers: Record<string, string> = stripeError?.headers ?? {};
  const detail: unknown = stripeError?.detail ?? error;
  const lost = isLostRequest(detail) ? detail : undefined;
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return {
    status: stripeError?.statusCode,
    code: stripeError?.code,
    type: stripeError?.rawType,
    param: stripeError?.param,
    message: lost?.message ?? (error instanceof Error ? error.message : String(error)),
    sent: lost?.sent ?? true,
    stored:
      isReplay(headers) ||
      ((stripeError?.statusCode ?? 0) >= 500 && headers['stripe-should-retry'] === 'false'),
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1_000 : undefined,
  };
}

/** Whether Stripe says that this answer was kept under the request's idempotency key. */
export const isReplay = (headers: Record<string, string> | undefined): boolean =>
  headers?.['idempotent-replayed'] === 'true';

/** Codes by which Stripe refuses this payment method or amount for good, beside every 402. */
const refusalCodes = new Set([
  'amount_too_large',
  'amount_too_small',
  'payment_intent_incompatible_payment_method',
  'payment_intent_payment_attempt_expired',
  'payment_intent_payment_attempt_failed',
  'payment_method_unactivated',
  'payment_method_unexpected_state',
]);

/** Why Stripe will not charge that payment method; undefined when the error says something else. */
export function paymentRefusal(error: unknown): { reason: string; declineCode?: string } | undefined {
  const { status, code, param, message } = stripeErrorFacts(error);
  const refused =
    status === 402 ||
    ((status === 400 || status === 404) &&
      (refusalCodes.has(code ?? '') || param?.startsWith('payment_method') === true));
  if (!refused) return undefined;
  /* The SDK gives '' where Stripe gave no decline code. */
  const declineCode = (error instanceof Stripe.errors.StripeError ? error.decline_code : undefined) || code;
  return { reason: message || 'The payment was declined.', ...(declineCode ? { declineCode } : {}) };
}

/**
 * Why Stripe does not refund as things are now; undefined when the error says something else. A refusal that Stripe
 * replays from under its key says how things were.
 */
export function refundRefusal(
  error: unknown,
): Omit<Extract<RefundRequested, { status: 'refused' }>, 'status'> | undefined {
  const { status, code, param, stored, message } = stripeErrorFacts(error);
  if (status !== 400 || stored) return undefined;
  const refused =
    refundRefusals[code ?? ''] ?? (param === 'amount' ? ('amount_too_large' as const) : undefined);
  return refused && { code: refused, reason: message };
}

const refundRefusals: Record<string, Extract<RefundRequested, { status: 'refused' }>['code']> = {
  charge_already_refunded: 'nothing_left',
  charge_disputed: 'disputed',
  charge_not_refundable: 'not_refundable',
  payment_intent_unexpected_state: 'not_refundable',
};

/** The intent that came with a refusal because of its state, for example "already succeeded". */
export function intentInError(error: unknown): Stripe.PaymentIntent | undefined {
  if (!(error instanceof Stripe.errors.StripeError)) return undefined;
  return error.code === 'payment_intent_unexpected_state' ? error.payment_intent : undefined;
}
