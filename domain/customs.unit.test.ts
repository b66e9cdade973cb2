import { describe, expect, it } from 'vitest';
import { declarationOf, needsPapers, refusePapers } from './customs.ts';
import { productId } from './ids.ts';
import type { Address } from './order.ts';
import type { ParcelItem } from './parcel.ts';

const to = (change: Partial<Address>): Address => ({
  name: 'A',
  street1: '1 Road',
  city: 'C',
  postalCode: '10115',
  country: 'DE',
  phone: '+4930123456',
  ...change,
});
const item: ParcelItem = {
  productId: productId('mouse'),
  quantity: 2,
  valueMinor: 5_998_00,
  weightGrams: 120,
  hsCode: '847160',
  originCountry: 'CN',
  customsDescription: 'Computer mouse',
};
const us = (change: Partial<Address>) => to({ country: 'US', postalCode: '10001', state: 'NY', ...change });

describe('customs papers', () => {
  it.each([
    ['IN', to({ country: 'DE' }), true],
    ['DE', to({ country: 'DE' }), false],
    ['US', us({}), false],
    ['US', us({ state: 'AE', postalCode: '09012' }), true],
    ['US', us({ state: ' ap ', postalCode: '' }), true],
    ['US', us({ state: 'Puerto Rico', postalCode: '00901' }), true],
    ['US', us({ state: 'GU', postalCode: '96910' }), true],
    ['US', us({ state: 'HI', postalCode: '96701' }), false],
    ['US', us({ state: 'NY', postalCode: '00501' }), false],
    ['US', us({ state: 'FL', postalCode: '33990' }), false],
    ['US', to({ country: 'PR', postalCode: '00901' }), true],
    ['DE', to({ country: 'DE', state: 'AP', postalCode: '09012' }), false],
  ] as const)('from %s to %j: %s', (country, address, needed) => {
    expect(needsPapers({ country }, address)).toBe(needed);
  });

  const refusal = (change: Partial<ParcelItem> = {}, address = to({})) =>
    refusePapers({ from: { country: 'IN' }, to: address, items: [{ ...item, ...change }], currency: 'INR' });
  const without = (name: keyof ParcelItem) => {
    const { [name]: _, ...rest } = item;
    return refusePapers({
      from: { country: 'IN' },
      to: to({}),
      items: [rest as ParcelItem],
      currency: 'INR',
    });
  };

  it('are complete with everything that customs reads', () => {
    expect(refusal()).toBeUndefined();
  });

  it.each([
    ['hsCode', 'HS code of mouse'],
    ['originCountry', 'country of origin of mouse'],
    ['customsDescription', 'customs description of mouse'],
    ['weightGrams', 'weight of mouse'],
  ] as const)('lack a %s', (name, missing) => {
    expect(without(name)).toBe(`The parcel goes through customs, whose papers lack ${missing}.`);
  });

  it('lack a price and a phone number', () => {
    const { phone: _, ...silent } = to({});
    expect(refusal({ valueMinor: 0 }, silent)).toBe(
      "The parcel goes through customs, whose papers lack the recipient's phone number; price above 0 of mouse.",
    );
  });

  it('name a few of many products', () => {
    const items = Array.from({ length: 9 }, (_, at) => ({
      ...item,
      productId: productId(`p${at}`),
      valueMinor: 0,
    }));
    expect(refusePapers({ from: { country: 'IN' }, to: to({}), items, currency: 'INR' })).toMatch(
      /p4 and of 4 more products\.$/,
    );
  });

  it.each([
    [[250_000], 'USD', true],
    [[250_001], 'USD', false],
    [[125_000, 125_000], 'USD', true],
    [[125_000, 125_001], 'USD', false],
    [[1], 'EUR', false],
  ] as const)('from the US with %j %s under one code need no filing: %s', (values, currency, exempt) => {
    const items = values.map((valueMinor, at) => ({ ...item, productId: productId(`p${at}`), valueMinor }));
    const said = refusePapers({ from: { country: 'US' }, to: to({}), items, currency });
    expect(said === undefined || !said.includes('export filing')).toBe(exempt);
  });

  it('count all units of a product', () => {
    const shipped = { from: { country: 'IN' }, to: to({}), items: [item], currency: 'INR' } as const;
    expect(declarationOf(shipped)).toEqual({
      currency: 'INR',
      items: [
        {
          code: 'mouse',
          description: 'Computer mouse',
          quantity: 2,
          valueMinor: 5_998_00,
          weightGrams: 240,
          hsCode: '847160',
          originCountry: 'CN',
        },
      ],
    });
    expect(declarationOf({ ...shipped, to: to({ country: 'IN' }) })).toBeUndefined();
  });
});
