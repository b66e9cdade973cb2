import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { productId } from '../../domain/ids.ts';
import { sumMinor } from '../../domain/money.ts';
import type { Address } from '../../domain/order.ts';
import type { Product } from '../../ports/store/goods.ts';
import { createFlatQuotes } from './flat-quotes.ts';

const address: Address = { name: 'A', street1: 'B', city: 'C', postalCode: 'D', country: 'IN' };
const product = (id: string, amountMinor: number): Product => ({
  productId: productId(id),
  name: id,
  price: { amountMinor, currency: 'INR' },
  available: 1,
});

describe('a quote', () => {
  const products = [product('mug', 49_900), product('tee', 99_900)];
  const items = [
    { productId: productId('tee'), quantity: 1 },
    { productId: productId('mug'), quantity: 2 },
  ];

  it('has a line per item in their order and one for shipping', () => {
    const lines = createFlatQuotes({ shippingFees: { INR: 5_000, JPY: 700 } }).quote({
      items,
      products,
      currency: 'INR',
      address,
    });
    expect(lines).toEqual([
      { kind: 'item', productId: 'tee', quantity: 1, amountMinor: 99_900 },
      { kind: 'item', productId: 'mug', quantity: 2, amountMinor: 99_800 },
      { kind: 'shipping', amountMinor: 5_000 },
    ]);
  });

  it.each([{}, { INR: 0 }, { USD: 500 }])(
    'has no shipping line when shipping is free: %j',
    (shippingFees) => {
      const lines = createFlatQuotes({ shippingFees }).quote({
        items,
        products,
        currency: 'INR',
        address,
      });
      expect(lines.map(({ kind }) => kind)).toEqual(['item', 'item']);
    },
  );

  it('sums up to prices times quantities plus the fee', () => {
    const anyItem = fc.record({ price: fc.nat(10 ** 9), quantity: fc.integer({ min: 1, max: 1_000 }) });
    fc.assert(
      fc.property(fc.array(anyItem, { minLength: 1, maxLength: 100 }), fc.nat(10 ** 6), (wanted, fee) => {
        const catalog = wanted.map(({ price }, index) => product(`p${index}`, price));
        const basket = wanted.map(({ quantity }, index) => ({ productId: productId(`p${index}`), quantity }));
        const quotes = createFlatQuotes({ shippingFees: { INR: fee } });
        const lines = quotes.quote({ items: basket, products: catalog, currency: 'INR', address });
        const expected = wanted.reduce((sum, { price, quantity }) => sum + price * quantity, fee);
        expect(sumMinor(lines.map(({ amountMinor }) => amountMinor))).toBe(expected);
      }),
    );
  });

  it('is refused for a product that is missing, or priced in another currency', () => {
    const quote = (known: Product[], currency: 'INR' | 'USD') => () =>
      createFlatQuotes({ shippingFees: {} }).quote({ items, products: known, currency, address });
    expect(quote([], 'INR')).toThrow('Product tee: expected a price in INR, got none');
    expect(quote(products, 'USD')).toThrow('Product tee: expected a price in USD, got INR');
  });

  it('never becomes an amount that is no safe integer', () => {
    const huge = [product('tee', Number.MAX_SAFE_INTEGER), product('mug', 1)];
    const basket = [{ productId: productId('tee'), quantity: 2 }];
    const quotes = createFlatQuotes({ shippingFees: {} });
    expect(() => quotes.quote({ items: basket, products: huge, currency: 'INR', address })).toThrow(
      RangeError,
    );
  });

  it.each([-1, 0.5, Number.NaN])('cannot have a shipping fee of %d', (INR) => {
    expect(() => createFlatQuotes({ shippingFees: { INR } })).toThrow('Shipping fee in INR');
  });
});
