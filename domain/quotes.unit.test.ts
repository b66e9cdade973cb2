import { expect, test } from 'vitest';
import { withoutQuotes } from './quotes.ts';

const person = {
  customerEmail: 'asha@example.com',
  shippingAddress: {
    name: 'Asha Rao',
    street1: '12 MG Road (rear)',
    street2: 'Flat 4',
    city: 'Bengaluru',
    state: 'KA',
    postalCode: '560001',
    country: 'IN',
    phone: '+919876543210',
  },
};

test.each([
  ['There is no 12 mg road (rear) in Bengaluru 560001.', 'There is no … in … ….'],
  ['ASHA RAO, Flat 4: unknown', '…, …: unknown'],
  ['<asha@example.com>: mailbox unavailable', '<…>: mailbox unavailable'],
  ['phone "+919876543210" is invalid', 'phone "…" is invalid'],
  ['shp_560001a has no rate in IN, KA', 'shp_560001a has no rate in IN, KA'],
  ['Address not found', 'Address not found'],
])('%s', (said, kept) => {
  expect(withoutQuotes(said, person)).toBe(kept);
});

test('every character of a text may be quoted', () => {
  const street1 = String.raw`a-b/c\d.e*f+g?h^i$j{k}l(m)n|o[p]q "r" 'ß' 東京`;
  expect(withoutQuotes(`No ${street1}!`, { shippingAddress: { street1 } })).toBe('No …!');
});

test('an address of nothing quotes nothing', () => {
  expect(withoutQuotes('Address not found', { shippingAddress: { street1: ' ', city: '' } })).toBe(
    'Address not found',
  );
});
