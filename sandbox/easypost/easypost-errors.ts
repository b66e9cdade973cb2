import { type Reply, refusal } from '../refusal.ts';

/** An error in EasyPost's shape: `{ error: { code, message, errors } }`. */
const easypostError = (status: number, code: string, message: string, errors: unknown[] = []): Reply => ({
  status,
  body: { error: { code, message, errors } },
});

export const refused = (status: number, code: string, message: string, errors: unknown[] = []) =>
  refusal(easypostError(status, code, message, errors), message);

/** 422 for a parameter that is missing or cannot be used. */
export const invalidParameter = (field: string, message: string) =>
  refused(422, 'PARAMETER.INVALID', message, [{ field, message }]);

export const missingParameter = (field: string) =>
  refused(422, 'PARAMETER.REQUIRED', `Missing required parameter: ${field}`, [
    { field, message: 'cannot be blank' },
  ]);

export const notFound = () => refused(404, 'NOT_FOUND', 'The requested resource could not be found.');

export const unauthorized = () =>
  refused(
    401,
    'APIKEY.INACTIVE',
    'This api key is no longer active. Please use a different api key or reactivate this key.',
  );

export const rateLimited = (rule: { retryAfterSeconds?: number | undefined }): Reply => ({
  ...easypostError(429, 'RATE_LIMITED', 'You have exceeded your rate limit. Please try again later.'),
  ...(rule.retryAfterSeconds !== undefined && { headers: { 'retry-after': String(rule.retryAfterSeconds) } }),
});

export const unavailable = (): Reply =>
  easypostError(
    503,
    'SERVICE.UNAVAILABLE',
    'The service is temporarily unavailable. Please try again later.',
  );

/** The answer of an `error` fault. */
export const faultReply = (rule: {
  status: number;
  code?: string | undefined;
  message?: string | undefined;
}): Reply =>
  easypostError(
    rule.status,
    rule.code ?? (rule.status >= 500 ? 'INTERNAL_SERVER_ERROR' : 'PARAMETER.INVALID'),
    rule.message ?? 'We are sorry, something went wrong.',
  );
