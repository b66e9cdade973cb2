import { domainToASCII } from 'node:url';
import { z } from '@hono/zod-openapi';
import {
  addressLengths,
  countryProblems,
  isCountryCode,
  phonePattern,
  phoneWanted,
  type GivenAddress,
} from '../../domain/address.ts';
import { needsPapers } from '../../domain/customs.ts';
import { resolveActions, type Address } from '../../domain/order.ts';
import { withCustomerMessage } from '../../domain/outside-words.ts';
import { cleanLine, refuseLine } from '../../domain/text.ts';
import { currencyExponents, formatAmount, type Currency, type Money } from '../../domain/money.ts';
import { invalidFields } from './body.ts';
import type { FieldError } from './problems.ts';

/*
 * The fields requests are made of. Each is read as it is or refused with a reason; only text is cleaned (outer white
 * space and invisible characters dropped, Unicode NFC), before its length counts.
 */

/** ASCII only: look-alikes from other scripts, path parts and control characters are no ids. */
const idOf = (maximum: number) =>
  z
    .string()
    .regex(new RegExp(`^[A-Za-z0-9._-]{1,${maximum}}$`), `expected 1 to ${maximum} of A-Z a-z 0-9 . _ -`);

/** A customer that orders may name already: older releases took `.` and `..`, which an address swallows. */
export const knownCustomerIdField = idOf(64).openapi({ example: 'customer-42' });
export const customerIdField = idOf(64)
  .refine((id) => !/^\.{1,2}$/.test(id), 'expected neither . nor ..')
  .openapi({ example: 'customer-42' });
export const productIdField = idOf(64).openapi({ example: 'keyboard' });
/** The payment provider's id of a payment method. */
export const paymentMethodField = idOf(255).openapi({ example: 'pm_card_visa' });

/** What `refuseLine` refuses, as far as regular expressions of all languages write it alike. */
export const oneLine = '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]*$';

const lineOf = (maximum: number, refuses: (text: string) => string | undefined) =>
  z
    .string()
    .overwrite(cleanLine)
    .check((input) => {
      const message = refuses(input.value);
      if (message !== undefined) input.issues.push({ code: 'custom', message, input: input.value });
    })
    .openapi({ maxLength: maximum, pattern: oneLine });

/** One line of text of 1 to `maximum` characters, see `domain/text.ts`. */
export const textField = (maximum: number) =>
  lineOf(maximum, (text) => refuseLine(text, maximum)).openapi({ minLength: 1 });

/** A text or none: forms and serializers write an empty text or null for what they have not. */
const orNone = (text: z.ZodString) => text.nullish().transform((given) => given || undefined);

/** One line of text, or none. */
export const optionalTextField = (maximum: number) =>
  orNone(lineOf(maximum, (text) => (text === '' ? undefined : refuseLine(text, maximum))));

/** A field that may be left out, or be null, which means the same. */
export const absentable = <Schema extends z.ZodType>(schema: Schema) =>
  nullable(schema)
    .optional()
    .transform((value): z.output<Schema> | undefined => value ?? undefined);

/** Addr-spec of RFC 5321 without quoted local parts; internationalized domains in their ASCII form. */
const emailPattern =
  /^(?=.{1,254}$)(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])$/;

/**
 * A mail address. Its domain may be written in any script and is kept as ASCII (`xn--`). A local part beyond ASCII needs
 * every mail server on the way to speak SMTPUTF8 and is refused.
 */
export const emailField = z
  .string()
  .max(254, 'expected at most 254 characters')
  .overwrite(asciiDomain)
  .check((input) => {
    const refuse = (message: string) => input.issues.push({ code: 'custom', message, input: input.value });
    const text = input.value;
    const [local = ''] = text.split('@');
    if (text.length > 254) refuse('expected at most 254 characters, with the domain in its ASCII form');
    else if (/[^\p{ASCII}]/u.test(local)) refuse('expected only ASCII characters before the @ (no SMTPUTF8)');
    else if (!emailPattern.test(text)) refuse('expected an email address');
  })
  .openapi({ format: 'email', example: 'asha@example.com' });

/** An ASCII domain stays as it is written, so that a repeated request means the same. */
function asciiDomain(text: string): string {
  const at = text.lastIndexOf('@');
  const domain = text.slice(at + 1);
  if (at === -1 || text.length > 254 || /^\p{ASCII}*$/u.test(domain)) return text;
  return `${text.slice(0, at)}@${domainToASCII(domain) || domain}`;
}

export const countryField = z
  .string()
  .refine(isCountryCode, 'expected an ISO 3166-1 alpha-2 code in upper case')
  .openapi({ pattern: '^[A-Z]{2}$', example: 'IN' });

export const currencyField = z
  .enum(Object.keys(currencyExponents) as [Currency], 'expected a supported ISO 4217 code in upper case')
  .openapi({ example: 'INR' });

/** A component or null. `schema.nullable()` would write `allOf` with the component, which forbids null. */
export const nullable = <Schema extends z.ZodType>(schema: Schema) => z.union([schema, z.null()]);

/** Money on the API: a decimal string with at most the currency's decimals. Whether it is an amount is checked later. */
export const moneyField = z
  .strictObject({
    amount: z
      .string()
      .max(32, 'expected at most 32 characters')
      .openapi({ pattern: String.raw`^-?(0|[1-9]\d*)(\.\d+)?$`, example: '1499.00' }),
    currency: currencyField,
  })
  .openapi('Money', { example: { amount: '1499.00', currency: 'INR' } });

export type MoneyBody = z.infer<typeof moneyField>;

export const moneyBody = (money: Money): MoneyBody => ({
  amount: formatAmount(money),
  currency: money.currency,
});

/** Why the shop distrusts an order, in a word of its own: `velocity`, `new-account`. No personal data. */
export const riskMarkField = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._:-]{0,63}$/, 'expected 1 to 64 letters, digits, spaces and . _ : -')
  .openapi({ example: 'new-account' });

const addressFields = {
  name: textField(addressLengths.name).openapi({ example: 'Asha Rao' }),
  street1: textField(addressLengths.street1).openapi({ example: '12 MG Road' }),
  street2: optionalTextField(addressLengths.street2),
  city: optionalTextField(addressLengths.city).openapi({
    description: 'Required where the country’s addresses need one.',
    example: 'Bengaluru',
  }),
  state: optionalTextField(addressLengths.state).openapi({
    description: 'Required where the country’s addresses need one.',
    example: 'KA',
  }),
  postalCode: optionalTextField(addressLengths.postalCode).openapi({
    description:
      'Required where the country has postal codes and its addresses need one; then it looks like one.',
    example: '560001',
  }),
  country: countryField,
  phone: orNone(
    z
      .string()
      .overwrite(cleanLine)
      .regex(new RegExp(`^$|${phonePattern}`), phoneWanted),
  ).openapi({
    description:
      'The recipient’s, E.164. Required for a parcel that goes through customs: to another country than it leaves from, ' +
      'and to US military posts and territories.',
    example: '+918012345678',
  }),
};

/** What an address beyond a customs border lacks, as far as it is known without the catalog. */
export const refusePhone = (from: Address, to: Address): FieldError[] =>
  to.phone === undefined && needsPapers(from, to)
    ? [{ field: 'phone', reason: `required, since the parcel goes through customs: ${phoneWanted}` }]
    : [];

/** Parts that are fit by themselves, against their country's rules. */
function checkCountry(input: { value: GivenAddress; issues: z.core.$ZodRawIssue[] }): void {
  for (const { field, reason } of countryProblems(input.value)) {
    input.issues.push({ code: 'custom', message: reason, path: [field], input: input.value });
  }
}

export const addressExample = {
  name: 'Asha Rao',
  street1: '12 MG Road',
  city: 'Bengaluru',
  state: 'KA',
  postalCode: '560001',
  country: 'IN',
};

export const addressField = z
  .strictObject(addressFields)
  .check(checkCountry)
  .openapi('Address', { example: addressExample });

export const reasonField = textField(500).openapi({ example: 'The customer asked for it' });

export const optionalReasonField = optionalTextField(500).openapi({ example: 'The customer asked for it' });

/** The person behind an operator's API key; the trail then keeps both. */
export const actorField = optionalTextField(64).openapi({
  description: 'The person, beside the API key’s caller. Operators only.',
  example: 'grace',
});

/** What an act may say to outsiders; its reason is for the house. */
export const customerMessageField = optionalTextField(200).openapi({
  description: 'What the shop and the customer may read of it; `reason` is for operators alone.',
  example: 'We could not reach you about the address.',
});

/** The reason as it is kept, with what outsiders may read of it; 422 where that is too long for the trail. */
export function reasonWith(reason: string, customerMessage: string | undefined): string {
  const whole = withCustomerMessage(reason, customerMessage);
  if (customerMessage === undefined || whole.length <= 500) return whole;
  const why = 'expected at most 470 characters together with the reason';
  throw invalidFields([{ field: '/customerMessage', reason: why }]);
}

/** In a body, which refuses unknown fields: nobody who misspells it acts. */
export const dryRunField = z
  .literal(true)
  .optional()
  .openapi({ description: 'Nothing is done: the answer says what would be, or why not.' });

/** What `resolve` takes; whether an action is legal, and what it needs, the order's own rules say. */
export const resolveFields = {
  action: z.enum(resolveActions),
  input: z
    .strictObject({
      service: textField(255).optional().openapi({ description: 'The carrier’s name of a service.' }),
      paymentMethodId: paymentMethodField.optional(),
    })
    .optional()
    .openapi({ description: 'What `retry-with` changes.' }),
};

/** A deadline, given as a time or as minutes from now. */
export const deadlineFields = {
  untilUtc: z.iso
    .datetime('expected an ISO 8601 time in UTC, such as 2026-01-02T03:04:05Z')
    .optional()
    .openapi({ pattern: 'Z$', example: '2026-01-02T12:00:00Z' }),
  minutes: z.int().min(1).max(525_600).optional().openapi({ description: 'Minutes from now.' }),
};

/** For the schema of a body with `deadlineFields`: what `deadlineOf` refuses. */
export const oneDeadline = {
  oneOf: [
    { properties: { untilUtc: {} }, required: ['untilUtc'] },
    { properties: { minutes: {} }, required: ['minutes'] },
  ],
};

/** 422 unless exactly one of the two is given; `at` is the pointer to where they are. */
export function deadlineOf(
  { untilUtc, minutes }: { untilUtc?: string | undefined; minutes?: number | undefined },
  nowUtc: string,
  at = '',
): string {
  if (untilUtc !== undefined && minutes === undefined) return new Date(untilUtc).toISOString();
  if (minutes !== undefined && untilUtc === undefined) {
    return new Date(Date.parse(nowUtc) + minutes * 60_000).toISOString();
  }
  throw invalidFields([{ field: `${at}/untilUtc`, reason: 'expected either untilUtc or minutes' }]);
}

/** A whole new shipping address and, where wanted, why. */
export const addressChangeField = z
  .strictObject({
    ...addressFields,
    dryRun: dryRunField,
    reason: optionalReasonField,
    customerMessage: customerMessageField,
    actor: actorField,
  })
  .check(checkCountry)
  .openapi('ShippingAddressChange', { example: { ...addressExample, reason: 'Corrected house number' } });
