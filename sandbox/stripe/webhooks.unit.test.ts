import type Stripe from 'stripe';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DEFAULT_KEYS, type Settings } from '../sandbox-options.ts';
import type { Sandbox } from '../start-sandbox.ts';
import { api, quickSandbox, startReceiver, stripeFor } from '../testing.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const start = async (settings: Partial<Settings> = {}, answer?: (count: number) => number) => {
  const receiver = await startReceiver(answer);
  const sandbox = await quickSandbox({ webhookTarget: receiver.url, ...settings });
  open.push(receiver, sandbox);
  return { receiver, sandbox, stripe: stripeFor(sandbox) };
};

const pay = (stripe: Stripe, payment_method: string, orderId = 'o-1') =>
  stripe.paymentIntents.create({
    amount: 10_000,
    currency: 'inr',
    confirm: true,
    payment_method,
    metadata: { orderId },
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  });

const authenticate = (sandbox: Sandbox, id: string) =>
  api(sandbox, 'POST', `/sandbox/payment_intents/${id}/authenticate`, { outcome: 'succeed' });

describe('webhooks', () => {
  test('are signed so that the SDK accepts the raw body and nothing else', async () => {
    const { receiver, stripe, sandbox } = await start();
    const waiting = await pay(stripe, 'pm_card_authenticationRequired');
    await authenticate(sandbox, waiting.id);
    await vi.waitFor(() => expect(receiver.types()).toContain('payment_intent.succeeded'), 2_000);
    const delivered = receiver.received.find(({ body }) => body.includes('payment_intent.succeeded'));
    const { body = '', signature = '' } = delivered ?? {};
    const event = stripe.webhooks.constructEvent(body, signature, DEFAULT_KEYS.stripeWebhookSecret);
    expect(event.data.object).toMatchObject({
      id: waiting.id,
      status: 'succeeded',
      metadata: { orderId: 'o-1' },
    });
    expect(() =>
      stripe.webhooks.constructEvent(
        JSON.stringify(JSON.parse(body)),
        signature,
        DEFAULT_KEYS.stripeWebhookSecret,
      ),
    ).toThrow(/signature/);
    expect(() => stripe.webhooks.constructEvent(body, signature, 'whsec_other')).toThrow(/signature/);
  });

  test('tell of action, failure, cancellation and disputes, as the endpoint subscribed', async () => {
    const { receiver, stripe, sandbox } = await start();
    const waiting = await pay(stripe, 'pm_card_authenticationRequired');
    await stripe.paymentIntents.cancel(waiting.id);
    await pay(stripe, 'pm_card_chargeDeclined').catch(() => undefined);
    const paid = await pay(stripe, 'pm_card_visa');
    await api(sandbox, 'POST', '/sandbox/disputes', { payment_intent: paid.id });
    await vi.waitFor(
      () =>
        expect(receiver.types().sort()).toEqual([
          'charge.dispute.created',
          'payment_intent.canceled',
          'payment_intent.payment_failed',
          'payment_intent.requires_action',
          'payment_intent.succeeded',
        ]),
      2_000,
    );
  });

  test('of a type nobody subscribed to are not sent', async () => {
    const { receiver, stripe } = await start({ webhookEvents: ['payment_intent.canceled'] });
    const paid = await pay(stripe, 'pm_card_visa');
    const intent = await stripe.paymentIntents.create({ amount: 10_000, currency: 'inr' });
    await stripe.paymentIntents.cancel(intent.id);
    await vi.waitFor(() => expect(receiver.types()).toEqual(['payment_intent.canceled']), 2_000);
    expect(paid.status).toBe('succeeded');
  });

  test('come twice now and then, with the same event id', async () => {
    const { receiver, stripe } = await start({ webhookDuplicateEvery: 1 });
    await pay(stripe, 'pm_card_visa');
    await vi.waitFor(() => expect(receiver.received).toHaveLength(2), 2_000);
    const ids = receiver.received.map(({ body }) => (JSON.parse(body) as { id: string }).id);
    expect(ids[0]).toBe(ids[1]);
  });

  test('overtake one that is held back', async () => {
    const { receiver, stripe, sandbox } = await start({ webhookHoldBackEvery: 1, webhookHoldBackMs: 600 });
    const waiting = await pay(stripe, 'pm_card_authenticationRequired');
    await api(sandbox, 'PATCH', '/sandbox/settings', { webhookHoldBackEvery: 0 });
    await authenticate(sandbox, waiting.id);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(2), 3_000);
    expect(receiver.types()).toEqual(['payment_intent.succeeded', 'payment_intent.requires_action']);
  });

  test('are sent again until the endpoint takes them', async () => {
    const { receiver, stripe, sandbox } = await start({}, (count) => (count < 3 ? 500 : 200));
    await pay(stripe, 'pm_card_visa');
    await vi.waitFor(() => expect(receiver.received).toHaveLength(3), 3_000);
    await vi.waitFor(async () => {
      const { body } = await api<{ webhooks: unknown[] }>(sandbox, 'GET', '/sandbox/webhooks');
      expect(body.webhooks).toMatchObject([{ state: 'delivered', attempts: 3, lastAnswer: 'HTTP 200' }]);
    }, 2_000);
  });

  test('end in giving up when the endpoint never takes them', async () => {
    const { stripe, sandbox } = await start({}, () => 500);
    await pay(stripe, 'pm_card_visa');
    await vi.waitFor(async () => {
      const { body } = await api<{ webhooks: unknown[] }>(sandbox, 'GET', '/sandbox/webhooks');
      expect(body.webhooks).toMatchObject([{ state: 'given-up', attempts: 4 }]);
    }, 4_000);
  });

  test('wait while the provider itself is down', async () => {
    const { receiver, stripe, sandbox } = await start({ webhookMinDelayMs: 100, webhookMaxDelayMs: 100 });
    await pay(stripe, 'pm_card_visa');
    await api(sandbox, 'POST', '/sandbox/outage', { provider: 'stripe', seconds: 60 });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(receiver.received).toHaveLength(0);
    await api(sandbox, 'DELETE', '/sandbox/faults');
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), 2_000);
  });
});
