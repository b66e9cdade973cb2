import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationKeys, orderId } from '../../domain/ids.ts';
import type { PaymentGateway } from '../../ports/payment-gateway.ts';
import { findStripeMock, startStripeMock } from '../../test/support/stripe-mock.ts';
import { connectStripeGateway, type RequestFacts } from './stripe-gateway.ts';

const found = await findStripeMock();
if ('missing' in found) console.log(`skipped: requests against Stripe's own description: ${found.missing}`);

/** stripe-mock knows every parameter of Stripe's published API and refuses others with 400; its answers are fixtures. */
describe.skipIf('missing' in found)("requests against Stripe's own description of its API", () => {
  let mock: { url: string; stop(): Promise<void> };
  let gateway: PaymentGateway & { close(): void };
  const seen: RequestFacts[] = [];
  const timeoutMs = 10_000;
  const intentId = 'pi_123';
  const amount = { amountMinor: 149_900, currency: 'INR' } as const;

  beforeAll(async () => {
    if ('missing' in found) return;
    mock = await startStripeMock(found.path);
    gateway = connectStripeGateway({
      secretKey: 'sk_test_123',
      webhookSecret: 'whsec_x',
      apiBase: mock.url,
      onRequest: (facts) => seen.push(facts),
    });
  });
  afterAll(async () => {
    gateway?.close();
    await mock?.stop();
  });

  it('are taken: create, confirm, retrieve, search, cancel, refund, and the look-ups of refunds and disputes', async () => {
    const order = orderId(randomUUID());
    const operationKey = operationKeys.processPayment(order, 1);
    const created = await gateway.create({
      idempotencyKey: operationKey,
      operationKey,
      orderId: order,
      amount,
      paymentMethodId: 'pm_card_visa',
      timeoutMs,
    });
    expect(created.status).toBe('created');
    await gateway.confirm({ idempotencyKey: 'confirm-1', intentId, timeoutMs });
    await gateway.retrieve({ intentId, timeoutMs });
    await gateway.findByOperation({ operationKey, timeoutMs });
    await gateway.listIntents({
      orderId: order,
      sinceUtc: '2026-01-02T03:04:05Z',
      afterId: intentId,
      timeoutMs,
    });
    await gateway.cancel({ idempotencyKey: 'cancel-1', intentId, timeoutMs });
    const request = { operationKey: 'refund-1', orderId: order, intentId, amount, timeoutMs };
    const refunded = await gateway.refund({ idempotencyKey: 'refund-1', ...request });
    expect(refunded).toMatchObject({ status: 'taken', refund: { refundId: expect.stringMatching(/^re_/) } });
    await gateway.refunds({ intentId, timeoutMs });
    await gateway.findRefund({ refundId: 're_1', timeoutMs });
    await gateway.findDispute({ disputeId: 'du_1', timeoutMs });
    expect(seen.map(({ operation, result }) => `${operation} ${result}`)).toEqual([
      'payment_intents.create ok',
      'payment_intents.confirm ok',
      'payment_intents.retrieve ok',
      'payment_intents.search ok',
      'payment_intents.list ok',
      'payment_intents.cancel ok',
      'refunds.create ok',
      'refunds.list ok',
      'refunds.retrieve ok',
      'disputes.retrieve ok',
    ]);
  });

  it('would be refused with a parameter that Stripe does not know', async () => {
    const response = await fetch(`${mock.url}/v1/payment_intents`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_123' },
      body: new URLSearchParams({ amount: '100', currency: 'inr', payment_way: 'card' }),
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('additional properties are not allowed');
  });
});
