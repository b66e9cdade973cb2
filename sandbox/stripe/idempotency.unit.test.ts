import type Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Sandbox } from '../start-sandbox.ts';
import { advanceClock, api, putFaults, quickSandbox, stripeFor } from '../testing.ts';

const AMOUNT = { amount: 149_900, currency: 'inr' };

describe("Stripe's idempotency keys", () => {
  let sandbox: Sandbox;
  let stripe: Stripe;

  beforeAll(async () => {
    sandbox = await quickSandbox();
    stripe = stripeFor(sandbox);
  });
  afterAll(() => sandbox.close());
  beforeEach(() => api(sandbox, 'POST', '/sandbox/reset'));

  const create = (idempotencyKey: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
    stripe.paymentIntents.create({ ...AMOUNT, ...more }, { idempotencyKey });

  const intents = async () => (await stripe.paymentIntents.list()).data;

  test('the same key and parameters replay the first answer and say so', async () => {
    const first = await create('key-1', { metadata: { orderId: 'o-1' } });
    const second = await create('key-1', { metadata: { orderId: 'o-1' } });
    expect(second.id).toBe(first.id);
    expect(second).toEqual(first);
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined();
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(await intents()).toHaveLength(1);
  });

  test('a replay shows the state of then, not of now', async () => {
    const first = await create('key-1', { payment_method: 'pm_card_visa' });
    await stripe.paymentIntents.cancel(first.id);
    expect((await create('key-1', { payment_method: 'pm_card_visa' })).status).toBe('requires_confirmation');
  });

  test('other parameters under the same key are refused with idempotency_error', async () => {
    await create('key-1');
    const error = await create('key-1', { amount: 5_000 }).catch((e: unknown) => e);
    expect(error).toMatchObject({
      type: 'StripeIdempotencyError',
      rawType: 'idempotency_error',
      statusCode: 400,
    });
  });

  test('another endpoint under the same key is refused', async () => {
    const intent = await create('key-1');
    await expect(stripe.paymentIntents.cancel(intent.id, {}, { idempotencyKey: 'key-1' })).rejects.toThrow(
      /only be used for the same endpoint/,
    );
  });

  test('a 500 is stored and replayed although nothing happened', async () => {
    await putFaults(sandbox, {
      provider: 'stripe',
      operation: 'payment_intents.create',
      kind: 'error',
      status: 500,
      times: 1,
    });
    const first = await create('key-1').catch((e: unknown) => e as Stripe.errors.StripeError);
    const again = await create('key-1').catch((e: unknown) => e as Stripe.errors.StripeError);
    expect(first).toMatchObject({ statusCode: 500, headers: { 'stripe-should-retry': 'false' } });
    expect(again).toMatchObject({ statusCode: 500, headers: { 'idempotent-replayed': 'true' } });
    expect(await intents()).toHaveLength(0);
    expect((await create('key-2')).id).toMatch(/^pi_/);
  });

  test('a 500 whose effect took place is replayed too, and the effect is there', async () => {
    await putFaults(sandbox, {
      provider: 'stripe',
      operation: 'payment_intents.create',
      kind: 'error',
      status: 500,
      effect: true,
      times: 1,
    });
    await expect(create('key-1')).rejects.toMatchObject({ statusCode: 500 });
    await expect(create('key-1')).rejects.toMatchObject({ statusCode: 500 });
    expect(await intents()).toHaveLength(1);
  });

  test('an answer from before execution is not stored: bad parameters, rate limit, outage', async () => {
    await expect(create('key-1', { amount: 1.5 })).rejects.toMatchObject({
      code: 'parameter_invalid_integer',
    });
    await putFaults(sandbox, { provider: 'stripe', kind: 'rate-limit', times: 1 });
    await expect(create('key-1')).rejects.toMatchObject({ statusCode: 429 });
    await putFaults(sandbox, { provider: 'stripe', kind: 'outage', times: 1 });
    await expect(create('key-1')).rejects.toMatchObject({ statusCode: 503 });
    await putFaults(sandbox, { provider: 'stripe', kind: 'error', status: 403, times: 1 });
    await expect(create('key-1')).rejects.toMatchObject({ statusCode: 403 });
    const intent = await create('key-1');
    expect(intent.lastResponse.headers['idempotent-replayed']).toBeUndefined();
  });

  test('a refusal by state is stored, since execution had begun', async () => {
    const intent = await create('key-1');
    const confirm = () => stripe.paymentIntents.confirm(intent.id, {}, { idempotencyKey: 'confirm-1' });
    await expect(confirm()).rejects.toMatchObject({ code: 'payment_intent_unexpected_state' });
    await expect(confirm()).rejects.toMatchObject({ headers: { 'idempotent-replayed': 'true' } });
  });

  test('a decline is stored: the same card again needs another key', async () => {
    const intent = await create('key-1', {
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    });
    const confirm = (key: string, payment_method: string) =>
      stripe.paymentIntents.confirm(intent.id, { payment_method }, { idempotencyKey: key });
    await expect(confirm('c-1', 'pm_card_chargeDeclined')).rejects.toMatchObject({ statusCode: 402 });
    await expect(confirm('c-1', 'pm_card_chargeDeclined')).rejects.toMatchObject({
      statusCode: 402,
      headers: { 'idempotent-replayed': 'true' },
    });
    expect((await confirm('c-2', 'pm_card_visa')).status).toBe('succeeded');
  });

  test('a key in use by a running request is refused with 409', async () => {
    await putFaults(sandbox, {
      provider: 'stripe',
      operation: 'payment_intents.create',
      kind: 'latency',
      ms: 200,
      times: 1,
    });
    const slow = create('key-1');
    await new Promise((resolve) => setTimeout(resolve, 60));
    await expect(create('key-1')).rejects.toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
    await slow;
    expect(await intents()).toHaveLength(1);
  });

  test('keys are forgotten after 24 hours: then the same request happens again', async () => {
    const first = await create('key-1');
    await advanceClock(sandbox, 23 * 3_600);
    expect((await create('key-1')).id).toBe(first.id);
    await advanceClock(sandbox, 3_601);
    expect((await create('key-1')).id).not.toBe(first.id);
    expect(await intents()).toHaveLength(2);
  });
});
