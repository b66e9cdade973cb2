import type { Address } from '../domain/order.ts';
import type { Act } from './messages.ts';

/**
 * Acts as people type them: anything may come. What is read here holds no more than the audit trail and the activities
 * take, whatever its type was; it never throws, since an error in a signal's handler would stop the whole order.
 */

/** A person of up to 64 characters, and in brackets the API caller who acts for them. */
const MAXIMUM_ACTOR = 160;

/** What may be left out is filled in; texts are cut to the trail's lengths. */
export function readAct<A extends Act>(given: unknown, way: 'update' | 'signal'): A {
  const fields = typeof given === 'object' && given !== null ? given : {};
  const { actor, reason, ...rest } = fields as Record<string, unknown>;
  return {
    ...rest,
    actor: clean(actor, MAXIMUM_ACTOR) || way,
    reason: clean(reason, 500) || `by ${way}`,
  } as unknown as A;
}

/** A text on one line, at most `length` long; empty when it is none. */
const clean = (value: unknown, length: number): string =>
  typeof value === 'string'
    ? value
        .slice(0, length)
        .toWellFormed()
        .replaceAll(/\p{Cc}+/gu, ' ')
        .trim()
    : '';

/** Why this is no text of 1 to 255 characters on one line. */
export const refuseText = (field: string, value: unknown): string | undefined =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= 255 &&
  value.isWellFormed() &&
  !/\p{Cc}/u.test(value)
    ? undefined
    : `${field}: expected a text of 1 to 255 characters on one line.`;

const required = ['name', 'street1', 'city', 'postalCode', 'country'] as const;
const optional = ['street2', 'state'] as const;

/** Why this is no address. */
export function refuseAddressShape(address: unknown): string | undefined {
  if (typeof address !== 'object' || address === null) return 'address: expected an object.';
  const fields = address as Record<string, unknown>;
  const given = optional.filter((field) => fields[field] !== undefined);
  for (const field of [...required, ...given]) {
    const refusal = refuseText(`address.${field}`, fields[field]);
    if (refusal) return refusal;
  }
  return undefined;
}

/** The address's own fields, and nothing that came with them. */
export function pickAddress(address: Address): Address {
  const { name, street1, street2, city, state, postalCode, country } = address;
  const given = { ...(street2 === undefined ? {} : { street2 }), ...(state === undefined ? {} : { state }) };
  return { name, street1, ...given, city, postalCode, country };
}
