import { describe, expect, test } from 'vitest';
import type { DemoOrder } from './demo-client.ts';
import type { Progress } from './follow-order.ts';
import { nextCommand, webUiLink } from './next-commands.ts';

const addresses = {
  api: 'http://127.0.0.1:3000',
  sandbox: 'http://127.0.0.1:4000',
  temporalUi: 'http://127.0.0.1:5000',
};
const waiting = (order: DemoOrder): Progress => ({
  title: 'x',
  orderId: 'abc',
  order,
  outcome: 'waiting',
  sinceMs: 0,
  startedMs: 0,
});
const held = (status: NonNullable<DemoOrder['hold']>['status'], more = {}): Progress =>
  waiting({ status, sagaState: 'held', hold: { status, reason: 'because', untilUtc: '', ...more } });

describe('the next command of an order that waits', () => {
  test('gives a declined order another payment method', () => {
    expect(nextCommand(held('payment_failed'), addresses)).toEqual({
      why: 'because',
      command:
        `curl -sS -X POST 'http://127.0.0.1:3000/orders/abc/payment' -H 'Content-Type: application/json' ` +
        `-d '{"paymentMethodId":"pm_card_visa"}'`,
    });
  });

  test('plays the customer at the sandbox, by the payment that waits', () => {
    const order = held('payment_action_required', {
      nextAction: { type: 'x', clientSecret: 'pi_1_secret_2' },
    });
    expect(nextCommand(order, addresses)?.command).toContain(
      "'http://127.0.0.1:4000/sandbox/payment_intents/pi_1/authenticate'",
    );
  });

  test('offers another payment method when the waiting payment is not known', () => {
    expect(nextCommand(held('payment_action_required'), addresses)?.command).toContain('/orders/abc/payment');
  });

  test('corrects a refused address', () => {
    expect(nextCommand(held('address_rejected'), addresses)?.command).toMatch(/-X PUT .*shipping-address/);
  });

  test('approves an order that waits for it', () => {
    expect(nextCommand(held('payment_disputed'), addresses)?.command).toMatch(/-X POST .*\/cancel'/);
    expect(nextCommand(held('awaiting_approval'), addresses)?.command).toMatch(/-X POST .*\/approve'/);
  });

  test('resolves a parked step', () => {
    const order = waiting({
      status: 'fulfillment_created',
      sagaState: 'parked',
      parked: { step: 'shipping', failure: '503' },
    });
    expect(nextCommand(order, addresses)).toMatchObject({
      why: '503',
      command: expect.stringContaining('/resolve'),
    });
  });

  test('carries the API key to the API and never to the sandbox', () => {
    const order = held('payment_action_required', {
      nextAction: { type: 'x', clientSecret: 'pi_1_secret_2' },
    });
    expect(nextCommand(held('payment_failed'), addresses, 'a-key')?.command).toContain('Bearer a-key');
    expect(nextCommand(order, addresses, 'a-key')?.command).not.toContain('a-key');
  });

  test('is none for an order that ended', () => {
    expect(nextCommand(waiting({ status: 'completed', sagaState: 'ended' }), addresses)).toBeUndefined();
  });
});

test('the link leads to the order’s workflow, and is none without a Web UI', () => {
  expect(webUiLink(held('payment_failed'), addresses, 'shop')).toBe(
    'http://127.0.0.1:5000/namespaces/shop/workflows/order-abc',
  );
  expect(webUiLink(held('payment_failed'), { ...addresses, temporalUi: '' }, 'shop')).toBeUndefined();
});
