import { addressMetadata } from './address-metadata.ts';
import type { Address } from './order.ts';
import { cleanLine, refuseLine } from './text.ts';

/*
 * What makes an address, the same at HTTP, in signals and updates and on the command line. Which parts a country's
 * addresses have and need, and how its postal codes look, is published metadata.
 */

/** Most characters (code points) of each part. */
export const addressLengths = {
  name: 100,
  street1: 200,
  street2: 200,
  city: 100,
  state: 100,
  postalCode: 20,
} as const;
type AddressText = keyof typeof addressLengths;

export interface AddressProblem {
  field: AddressText | 'country' | 'phone';
  reason: string;
}

/** Parts that some countries do not have or need; empty and null mean absent. */
export type GivenAddress = {
  [Part in keyof Address]?: Address[Part] | null | undefined;
};

interface CountryRules {
  /** Letters of the metadata: S state, C city, Z postal code. */
  parts: string;
  required: string;
  example: string | undefined;
  pattern: string | undefined;
}

/** Read on demand: every cached workflow would hold a table of its own. */
function rulesOf(country: string): CountryRules | undefined {
  const start = /^[A-Z]{2}$/.test(country) ? addressMetadata.indexOf(`\n${country} | `) : -1;
  if (start === -1) return undefined;
  const line = addressMetadata.slice(start + 1, addressMetadata.indexOf('\n', start + 1));
  const [, parts = '', required = '', example, pattern] = line.split(' | ');
  return { parts, required, example, pattern };
}

/** Whether `code` is an assigned code of ISO 3166-1 alpha-2, in upper case. */
export const isCountryCode = (code: string): boolean => rulesOf(code) !== undefined;

export const hasPostalCodes = (country: string): boolean => rulesOf(country)?.parts.includes('Z') ?? true;

/**
 * What a country's rules have against the parts given, each of them fit by itself. A part that the country does not
 * have is taken: published rules are behind countries that begin to have one. A state may be left out where the postal
 * code tells it, and where a city stands for it because none is required (Hong Kong, Dubai).
 */
export function countryProblems(address: GivenAddress): AddressProblem[] {
  const { country, city, state, postalCode } = address;
  const rules = rulesOf(typeof country === 'string' ? country : '');
  if (!rules) return [{ field: 'country', reason: 'expected an ISO 3166-1 alpha-2 code in upper case' }];
  const problems: AddressProblem[] = [];
  const { required, example, pattern } = rules;
  const such = example ? `, such as ${example}` : '';
  const cityRequired = required.includes('C');
  if (cityRequired && !city) problems.push({ field: 'city', reason: `required in ${country}` });
  if (required.includes('S') && !state && !postalCode && (cityRequired || !city))
    problems.push({ field: 'state', reason: `required in ${country}` });
  if (required.includes('Z') && !postalCode)
    problems.push({ field: 'postalCode', reason: `required in ${country}${such}` });
  if (postalCode && pattern && !fits(pattern, postalCode))
    problems.push({ field: 'postalCode', reason: `expected a postal code of ${country}${such}` });
  return problems;
}

/** Mail from abroad puts a country's letters before its codes: `D-10115`, `L-1234`. */
function fits(pattern: string, code: string): boolean {
  const whole = new RegExp(`^(?:${pattern})$`, 'i');
  return whole.test(code) || whole.test(code.replace(/^[A-Za-z]{1,3}[- ]/, ''));
}

/**
 * The city as carriers take one, who want it everywhere: where an address has none, its state, or its country's name
 * where the country is the place (Macao, Gibraltar).
 */
export const cityOf = ({ city, state, country }: Address): string =>
  city ?? state ?? new Intl.DisplayNames('en', { type: 'region' }).of(country) ?? country;

/**
 * An address as people type it: texts cleaned, empty parts left out, and nothing that came with it. Parts that are no
 * text stay as they are, for `addressProblems` to refuse.
 */
export function pickAddress(given: unknown): Address {
  const fields = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>;
  const parts = ['name', 'street1', 'street2', 'city', 'state', 'postalCode', 'country', 'phone'];
  const picked = parts.flatMap((part) => {
    const value = fields[part];
    const text = typeof value === 'string' ? cleanLine(value) : value;
    return text === undefined || text === null || text === '' ? [] : [[part, text] as const];
  });
  return Object.fromEntries(picked) as unknown as Address;
}

/** All that is against a picked address, whatever its parts are. */
export function addressProblems(address: GivenAddress): AddressProblem[] {
  const problems = (Object.keys(addressLengths) as AddressText[]).flatMap((field): AddressProblem[] => {
    const reason = refusePart(field, address[field]);
    return reason === undefined ? [] : [{ field, reason }];
  });
  if (!isPhone(address.phone)) problems.push({ field: 'phone', reason: phoneWanted });
  return problems.length > 0 ? problems : countryProblems(address);
}

/** E.164: what carriers take. Whether the number is in use changes with every country's plan, and only they can tell. */
export const phonePattern = '^\\+[1-9][0-9]{6,14}$';
export const phoneWanted = 'expected an international number, such as +918012345678';

/** Whether it is a phone number, or none is given. */
const isPhone = (phone: unknown): boolean =>
  phone === undefined ||
  phone === null ||
  (typeof phone === 'string' && new RegExp(phonePattern).test(phone));

function refusePart(field: AddressText, value: unknown): string | undefined {
  if (value === undefined) return field === 'name' || field === 'street1' ? 'required' : undefined;
  return typeof value === 'string' ? refuseLine(value, addressLengths[field]) : 'expected a text';
}
