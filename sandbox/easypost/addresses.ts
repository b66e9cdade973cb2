import { z } from 'zod';
import { easypostId } from '../ids.ts';
import type { AddressFields, AddressProblem, AddressRecord } from '../records.ts';
import { invalidParameter, refused } from './easypost-errors.ts';

const field = z
  .string()
  .max(500)
  .nullish()
  .transform((value) => value?.trim() || null);

const addressSchema = z.looseObject({
  name: field,
  company: field,
  street1: field,
  street2: field,
  city: field,
  state: field,
  zip: z.coerce
    .string()
    .max(500)
    .nullish()
    .transform((value) => value?.trim() || null),
  country: field,
  phone: field,
  email: field,
  residential: z.boolean().nullish(),
});

/** A street with this in it is unknown to every carrier: found when the address is verified. */
const UNDELIVERABLE = /UNDELIVERABLE/i;
const UNKNOWN_ZIP = '00000';

const problem = (code: string, name: string, message: string): AddressProblem => ({
  code,
  field: name,
  message,
  suggestion: null,
});

const missing = (address: AddressFields): AddressProblem | undefined => {
  if (!address.street1) return problem('E.STREET.MISSING', 'street1', 'Missing street');
  if (!address.city && !address.zip)
    return problem('E.CITY_STATE.MISSING', 'city', 'Missing city or postal code');
  if (!/^[A-Z]{2}$/.test(address.country ?? ''))
    return problem('E.COUNTRY.INVALID', 'country', 'Invalid country');
  return undefined;
};

/** What the carrier's database says against delivering to an address. */
export const deliveryProblems = (address: AddressFields): AddressProblem[] => {
  const gap = missing(address);
  if (gap) return [gap];
  const streets = `${address.street1 ?? ''} ${address.street2 ?? ''}`;
  if (UNDELIVERABLE.test(streets) || address.zip === UNKNOWN_ZIP) {
    return [problem('E.ADDRESS.NOT_FOUND', 'address', 'Address not found')];
  }
  return [];
};

/** Throws 422 when it is no address at all. */
export const parseAddress = (input: unknown, nowMs: number): AddressRecord => {
  const parsed = addressSchema.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalidParameter(issue?.path.join('.') || 'address', issue?.message ?? 'Invalid address');
  }
  const { name, company, street1, street2, city, state, zip, country, phone, email, residential } =
    parsed.data;
  const fields = { name, company, street1, street2, city, state, zip, country, phone, email };
  return {
    id: easypostId('adr'),
    createdMs: nowMs,
    ...fields,
    residential: residential ?? null,
    verification: null,
  };
};

/** Verifies delivery. With `strict` an undeliverable address is refused with 422 and not kept. */
export const verified = (address: AddressRecord, strict: boolean): AddressRecord => {
  const errors = deliveryProblems(address);
  if (strict && errors.length > 0) {
    throw refused(422, 'ADDRESS.VERIFY.FAILURE', 'Unable to verify address.', errors);
  }
  return { ...address, verification: { success: errors.length === 0, errors } };
};

const iso = (ms: number): string => new Date(ms).toISOString();

const verificationsOf = ({ verification }: AddressRecord) => {
  if (!verification) return {};
  const details = verification.success
    ? { latitude: 12.9716, longitude: 77.5946, time_zone: 'Asia/Kolkata' }
    : {};
  return { delivery: { ...verification, details } };
};

export const addressObject = (address: AddressRecord) => ({
  id: address.id,
  object: 'Address',
  created_at: iso(address.createdMs),
  updated_at: iso(address.createdMs),
  name: address.name,
  company: address.company,
  street1: address.street1,
  street2: address.street2,
  city: address.city,
  state: address.state,
  zip: address.zip,
  country: address.country,
  phone: address.phone,
  email: address.email,
  mode: 'test',
  carrier_facility: null,
  residential: address.residential,
  federal_tax_id: null,
  state_tax_id: null,
  verifications: verificationsOf(address),
});
