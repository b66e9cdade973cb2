import { parse } from 'qs';
import { z } from 'zod';
import { invalidRequest } from './stripe-errors.ts';

export type FormBody = Record<string, unknown>;

/** Parses a form or query as Stripe does: `metadata[orderId]=1`, `expand[0]=charge`. */
export const parseForm = (text: string): FormBody =>
  parse(text, { depth: 8, parameterLimit: 1_000, arrayLimit: 100, plainObjects: false });

const paramName = (path: readonly PropertyKey[]): string =>
  path.map((part, index) => (index === 0 ? String(part) : `[${String(part)}]`)).join('');

const valueAt = (body: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    body,
  );

/** Parameters of these calls that Stripe knows and the sandbox does not: refused, but not called unknown. */
const STRIPE_ONLY = new Set(
  (
    'allowed_payment_method_types amount_details application_fee_amount confirmation_token customer ' +
    'customer_account error_on_requires_action excluded_payment_method_types hooks mandate mandate_data on_behalf_of ' +
    'payment_details payment_method_configuration payment_method_data payment_method_options payment_method_types ' +
    'radar_options setup_future_usage transfer_data transfer_group statement_descriptor instructions_email origin ' +
    'refund_application_fee reverse_transfer final_capture amount_to_confirm confirmation_method'
  ).split(' '),
);

const unknownParameters = (names: string[]) => {
  const [first = ''] = names;
  if (STRIPE_ONLY.has(first)) {
    return invalidRequest(
      `The sandbox does not support the parameter ${first}, although Stripe does. Leave it out or teach the sandbox.`,
      { code: 'parameter_unknown', param: first },
    );
  }
  return invalidRequest(`Received unknown parameter${names.length > 1 ? 's' : ''}: ${names.join(', ')}`, {
    code: 'parameter_unknown',
    param: first,
  });
};

type Issue = z.core.$ZodIssue;

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const problemOf = (body: FormBody, issue: Issue) => {
  const param = paramName(issue.path);
  const value = valueAt(body, issue.path);
  if (issue.code === 'unrecognized_keys') {
    return unknownParameters(issue.keys.map((key) => paramName([...issue.path, key])));
  }
  if (value === undefined) {
    return invalidRequest(`Missing required param: ${param}.`, { code: 'parameter_missing', param });
  }
  if (value === '') {
    return invalidRequest(
      `You passed an empty string for '${param}'. We assume empty values are an attempt to unset a parameter; however '${param}' cannot be unset. You should remove '${param}' from your request or supply a non-empty value.`,
      { code: 'parameter_invalid_empty', param },
    );
  }
  if (issue.message === INTEGER) {
    return invalidRequest(`Invalid integer: ${shown(value)}`, { code: 'parameter_invalid_integer', param });
  }
  if (issue.message === EMAIL) {
    return invalidRequest(`Invalid email address: ${shown(value)}`, { code: 'email_invalid', param });
  }
  if (issue.code === 'invalid_value') {
    return invalidRequest(`Invalid ${param}: must be one of ${issue.values.join(', ')}`, { param });
  }
  return invalidRequest(`Invalid ${param}: ${issue.message}`, { param });
};

/**
 * Parses parameters by a schema; throws Stripe's own refusal of the first that does not fit. This happens before
 * execution begins, so such an answer is never stored under an idempotency key.
 */
export const parseParams = <T>(schema: z.ZodType<T>, body: FormBody): T => {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues;
  const worst = issues.find((issue) => issue.code === 'unrecognized_keys') ?? issues[0];
  throw worst ? problemOf(body, worst) : invalidRequest('Invalid request.');
};

const INTEGER = 'integer';
const EMAIL = 'email';

const integer = z
  .string()
  .regex(/^-?\d{1,15}$/, INTEGER)
  .transform(Number);
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const text = z.string().min(1).max(5_000);
const metadata = z
  .record(z.string().min(1).max(40), z.string().max(500))
  .refine((value) => Object.keys(value).length <= 50, 'at most 50 keys')
  .transform((value) => Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== '')));
const expand = z.array(text).max(20).optional();
const address = z.record(z.string(), z.string());
const shipping = z.strictObject({
  name: text,
  address,
  phone: text.optional(),
  carrier: text.optional(),
  tracking_number: text.optional(),
});

const confirmable = {
  payment_method: text.optional(),
  off_session: flag.optional(),
  return_url: z.url().optional(),
  receipt_email: z
    .string()
    .regex(/^[^\s@]+@[^\s@]+$/, EMAIL)
    .optional(),
  shipping: shipping.optional(),
  capture_method: z.enum(['automatic', 'automatic_async', 'manual']).optional(),
  use_stripe_sdk: flag.optional(),
  expand,
};

export const createIntentSchema = z.strictObject({
  amount: integer,
  currency: text,
  automatic_payment_methods: z
    .strictObject({ enabled: flag, allow_redirects: z.enum(['always', 'never']).default('always') })
    .optional(),
  confirm: flag.optional(),
  description: z.string().min(1).max(1_000).optional(),
  metadata: metadata.optional(),
  statement_descriptor_suffix: z.string().min(1).max(22).optional(),
  ...confirmable,
});

export const confirmIntentSchema = z.strictObject(confirmable);

export const cancelIntentSchema = z.strictObject({
  cancellation_reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned']).optional(),
  expand,
});

export const captureIntentSchema = z.strictObject({
  amount_to_capture: integer.optional(),
  metadata: metadata.optional(),
  statement_descriptor_suffix: z.string().min(1).max(22).optional(),
  expand,
});

export const createRefundSchema = z.strictObject({
  payment_intent: text.optional(),
  charge: text.optional(),
  amount: integer.optional(),
  currency: text.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata: metadata.optional(),
  expand,
});

export const retrieveSchema = z.strictObject({ expand, client_secret: text.optional() });

const limit = integer.refine((value) => value >= 1 && value <= 100, 'must be between 1 and 100').default(10);

const range = z.strictObject({
  gt: integer.optional(),
  gte: integer.optional(),
  lt: integer.optional(),
  lte: integer.optional(),
});
const at = integer.transform((second): z.output<typeof range> => ({ gte: second, lte: second }));
const created = z.union([at, range]).optional();
const page = { limit, starting_after: text.optional(), ending_before: text.optional(), created, expand };

export const listSchema = z.strictObject(page);

export const listOfIntentSchema = z.strictObject({
  ...page,
  payment_intent: text.optional(),
  charge: text.optional(),
});

export const searchSchema = z.strictObject({ query: text, limit, page: text.optional(), expand });

export type ListParams = z.output<typeof listSchema>;
export type CreateIntentParams = z.output<typeof createIntentSchema>;
export type ConfirmIntentParams = z.output<typeof confirmIntentSchema>;
export type CreateRefundParams = z.output<typeof createRefundSchema>;
