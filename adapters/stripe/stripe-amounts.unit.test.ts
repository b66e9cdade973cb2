import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currencyExponents, type Currency, type Money } from '../../domain/money.ts';
import { fromStripeAmount, stripePayable, toStripeAmount, toUnit } from './stripe-amounts.ts';

const money = (amountMinor: number, currency: Currency): Money => ({ amountMinor, currency });
const anyCurrency = fc.constantFrom(...(Object.keys(currencyExponents) as Currency[]));

describe('amounts at Stripe', () => {
  it('come back as they went, in every currency', () => {
    fc.assert(
      fc.property(anyCurrency, fc.integer({ min: 0, max: 10 ** 10 }), (currency, amountMinor) => {
        const there = toStripeAmount({ amountMinor, currency });
        expect(fromStripeAmount(there, currency.toLowerCase())).toEqual({ amountMinor, currency });
      }),
    );
  });

  it('are hundredths for a currency that has none but is sent so, as ISK and UGX', () => {
    expect(toUnit(5, 0, { exponent: 2 })).toBe(500);
    expect(toUnit(500, 2, { exponent: 0 })).toBe(5);
  });

  it('of a currency the shop does not know are refused, not guessed', () => {
    expect(() => fromStripeAmount(100, 'isk')).toThrow(RangeError);
  });

  it.each([
    ['USD', 50, 'at least 0.50 USD'],
    ['GBP', 30, 'at least 0.30 GBP'],
    ['HUF', 17_500, 'at least 175.00 HUF'],
    ['MXN', 1_000, 'at least 10.00 MXN'],
    ['CZK', 1_500, 'at least 15.00 CZK'],
    ['JPY', 50, 'at least 50 JPY'],
    ['INR', 50, 'at least 0.50 INR'],
  ] as const)('have their smallest charge: %s %i', (currency, minimum, expected) => {
    expect(stripePayable(money(minimum, currency))).toEqual({ ok: true });
    expect(stripePayable(money(minimum - 1, currency))).toMatchObject({
      ok: false,
      reason: expect.stringContaining(expected) as string,
    });
  });

  it.each([
    ['USD', 99_999_999],
    ['JPY', 99_999_999],
    ['KWD', 99_999_990],
    ['INR', 999_999_999],
    ['HUF', 9_999_999_999],
  ] as const)('have their largest charge: %s %i', (currency, maximum) => {
    expect(stripePayable(money(maximum, currency))).toEqual({ ok: true });
    expect(stripePayable(money(maximum + 10, currency))).toMatchObject({ ok: false });
  });

  it.each(['BHD', 'KWD'] as const)('of %s end in 0: card networks take two decimals', (currency) => {
    expect(stripePayable(money(5_120, currency))).toEqual({ ok: true });
    expect(stripePayable(money(5_124, currency))).toEqual({
      ok: false,
      reason: `Stripe charges multiples of 0.010 ${currency}; this is 5.124 ${currency}`,
    });
  });

  it('of nothing, less than nothing or a fraction cannot be charged in any currency', () => {
    fc.assert(
      fc.property(anyCurrency, fc.constantFrom(0, -100, 100.5, Number.NaN), (currency, amountMinor) => {
        expect(stripePayable({ amountMinor, currency }).ok).toBe(false);
      }),
    );
  });
});
