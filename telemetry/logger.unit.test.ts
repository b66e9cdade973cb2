import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';

/** What was logged, parsed. */
function logged(log: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown> {
  let line = '';
  const logger = createLogger({
    process: 'test',
    level: 'info',
    lines: { write: (text) => void (line = text) },
  });
  log(logger);
  return JSON.parse(line) as Record<string, unknown>;
}

describe('a log line', () => {
  it('is JSON with its process, its level in words and its time in ISO 8601', () => {
    const line = logged((logger) => logger.info({ orderId: 'o-1', step: 'payment', attempt: 2 }, 'charged'));
    expect(line).toEqual({
      process: 'test',
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      orderId: 'o-1',
      step: 'payment',
      attempt: 2,
      msg: 'charged',
    });
  });

  it('has no private field, at whatever depth', () => {
    const checkout = {
      customerEmail: 'asha@customers.example',
      items: [{ productId: 'keyboard-mx', shippingAddress: { street1: '12 Residency Road' } }],
      PaymentMethodId: 'pm_card_visa',
    };
    const line = logged((logger) => logger.warn({ checkout }, 'taken'));
    expect(line['checkout']).toEqual({ items: [{ productId: 'keyboard-mx' }] });
  });

  it.each([
    ['550 5.1.1 <asha.rao+shop@customers.example> unknown', '550 5.1.1 <[email]> unknown'],
    ['connecting to amqp://guest:s3cret@127.0.0.1:5672', 'connecting to amqp://[credentials]@127.0.0.1:5672'],
    ['card 4242 4242 4242 4242 was declined', 'card [card] was declined'],
    ['no such payment method pm_card_visa_9', 'no such payment method [payment method]'],
    ['key sk_test_abc123, EZTK9f8e and whsec_c2VjcmV0', 'key [key], [key] and [key]'],
    ['authorization: Bearer abc.def-1', 'authorization: [key]'],
    ['pi_3Abc_secret_xyz', '[secret]'],
  ])('tells nothing of what others say of people and keys: %s', (text, told) => {
    expect(logged((logger) => logger.warn(text))['msg']).toBe(told);
  });

  it.each([
    'order 12345678-1234-1234-1234-123456789012',
    'at undici@8.12.4/lib/api.js:12',
    'card_declined',
    'rabbit@localhost',
    'order-saga-orders',
  ])('keeps what only looks like it: %s', (text) => {
    expect(logged((logger) => logger.warn(text))['msg']).toBe(text);
  });

  it('tells of an error its kind, code, message and stack, with the causes, and nothing that a driver hung on it', () => {
    const error = Object.assign(new Error('refused', { cause: new Error('by asha@customers.example') }), {
      code: 'E_CARD',
      raw: { payment_method: 'pm_card_visa' },
    });
    const { err } = logged((logger) => logger.error({ err: error }, 'failed'));
    expect(Object.keys(err as object).toSorted()).toEqual(['code', 'message', 'stack', 'type']);
    expect(err).toMatchObject({ type: 'Error', code: 'E_CARD', message: 'refused: by [email]' });
  });
});
