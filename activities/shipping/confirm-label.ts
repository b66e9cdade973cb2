import { cityOf, hasPostalCodes } from '../../domain/address.ts';
import { operationKeys, type OrderId } from '../../domain/ids.ts';
import type { Address } from '../../domain/order.ts';
import type { BoughtShipment, Recipient } from '../../ports/carrier.ts';
import { sentBack } from './void-shipment.ts';

/** Why a label that a person has bought is not taken as the order's. */
export interface Objection {
  /** Without any part of an address: it is audited. */
  reason: string;
  /** The same with both addresses' parts, for the person who asked. */
  shown?: string;
}

interface Wanted {
  orderId: OrderId;
  n: number;
  address: Address;
  /** A person has seen that name, street or city differ, and takes the label all the same. */
  differencesConfirmed?: boolean | undefined;
}

/**
 * What the carrier says of a label, against the order: it was not sent back, carries a reference of the order and goes to
 * the country and postal code of its present address; to its name, street and city as well, unless a person confirms
 * that they differ. Carriers rewrite those ("Street" becomes "ST"), so they alone do not make it another order's label.
 */
export function objectionTo(
  shipmentId: string,
  { refund, reference = '', recipient = {} }: BoughtShipment,
  { orderId, n, address, differencesConfirmed }: Wanted,
): Objection | undefined {
  if (sentBack(refund))
    return { reason: `The label of shipment ${shipmentId} was sent back to the carrier.` };
  if (!referencesUpTo(orderId, n).includes(reference)) {
    const came = `"${reference.slice(0, 80)}"`;
    const ours = operationKeys.generateShipment(orderId, n);
    return { reason: `Shipment ${shipmentId} carries the reference ${came}; expected ${ours}.` };
  }
  if (!sameRegion(recipient, address)) {
    const there = `${recipient.country ?? 'no country'} ${recipient.postalCode ?? 'without a postal code'}`;
    return {
      reason: `The label of shipment ${shipmentId} goes to another country or postal code than the order.`,
      shown: `The label of shipment ${shipmentId} goes to ${there}; expected ${address.country} ${address.postalCode ?? ''}.`,
    };
  }
  const differing = differencesOf(recipient, address);
  if (differing.length === 0 || differencesConfirmed) return undefined;
  const names = differing.map(({ field }) => field).join(', ');
  const values = differing.map(({ field, came, expected }) => `${field} "${came}", expected "${expected}"`);
  const next = 'Mark it as done with confirmDifferences if it is the order’s all the same.';
  return {
    reason: `The label of shipment ${shipmentId} differs from the order's address in ${names}. ${next}`,
    shown: `The label of shipment ${shipmentId} has ${values.join('; ').slice(0, 250)}. ${next}`,
  };
}

/** Whoever bought it while an address was being corrected has the number of the one before; where it goes is asked below. */
const referencesUpTo = (orderId: OrderId, n: number): string[] =>
  Array.from({ length: n }, (_, index) => operationKeys.generateShipment(orderId, index + 1));

/** Where a country has no postal codes, whoever wrote one had to invent it. */
const sameRegion = (recipient: Recipient, { country, postalCode }: Address): boolean =>
  recipient.country?.toUpperCase() === country &&
  (postalCode === undefined ||
    !hasPostalCodes(country) ||
    plainCode(country, recipient.postalCode ?? '') === plainCode(country, postalCode));

/** Carriers write postal codes with and without spaces and hyphens, and add four digits to those of the United States. */
function plainCode(country: string, postalCode: string): string {
  const plain = postalCode.toUpperCase().replaceAll(/[\s-]/g, '');
  return country === 'US' ? plain.slice(0, 5) : plain;
}

/** What differs in more than case, spaces and punctuation. */
export function differencesOf(
  recipient: Recipient,
  address: Address,
): { field: string; came: string; expected: string }[] {
  return [
    { field: 'name', came: recipient.name ?? '', expected: address.name },
    { field: 'street', came: streetOf(recipient), expected: streetOf(address) },
    { field: 'city', came: recipient.city ?? '', expected: cityOf(address) },
  ].filter(({ came, expected }) => plainText(came) !== plainText(expected));
}

const streetOf = ({ street1, street2 }: Recipient): string => [street1, street2].filter(Boolean).join(' ');

const plainText = (text: string): string =>
  text
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
