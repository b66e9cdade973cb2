import { describe, expect, it } from 'vitest';
import { fingerprintOf, firstFingerprintOf } from '../api/orders/order-identity.ts';
import { customerId, orderId, productId } from './ids.ts';
import type { Currency } from './money.ts';
import type { Checkout } from './order.ts';
import { isSameRequest, type PlacedRequest } from './placed-request.ts';

const checkoutOf = (changes: Partial<Checkout> = {}): Checkout => ({
  orderId: orderId('0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11'),
  callerId: 'shop-a',
  customerId: customerId('customer-1'),
  customerEmail: 'a@customers.example',
  items: [{ productId: productId('lamp'), quantity: 2 }],
  paymentMethodId: 'pm_card_visa',
  shippingAddress: { name: 'A', street1: '1 Road', city: 'Pune', postalCode: '411001', country: 'IN' },
  currency: 'INR',
  ...changes,
});

const other: [string, Partial<Checkout>][] = [
  ['other goods', { items: [{ productId: productId('lamp'), quantity: 3 }] }],
  ['another customer', { customerId: customerId('customer-2') }],
  ['another mail address', { customerEmail: 'b@customers.example' }],
  ['another card', { paymentMethodId: 'pm_card_mastercard' }],
  ['another street', { shippingAddress: { ...checkoutOf().shippingAddress, street1: '2 Road' } }],
];

const asked = (checkout: Checkout, currency?: Currency) => ({
  checkout,
  fingerprint: fingerprintOf(checkout, currency),
});

describe('a repeated request', () => {
  const placed = { ...checkoutOf(), fingerprint: fingerprintOf(checkoutOf()) };

  it('is the same with the same content, in whatever order its fields come', () => {
    const { currency, ...rest } = checkoutOf();
    expect(isSameRequest(placed, [], asked({ currency, ...rest }))).toBe(true);
  });

  it.each(other)('is another one with %s, also after the order was changed', (_, changes) => {
    expect(isSameRequest(placed, [], asked(checkoutOf(changes)))).toBe(false);
    const changed = { ...placed, ...changes };
    expect(isSameRequest(changed, ['payment', 'address'], asked(checkoutOf(changes)))).toBe(false);
    expect(isSameRequest(changed, ['payment', 'address'], asked(checkoutOf()))).toBe(true);
  });

  it.each<[Currency | undefined, Currency | undefined, Currency, boolean]>([
    [undefined, undefined, 'USD', true],
    [undefined, 'INR', 'INR', true],
    [undefined, 'USD', 'USD', false],
    ['INR', 'INR', 'INR', true],
    ['INR', 'USD', 'USD', false],
    ['INR', undefined, 'INR', true],
    ['INR', undefined, 'USD', false],
  ])('first in %s, then in %s, the currency being %s: the same is %s', (first, second, meant, same) => {
    const before: PlacedRequest = { ...checkoutOf(), fingerprint: fingerprintOf(checkoutOf(), first) };
    expect(isSameRequest(before, [], asked(checkoutOf({ currency: meant }), second))).toBe(same);
  });
});

describe.each([
  ['without a fingerprint', undefined],
  ['with one of another version', firstFingerprintOf(checkoutOf())],
])('a request of a row %s', (_, fingerprint) => {
  const row: PlacedRequest = { ...checkoutOf(), ...(fingerprint ? { fingerprint } : {}) };

  it('is told by the fields of the row', () => {
    expect(isSameRequest(row, [], asked(checkoutOf({ currency: 'USD' })))).toBe(true);
    expect(isSameRequest(row, [], asked(checkoutOf({ currency: 'USD' }), 'USD'))).toBe(false);
  });

  it.each(other)('is another one with %s', (__, changes) => {
    expect(isSameRequest(row, [], asked(checkoutOf(changes)))).toBe(false);
  });

  it('is not told by what acts have replaced or an erasure has emptied', () => {
    const paid = { ...row, paymentMethodId: 'pm_2' };
    expect(isSameRequest(paid, ['payment'], asked(checkoutOf()))).toBe(true);
    expect(isSameRequest(paid, ['address'], asked(checkoutOf()))).toBe(false);
    const shippingAddress = { ...row.shippingAddress, city: 'Mumbai' };
    expect(isSameRequest({ ...row, shippingAddress }, ['address'], asked(checkoutOf()))).toBe(true);
    const erased = {
      ...row,
      customerEmail: '',
      paymentMethodId: '',
      shippingAddress: { ...shippingAddress, name: '' },
    };
    expect(isSameRequest(erased, [], asked(checkoutOf()))).toBe(true);
    expect(isSameRequest(erased, [], asked(checkoutOf({ customerId: customerId('c') })))).toBe(false);
  });
});
