import { expect, it } from 'vitest';
import { readCarrierLimits } from './config.ts';

const grams = 453.59237;
const millimetres = 25.4;

/* In pounds and inches, as the carriers publish them. */
const published = [
  { carrier: 'USPS', service: 'GroundAdvantage', pounds: 70, lengthPlusGirth: 130 },
  { carrier: 'USPS', service: 'Priority', pounds: 70, lengthPlusGirth: 108 },
  { carrier: 'UPSDAP', service: 'Ground', pounds: 150, length: 108, lengthPlusGirth: 165 },
];

it('are what the carriers publish, rounded down', () => {
  const down = (value: number | undefined, unit: number) =>
    value === undefined ? undefined : Math.floor(value * unit);
  expect(readCarrierLimits()).toEqual(
    published.map(({ carrier, service, pounds, length, lengthPlusGirth }) =>
      expect.objectContaining({
        carrier,
        service,
        maxWeightGrams: down(pounds, grams),
        ...(length === undefined ? {} : { maxLengthMm: down(length, millimetres) }),
        maxLengthPlusGirthMm: down(lengthPlusGirth, millimetres),
      }),
    ),
  );
});
