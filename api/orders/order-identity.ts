import { createHash, createHmac } from 'node:crypto';
import { orderId, type OrderId } from '../../domain/ids.ts';
import type { Currency } from '../../domain/money.ts';
import type { Checkout } from '../../domain/order.ts';
import { canonicalJson, fingerprintText } from '../../domain/placed-request.ts';
import type { RequestRefund } from '../../domain/refunds.ts';

/** Namespace of order ids; never changes, since it decides which order a key means. */
const NAMESPACE = Buffer.from('5f0c2f3a6d0e4c0f9a7b1d2e3c4b5a69', 'hex');
const ROUTE = 'POST /checkout';

/**
 * The order id of a checkout: UUID version 5 (RFC 9562) of caller, route and Idempotency-Key, so the same key of the
 * same caller always means the same order and Temporal itself refuses a second run.
 */
export const orderIdFor = (input: { callerId: string; idempotencyKey: string }): OrderId =>
  orderId(uuidOf([input.callerId, ROUTE, input.idempotencyKey]));

/** The id of a bulk act, in the same way. */
export const actIdFor = (input: { callerId: string; idempotencyKey: string }): string =>
  uuidOf([input.callerId, 'POST /order-acts', input.idempotencyKey]);

/** The id of a replay or discard, in the same way. */
export const replayIdFor = (input: { callerId: string; idempotencyKey: string }): string =>
  uuidOf([input.callerId, '/dead-letters', input.idempotencyKey]);

function uuidOf(parts: readonly string[]): string {
  const name = JSON.stringify(parts);
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [8, 12, 16, 20, 32].map((end, i, ends) => hex.slice(i === 0 ? 0 : ends[i - 1], end)).join('-');
}

/**
 * What names a request, for `isSameRequest`: SHA-256 over caller, route and checkout with sorted keys, and the currency
 * where the request named one. Never the default currency, which may be another one when the request is repeated.
 */
export function fingerprintOf({ currency: _, ...checkout }: Checkout, asked?: Currency): string {
  const content = canonicalJson([checkout.callerId, ROUTE, checkout]);
  return fingerprintText(createHash('sha256').update(content).digest('base64url'), asked);
}

/** The same as the first version had it, for memos of runs that were started then: the default currency counts. */
export const firstFingerprintOf = (checkout: Checkout): string =>
  createHash('sha256')
    .update(canonicalJson([checkout.callerId, ROUTE, checkout]))
    .digest('hex');

/** The id of an order's refund: 32 hex digits of SHA-256, so that one key refunds an order once, whoever repeats it. */
export const refundIdFor = (input: { orderId: OrderId; idempotencyKey: string }): string =>
  createHash('sha256')
    .update(canonicalJson([input.orderId, 'refund', input.idempotencyKey]))
    .digest('hex')
    .slice(0, 32);

/** SHA-256 (hex) over what a refund is asked for: equal exactly when the requests mean the same. */
export const refundFingerprintOf = (
  wanted: Pick<RequestRefund, 'amount' | 'reason' | 'paidOtherwise'>,
): string => createHash('sha256').update(canonicalJson(wanted)).digest('hex');

/** The search attribute CustomerHash: a keyed HMAC, since search attributes are never encrypted. */
export const customerHashOf = (customerId: string, key: string): string =>
  createHmac('sha256', key).update(`customer:${customerId}`).digest('hex');

/** Keys of customers' hashes: the present one, and those of before, which older orders are found by. */
export interface CustomerHashKeys {
  customerHashKey: string;
  formerCustomerHashKeys?: readonly string[];
}

/** What a search for a customer's orders looks for: one hash, or one for each key there has been. */
export function customerHashesOf(
  customerId: string,
  { customerHashKey, formerCustomerHashKeys = [] }: CustomerHashKeys,
): string | readonly string[] {
  const present = customerHashOf(customerId, customerHashKey);
  if (formerCustomerHashKeys.length === 0) return present;
  return [present, ...formerCustomerHashKeys.map((key) => customerHashOf(customerId, key))];
}

/** Who asks for which act with which body. */
interface WantedAct {
  callerId: string;
  name: string;
  body: unknown;
}

/**
 * HMAC-SHA-256 (hex) over an act's request: equal exactly when the requests mean the same. Keyed, since the body may hold an
 * address or a phone number, which could else be guessed from it.
 */
export const actFingerprintOf = (wanted: WantedAct, { customerHashKey }: CustomerHashKeys): string =>
  actHash(wanted, customerHashKey);

/** Whether the fingerprint is this request's: by a key of today or of before, or without one as acts had it at first. */
export const isFingerprintOf = (fingerprint: string, wanted: WantedAct, keys: CustomerHashKeys): boolean => {
  const { customerHashKey, formerCustomerHashKeys = [] } = keys;
  const keyed = [customerHashKey, ...formerCustomerHashKeys].map((key) => actHash(wanted, key));
  return [...keyed, createHash('sha256').update(canonicalJson(wanted)).digest('hex')].includes(fingerprint);
};

const actHash = (wanted: WantedAct, key: string): string =>
  createHmac('sha256', key)
    .update(`act:${canonicalJson(wanted)}`)
    .digest('hex');

const orderIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a path part can be an order's id at all; anything else is answered 404 without asking anybody. */
export const isOrderId = (text: string): boolean => orderIdPattern.test(text);
