import type { CustomerId } from './ids.ts';
import type { Currency } from './money.ts';
import type { Address, Checkout, OrderItem } from './order.ts';

/** The request that an order was placed with, as far as its row still tells. */
export interface PlacedRequest {
  /** Absent on rows from before it was stored, empty once the customer's personal data was erased. */
  fingerprint?: string;
  currency: Currency;
  customerId: CustomerId;
  customerEmail: string;
  items: readonly OrderItem[];
  paymentMethodId: string;
  shippingAddress: Address;
}

/** A request that comes now. */
export interface AskedRequest {
  checkout: Checkout;
  fingerprint: string;
}

/** `<version>:<digest>`, and the currency where the request itself named one. */
const parts = (fingerprint: string | undefined) => {
  const [version, digest, currency] = (fingerprint ?? '').split(':');
  return digest ? { version, digest, currency } : undefined;
};

export const fingerprintText = (digest: string, currency: Currency | undefined): string =>
  ['2', digest, ...(currency === undefined ? [] : [currency])].join(':');

/** Whether the request itself named its currency. */
export const isCurrencyAsked = (fingerprint: string): boolean => parts(fingerprint)?.currency !== undefined;

/**
 * Whether two fingerprints mean the same request; undefined where they cannot be compared, since one is missing or of
 * another version. A request that named no currency means what the default was when it came, which is the order's.
 */
export function isSameFingerprint(
  placed: Pick<PlacedRequest, 'fingerprint' | 'currency'>,
  { fingerprint, checkout }: { fingerprint: string; checkout: Pick<Checkout, 'currency'> },
): boolean | undefined {
  const before = parts(placed.fingerprint);
  const now = parts(fingerprint);
  if (!before || !now || before.version !== now.version) return undefined;
  const currency = before.currency === undefined ? now.currency : checkout.currency;
  return before.digest === now.digest && (currency === undefined || currency === placed.currency);
}

/**
 * Whether a request is the one that the order was placed with. Where fingerprints do not tell, the fields of the row
 * do: all that no act of the order (`changed`) has replaced since and no erasure has emptied.
 */
export function isSameRequest(
  placed: PlacedRequest,
  changed: readonly string[],
  asked: AskedRequest,
): boolean {
  const same = isSameFingerprint(placed, asked);
  if (same !== undefined) return same;
  const { checkout, fingerprint } = asked;
  const erased = placed.customerEmail === '';
  const currency = parts(fingerprint)?.currency;
  const equal = (a: unknown, b: unknown) => canonicalJson(a) === canonicalJson(b);
  return (
    placed.customerId === checkout.customerId &&
    equal(placed.items, checkout.items) &&
    (currency === undefined || currency === placed.currency) &&
    (erased || placed.customerEmail === checkout.customerEmail) &&
    (erased || changed.includes('payment') || placed.paymentMethodId === checkout.paymentMethodId) &&
    (erased || changed.includes('address') || equal(placed.shippingAddress, checkout.shippingAddress))
  );
}

/** JSON with sorted keys: equal exactly when the values are. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
