/**
 * Money is an integer of minor units plus an ISO 4217 code. Decimal strings exist only at the edges (API, events).
 */
export interface Money {
  /** Whole minor units (cents, paise, yen, fils); a safe integer. */
  amountMinor: number;
  /** ISO 4217 alphabetic code in upper case. */
  currency: Currency;
}

/** Decimal digits of each supported currency's minor unit, after ISO 4217. */
export const currencyExponents = {
  AUD: 2,
  BHD: 3,
  BRL: 2,
  CAD: 2,
  CHF: 2,
  CNY: 2,
  CZK: 2,
  DKK: 2,
  EUR: 2,
  GBP: 2,
  HKD: 2,
  HUF: 2,
  INR: 2,
  JPY: 0,
  KRW: 0,
  KWD: 3,
  MXN: 2,
  NOK: 2,
  NZD: 2,
  PLN: 2,
  SEK: 2,
  SGD: 2,
  USD: 2,
  ZAR: 2,
} as const;

export type Currency = keyof typeof currencyExponents;

export const isCurrency = (code: string): code is Currency => Object.hasOwn(currencyExponents, code);

/** Why a decimal string is no amount of that currency. */
export type AmountRefusal = 'not a decimal number' | 'too many decimals' | 'too large';

/** Reads `"1499.00"` in the given currency; never rounds. */
export function parseAmount(
  decimal: string,
  currency: Currency,
): { ok: true; money: Money } | { ok: false; reason: AmountRefusal } {
  const match = /^(0|[1-9]\d{0,15})(?:\.(\d{1,6}))?$/.exec(decimal);
  if (!match) return { ok: false, reason: 'not a decimal number' };
  const exponent = currencyExponents[currency];
  const fraction = match[2] ?? '';
  if (fraction.length > exponent) return { ok: false, reason: 'too many decimals' };
  const amountMinor = Number(`${match[1]}${fraction.padEnd(exponent, '0')}`);
  return Number.isSafeInteger(amountMinor)
    ? { ok: true, money: { amountMinor, currency } }
    : { ok: false, reason: 'too large' };
}

/** `{ amountMinor: 149900, currency: 'INR' }` -> `"1499.00"`; the inverse of `parseAmount`. */
export function formatAmount({ amountMinor, currency }: Money): string {
  const exponent = currencyExponents[currency];
  const sign = amountMinor < 0 ? '-' : '';
  const digits = String(Math.abs(amountMinor)).padStart(exponent + 1, '0');
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

/**
 * The highest price of a new product, in minor units: an order of 100 products, 1,000 of each, with shipping stays a safe
 * integer.
 */
const largestPriceMinor = 10 ** 10;

/** Why a product cannot be priced so; undefined where it can. A price that it has already stays. */
export const refusePrice = (price: Money, before: Money | undefined): string | undefined =>
  price.amountMinor <= largestPriceMinor ||
  (before?.amountMinor === price.amountMinor && before.currency === price.currency)
    ? undefined
    : `expected at most ${formatAmount({ ...price, amountMinor: largestPriceMinor })} ${price.currency}`;

/** The decimal number that events carry as `totalAmount`. */
export const decimalAmount = (money: Money): number => Number(formatAmount(money));

/** Sums amounts of one currency; throws RangeError past the safe integers, so an overflow never becomes a price. */
export function sumMinor(amounts: readonly number[]): number {
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  if (!Number.isSafeInteger(total)) throw new RangeError(`Sum of amounts ${total} is not a safe integer`);
  return total;
}
