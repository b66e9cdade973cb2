import { describe, expect, it } from 'vitest';
import type { SetShippingAddress, UpdatePayment } from './messages.ts';
import { misreadAddress, readAct, refuseAddressShape } from './read-act.ts';

const address = {
  name: 'Asha Rao',
  street1: '12 MG Road',
  city: 'Pune',
  postalCode: '411001',
  country: 'IN',
};

describe('an act as people type it', () => {
  it.each([
    ['zero width', 'de\u200bpot', 'depot'],
    ['a byte order mark', '\ufeffdepot', 'depot'],
    ['a direction override', 'de\u202epot', 'de pot'],
    ['an isolate', '\u2066depot\u2069', 'depot'],
    ['tags', 'depot\u{e0041}\u{e007f}', 'depot'],
    ['line breaks', 'de\npot\u2028', 'de pot'],
  ])('is rid of %s in what it says of who and why', (_, given, kept) => {
    expect(readAct({ actor: given, reason: given }, 'signal')).toEqual({ actor: kept, reason: kept });
  });

  it('has neither in its ids and words, however deep; control characters stay, to be refused', () => {
    const given = {
      paymentMethodId: 'pm_\u200bcard\u202e_visa ',
      input: { service: 'Ex\u{e0041}press' },
      untilUtc: '2026\n',
    };
    expect(readAct<UpdatePayment>(given as never, 'update')).toMatchObject({
      paymentMethodId: 'pm_card_visa',
      input: { service: 'Express' },
    });
    expect(readAct<UpdatePayment>({ paymentMethodId: 'pm\u0007x' }, 'signal').paymentMethodId).toBe(
      'pm\u0007x',
    );
  });

  it('is read whatever came', () => {
    for (const given of [null, 7, 'x', [], { actor: 7, reason: {}, input: null, action: [1] }]) {
      expect(readAct(given, 'signal')).toMatchObject({ actor: 'signal', reason: 'by signal' });
    }
  });
});

describe('an address in an act', () => {
  it.each([
    ['Hong Kong without a postal code', { ...address, postalCode: undefined, country: 'HK' }],
    ['empty and null parts', { ...address, street2: '', state: null }],
    ['a phone', { ...address, country: 'HK', phone: '+85223456789' }],
    ['a phone that is null', { ...address, country: 'HK', phone: null }],
    ['what is dropped', { ...address, name: 'As\u200bha' }],
  ])('is taken with %s', (_, given) => {
    expect(misreadAddress(given)).toBeUndefined();
  });

  it.each([
    ['no object', 7, /^address: expected an object/],
    [
      'no postal code in India',
      { ...address, state: 'MH', postalCode: '' },
      /^address.postalCode: required in IN, such as \d+\.$/,
    ],
    [
      'a postal code of another look',
      { ...address, postalCode: '1' },
      /^address.postalCode: expected a postal code/,
    ],
    ['a country that there is not', { ...address, country: 'XX' }, /^address.country: /],
    ['a direction override', { ...address, city: 'Pu\u202ene' }, /^address.city: expected one line/],
    ['a number', { ...address, city: 7 }, /^address.city: expected a text/],
    [
      'a phone without its country',
      { ...address, phone: '080 1234567' },
      /^address.phone: expected an international number, such as \+\d+\.$/,
    ],
    ['a phone that is no text', { ...address, phone: 918012345678 }, /^address.phone: expected/],
  ])('is refused for %s', (_, given, reason) => {
    expect(misreadAddress(given)).toMatch(reason);
  });

  it('is still judged as it was for histories from before', () => {
    const signal: Partial<SetShippingAddress> = { address: { name: 'A', street1: 'B', country: 'HK' } };
    expect(refuseAddressShape(signal.address)).toMatch(/^address.city/);
    expect(refuseAddressShape({ ...address, postalCode: '1' })).toBeUndefined();
  });
});
