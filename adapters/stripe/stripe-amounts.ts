import {
  currencyExponents,
  formatAmount,
  isCurrency,
  type Currency,
  type Money,
} from '../../domain/money.ts';

/** Stripe's unit and limits of one currency, all in the integer that Stripe's API calls `amount`. */
export interface StripeUnit {
  /** Decimal digits of Stripe's unit; differs from ISO 4217 where Stripe keeps an older unit (ISK, UGX). */
  exponent: number;
  /** Amounts are multiples of this: 10 for three-decimal currencies, 100 for those that are whole in fact. */
  step: number;
  /** Smallest charge; where Stripe publishes none it is the worth of half a US dollar, which only Stripe can tell. */
  minimum: number;
  maximum: number;
}

const digits = (count: number): number => 10 ** count - 1;

const twoDecimals = (minimum = 1, maximum = digits(8)): StripeUnit => ({
  exponent: 2,
  step: 1,
  minimum,
  maximum,
});
const zeroDecimals = (minimum = 1): StripeUnit => ({ exponent: 0, step: 1, minimum, maximum: digits(8) });
/** The last digit must be 0: card networks take two decimals of these. */
const threeDecimals = (): StripeUnit => ({ exponent: 3, step: 10, minimum: 10, maximum: digits(8) });

/**
 * Units and limits of every currency the product knows, after https://docs.stripe.com/currencies. One more currency in
 * the domain does not compile until it has its row here. Special cases to keep in mind then: ISK and UGX have no
 * decimals but are sent in hundredths (exponent 2, step 100). HUF and TWD are whole in payouts only, charges have two
 * decimals.
 */
const stripeUnits: Record<Currency, StripeUnit> = {
  AUD: twoDecimals(50),
  BHD: threeDecimals(),
  BRL: twoDecimals(50),
  CAD: twoDecimals(50),
  CHF: twoDecimals(50),
  CNY: twoDecimals(),
  CZK: twoDecimals(15_00),
  DKK: twoDecimals(2_50),
  EUR: twoDecimals(50),
  GBP: twoDecimals(30),
  HKD: twoDecimals(4_00),
  HUF: twoDecimals(175_00, digits(10)),
  INR: twoDecimals(50, digits(9)),
  JPY: zeroDecimals(50),
  KRW: zeroDecimals(),
  KWD: threeDecimals(),
  MXN: twoDecimals(10_00),
  NOK: twoDecimals(3_00),
  NZD: twoDecimals(50),
  PLN: twoDecimals(2_00),
  SEK: twoDecimals(3_00),
  SGD: twoDecimals(50),
  USD: twoDecimals(50),
  ZAR: twoDecimals(),
};

/** Whether Stripe takes a charge of that amount: a positive multiple of the currency's step within its limits. */
export function stripePayable(money: Money): { ok: true } | { ok: false; reason: string } {
  const unit = stripeUnits[money.currency];
  const amount = toUnit(money.amountMinor, currencyExponents[money.currency], unit);
  const refuse = (expected: string) => ({
    ok: false as const,
    reason: `Stripe charges ${expected}; this is ${formatAmount(money)} ${money.currency}`,
  });
  const inCurrency = (value: number) => `${formatAmount(fromUnit(value, money.currency))} ${money.currency}`;
  if (!Number.isSafeInteger(amount) || amount % unit.step !== 0) {
    return refuse(`multiples of ${inCurrency(unit.step)}`);
  }
  if (amount < unit.minimum) return refuse(`at least ${inCurrency(unit.minimum)}`);
  if (amount > unit.maximum) return refuse(`at most ${inCurrency(unit.maximum)}`);
  return { ok: true };
}

/** The amount in Stripe's unit. Throws RangeError for an amount that unit cannot express. */
export function toStripeAmount({ amountMinor, currency }: Money): number {
  const amount = toUnit(amountMinor, currencyExponents[currency], stripeUnits[currency]);
  if (Number.isSafeInteger(amount)) return amount;
  throw new RangeError(`${amountMinor} minor units of ${currency} are no whole number of Stripe's unit`);
}

/** The inverse of `toStripeAmount`; `currency` as Stripe writes it, in lower case. Throws RangeError when unknown. */
export function fromStripeAmount(amount: number, currency: string): Money {
  const code = currency.toUpperCase();
  if (!isCurrency(code))
    throw new RangeError(`Stripe answered in ${code}, a currency this shop does not use`);
  return fromUnit(amount, code);
}

/** An ISO amount in another unit: `toUnit(5, 0, ISK)` is 500. */
export const toUnit = (
  amountMinor: number,
  isoExponent: number,
  unit: Pick<StripeUnit, 'exponent'>,
): number =>
  unit.exponent >= isoExponent
    ? amountMinor * 10 ** (unit.exponent - isoExponent)
    : amountMinor / 10 ** (isoExponent - unit.exponent);

const fromUnit = (amount: number, currency: Currency): Money => ({
  amountMinor: toUnit(amount, stripeUnits[currency].exponent, { exponent: currencyExponents[currency] }),
  currency,
});
