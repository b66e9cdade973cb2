import { addressProblems, pickAddress } from '../domain/address.ts';
import { cleanLine, unprintables } from '../domain/text.ts';
import type { Act } from '../domain/order-run.ts';

/**
 * Acts as people type them: anything may come. What is read here holds no more than the audit trail and the activities
 * take, whatever its type was; it never throws, since an error in a signal's handler would stop the whole order.
 */

/** A person of up to 64 characters, and in brackets the API caller who acts for them. */
const MAXIMUM_ACTOR = 160;

/** What may be left out is filled in; texts are cut to the trail's lengths. */
export function readAct<A extends Act>(given: unknown, way: 'update' | 'signal'): A {
  const fields = typeof given === 'object' && given !== null ? given : {};
  const { actor, reason, address, fingerprint, ...rest } = fields as Record<string, unknown>;
  const isDigest = typeof fingerprint === 'string' && /^[0-9a-f]{64}$/.test(fingerprint);
  return {
    ...(withoutFormat(rest) as Record<string, unknown>),
    ...(address === undefined ? {} : { address }),
    ...(isDigest ? { fingerprint } : {}),
    actor: clean(actor, MAXIMUM_ACTOR) || way,
    reason: clean(reason, 500) || `by ${way}`,
  } as unknown as A;
}

/**
 * A text on one line, at most `length` long, without what HTTP drops or refuses in texts; empty when it is none. Nobody
 * reads the refusal of a signal for the sake of its reason.
 */
const clean = (value: unknown, length: number): string =>
  typeof value === 'string'
    ? cleanLine(value.slice(0, length).toWellFormed().replaceAll(unprintables, ' ')).trim()
    : '';

const formats = new RegExp(`(?!\\p{Cc})${unprintables.source}`, 'gu');

/** Ids and words of an act, and of its `input`, as one sees them; an address is read by rules of its own. */
function withoutFormat(value: unknown): unknown {
  if (typeof value === 'string') return cleanLine(value).replaceAll(formats, '') || value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutFormat(inner)]));
}

/** Why this is no text of 1 to 255 characters on one line. */
export const refuseText = (field: string, value: unknown): string | undefined =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= 255 &&
  value.isWellFormed() &&
  !/\p{Cc}/u.test(value)
    ? undefined
    : `${field}: expected a text of 1 to 255 characters on one line.`;

/** Why this is no address; named as in the API's answers. */
export function misreadAddress(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null) return 'address: expected an object.';
  const [problem] = addressProblems(pickAddress(given));
  return problem && `address.${problem.field}: ${problem.reason}.`;
}

const required = ['name', 'street1', 'city', 'postalCode', 'country'] as const;
const optional = ['street2', 'state'] as const;

/** The rule of histories without the marker `address-rules`: every country has cities and postal codes of any look. */
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
