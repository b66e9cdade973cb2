import { type Reply, refusal } from '../refusal.ts';
import type { StripeErrorBody } from '../records.ts';

export const docUrl = (code: string): string =>
  `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`;

/** An error answer in Stripe's shape; `doc_url` follows from the code. */
export const stripeError = (status: number, error: StripeErrorBody): Reply => ({
  status,
  body: { error: { ...(error.code && { doc_url: docUrl(error.code) }), ...error } },
});

const thrown = (status: number, error: StripeErrorBody) => refusal(stripeError(status, error), error.message);

/** 400 invalid_request_error, the usual answer to a request that cannot be served as it stands. */
export const invalidRequest = (message: string, more: Omit<Partial<StripeErrorBody>, 'message'> = {}) =>
  thrown(400, { type: 'invalid_request_error', message, ...more });

/** 404 for an id in the path. */
export const notFound = (object: string, id: string, param: string) =>
  thrown(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${object}: '${id}'`,
    param,
  });

export const idempotencyError = (message: string) => thrown(400, { type: 'idempotency_error', message });

export const keyInUse = (key: string) =>
  thrown(409, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
  });

export const unauthorized = (message: string) => thrown(401, { type: 'invalid_request_error', message });

export const rateLimited = (rule: { retryAfterSeconds?: number | undefined }): Reply => ({
  ...stripeError(429, {
    type: 'invalid_request_error',
    code: 'rate_limit',
    message: 'Request rate limit exceeded. You can learn more about rate limits here.',
  }),
  ...(rule.retryAfterSeconds !== undefined && {
    headers: { 'retry-after': String(rule.retryAfterSeconds) },
  }),
});

export const unavailable = (): Reply =>
  stripeError(503, {
    type: 'api_error',
    message: 'The API is temporarily unavailable. Please try again later.',
  });

/** The answer of an `error` fault. */
export const faultReply = (rule: {
  status: number;
  code?: string | undefined;
  message?: string | undefined;
}): Reply =>
  stripeError(rule.status, {
    type: rule.status === 402 ? 'card_error' : rule.status >= 500 ? 'api_error' : 'invalid_request_error',
    message: rule.message ?? 'An unknown error occurred',
    ...(rule.code && { code: rule.code }),
  });
