import { z } from '@hono/zod-openapi';
import { resolveActions } from '../domain/order.ts';
import { cleanLine, refuseLine } from '../domain/text.ts';
import { currencyExponents, formatAmount, type Currency, type Money } from '../domain/money.ts';
import { invalidFields } from './body.ts';
import { isCountryCode } from './country-codes.ts';

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

/** One line of text of 1 to `maximum` characters, see `domain/text.ts`. */
export const textField = (maximum: number) =>
  z
    .string()
    .overwrite(cleanLine)
    .check((input) => {
      const message = refuseLine(input.value, maximum);
      if (message !== undefined) input.issues.push({ code: 'custom', message, input: input.value });
    })
    .openapi({ minLength: 1, maxLength: maximum });

/** Addr-spec of RFC 5321 without quoted local parts; internationalized domains in their ASCII form. */
const emailPattern =
  /^(?=.{1,254}$)(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])$/;

export const emailField = z
  .string()
  .max(254, 'expected at most 254 characters')
  .refine((text) => text.length <= 254 && emailPattern.test(text), 'expected an email address')
  .openapi({ format: 'email', example: 'asha@example.com' });

const countryField = z
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
    amount: z.string().max(32, 'expected at most 32 characters').openapi({ example: '1499.00' }),
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
  name: textField(100).openapi({ example: 'Asha Rao' }),
  street1: textField(200).openapi({ example: '12 MG Road' }),
  street2: textField(200).optional(),
  city: textField(100).openapi({ example: 'Bengaluru' }),
  state: textField(100).optional(),
  postalCode: textField(20).openapi({ example: '560001' }),
  country: countryField,
};

export const addressExample = {
  name: 'Asha Rao',
  street1: '12 MG Road',
  city: 'Bengaluru',
  state: 'KA',
  postalCode: '560001',
  country: 'IN',
};

export const addressField = z.strictObject(addressFields).openapi('Address', { example: addressExample });

export const reasonField = textField(500).openapi({ example: 'The customer asked for it' });

/** The person behind an operator's API key; the trail then keeps both. */
export const actorField = textField(64)
  .optional()
  .openapi({ description: 'The person, beside the API key’s caller. Operators only.', example: 'grace' });

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
    .openapi({ example: '2026-01-02T12:00:00Z' }),
  minutes: z.int().min(1).max(525_600).optional().openapi({ description: 'Minutes from now.' }),
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
    reason: reasonField.optional(),
    actor: actorField,
  })
  .openapi('ShippingAddressChange', { example: { ...addressExample, reason: 'Corrected house number' } });
