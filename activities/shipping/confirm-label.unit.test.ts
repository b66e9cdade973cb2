import { describe, expect, it } from 'vitest';
import { orderId } from '../../domain/ids.ts';
import type { Address } from '../../domain/order.ts';
import type { BoughtShipment } from '../../ports/carrier.ts';
import { objectionTo } from './confirm-label.ts';

const id = orderId('0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11');
const hongKong: Address = { name: 'Asha Rao', street1: '1 Road', city: 'Wan Chai', country: 'HK' };
const objection = (address: Address, recipient: object) =>
  objectionTo(
    'shp_1',
    { refund: 'none', reference: `shipment-${id}-1`, recipient } as unknown as BoughtShipment,
    { orderId: id, n: 1, address },
  )?.shown;

describe("a label bought by hand, against an order's address", () => {
  it.each([
    ['the same, without a postal code', hongKong, hongKong],
    ['one with a code that had to be invented', hongKong, { ...hongKong, postalCode: '999077' }],
    ['one without the code that the order invented', { ...hongKong, postalCode: '00000' }, hongKong],
    [
      'one whose code the order left out',
      { ...hongKong, country: 'IE' },
      { ...hongKong, country: 'IE', postalCode: 'D02' },
    ],
    [
      'an emirate, which carriers take for a city',
      { name: 'A', street1: 'S', state: 'Dubai', country: 'AE' },
      { name: 'A', street1: 'S', city: 'DUBAI', country: 'AE' },
    ],
  ])('is taken: %s', (_, address, recipient) => {
    expect(objection(address, recipient)).toBeUndefined();
  });

  it('is refused for another country or city, and for another code where the country has codes', () => {
    expect(objection(hongKong, { ...hongKong, country: 'MO' })).toContain('MO');
    expect(objection(hongKong, { ...hongKong, city: 'Kowloon' })).toContain('city "Kowloon"');
    const pune = { ...hongKong, city: 'Pune', postalCode: '411001', country: 'IN' };
    expect(objection(pune, { ...pune, postalCode: '411002' })).toContain('expected IN 411001');
    expect(objection(pune, { ...pune, postalCode: undefined })).toContain('without a postal code');
  });
});
