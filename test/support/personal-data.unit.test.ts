import { describe, expect, test } from 'vitest';
import { secretsIn } from './personal-data.ts';

const person = {
  customerEmail: 'asha@example.com',
  shippingAddress: { name: 'Asha Rao', street1: '7 Cubbon Road', postalCode: '560025' },
};

describe('secretsIn', () => {
  test.each([
    '{"postalCode":"560025"}',
    'Bengaluru 560025',
    'Bengaluru-560025, IN',
    '560025',
    'postal_code=560025&country=IN',
    'sent to ASHA RAO',
    'xasha@example.comx',
  ])('%s is told of', (text) => {
    expect(secretsIn([text], person)).toHaveLength(1);
  });

  test.each([
    '{"startTimeUnixNano":"1796059560025000000"}',
    '{"traceId":"4bf92f3577b34da6a560025b0e0e4736"}',
    '560025000',
    'order_560025',
    'took 1.560025 s',
  ])('%s holds the postal code by chance', (text) => {
    expect(secretsIn([text], person)).toEqual([]);
  });
});
