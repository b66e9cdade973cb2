import { describe, expect, it } from 'vitest';
import { addressProblems, cityOf, hasPostalCodes, isCountryCode, pickAddress } from './address.ts';
import { addressMetadata } from './address-metadata.ts';

const lines = addressMetadata.trim().split('\n');
const countries = lines.map((line) => line.slice(0, 2));
const problems = (address: object) =>
  addressProblems(pickAddress({ name: 'Asha Rao', street1: '12 MG Road', ...address })).map(
    ({ field, reason }) => `${field}: ${reason}`,
  );

describe('the rules of addresses', () => {
  it('hold a readable line for each country, and an example that fits its own pattern', () => {
    expect(new Set(countries).size).toBe(249);
    for (const line of lines) {
      const [country = '', parts = '', required = '', example] = line.split(' | ');
      expect(line).toMatch(/^[A-Z]{2} \| (-|S?C?Z?) \| (-|C?S?Z?)( \| [\w -]+ \| \S.*)?$/);
      expect(isCountryCode(country)).toBe(true);
      expect([line, example === undefined || parts.includes('Z')]).toEqual([line, true]);
      const whole = { country, city: 'C', state: 'S', ...(example ? { postalCode: example } : {}) };
      expect([line, required.includes('Z') && !example ? [] : problems(whole)]).toEqual([line, []]);
    }
  });

  it('ask for no postal code in the countries that have none', () => {
    const without = countries.filter((country) => !hasPostalCodes(country));
    expect(without.length).toBeGreaterThan(55);
    expect(without).toEqual(
      expect.arrayContaining(['AE', 'AG', 'BS', 'FJ', 'GH', 'HK', 'JM', 'MO', 'QA', 'UG', 'ZW']),
    );
    for (const country of without) expect(problems({ country, city: 'City', state: 'State' })).toEqual([]);
  });

  it.each([
    ['Hong Kong by its name alone', { city: 'Hong Kong', country: 'HK' }],
    ['Hong Kong by district and area', { city: 'Wan Chai', state: 'Hong Kong Island', country: 'HK' }],
    ['an emirate', { state: 'Dubai', country: 'AE' }],
    ['an emirate as a city', { city: 'Dubai', country: 'AE' }],
    ['Singapore, which is its own city', { postalCode: '018956', country: 'SG' }],
    ['Macao, which is one place', { country: 'MO' }],
    ['Ireland, where codes may be left out', { city: 'Cork', country: 'IE' }],
    ['a code where there are none', { city: 'Doha', postalCode: '00000', country: 'QA' }],
    ['a code in small letters', { city: 'London', postalCode: 'sw1a 1aa', country: 'GB' }],
    ['a code with the letters of its country', { city: 'Berlin', postalCode: 'D-10115', country: 'DE' }],
    ['India by its code', { city: 'Pune', postalCode: '411001', country: 'IN' }],
    ['ZIP+4', { city: 'Boise', state: 'ID', postalCode: '83702-1234', country: 'US' }],
    ['empty and null parts', { street2: null, state: '', city: 'Oslo', postalCode: '0150', country: 'NO' }],
  ])('take %s', (_, address) => {
    expect(problems(address)).toEqual([]);
  });

  it.each([
    [{ country: 'HK' }, ['state: required in HK']],
    [{ country: 'DE', city: 'Berlin' }, ['postalCode: required in DE, such as 26133']],
    [
      { country: 'DE', city: 'Berlin', postalCode: '1' },
      ['postalCode: expected a postal code of DE, such as 26133'],
    ],
    [{ country: 'DE', postalCode: '10115' }, ['city: required in DE']],
    [
      { country: 'IN', city: 'Pune' },
      ['state: required in IN', 'postalCode: required in IN, such as 110034'],
    ],
    [{ country: 'JM', city: 'Kingston' }, ['state: required in JM']],
    [
      { country: 'US', city: 'Boise', state: 'ID', postalCode: '8370' },
      [expect.stringMatching(/^postalCode: exp/)],
    ],
    [{ country: 'XX', city: 'C' }, [expect.stringMatching(/^country: expected an ISO/)]],
    [{ country: 7, city: 'C' }, [expect.stringMatching(/^country: expected an ISO/)]],
    [{ city: 'C' }, [expect.stringMatching(/^country: expected an ISO/)]],
    [{ country: 'HK', city: ['Hong Kong'] }, ['city: expected a text']],
    [{ country: 'HK', city: 'x'.repeat(101) }, ['city: expected at most 100 characters']],
    [{ country: 'HK', city: 'Hong\u202eKong' }, ['city: expected one line without control characters']],
    [{ country: 'HK', city: 'HK', name: '\u200b' }, ['name: required']],
  ])('refuse %j', (address, expected) => {
    expect(problems(address)).toEqual(expected);
  });

  it('clean texts, and keep nothing that came with an address', () => {
    const given = {
      name: ' As\u200bha ',
      street1: 'S',
      street2: '\u200b',
      city: null,
      country: 'MO',
      age: 3,
    };
    expect(pickAddress(given)).toEqual({ name: 'Asha', street1: 'S', country: 'MO' });
    expect([pickAddress(null), pickAddress('x')]).toEqual([{}, {}]);
  });

  it('have a city for carriers, who want one everywhere', () => {
    const address = { name: 'A', street1: 'S', country: 'MO' };
    expect(cityOf({ ...address, city: 'C', state: 'S' })).toBe('C');
    expect(cityOf({ ...address, country: 'AE', state: 'Dubai' })).toBe('Dubai');
    expect(cityOf(address)).toMatch(/^Maca/);
  });
});
