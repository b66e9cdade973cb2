import { randomUUID } from 'node:crypto';
import Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { operationKeys, orderId, type OrderId } from '../../domain/ids.ts';
import type { Money } from '../../domain/money.ts';
import {
  isKeySpent,
  type PaymentGateway,
  type ProviderRefund,
  type RefundRequested,
} from '../../ports/payment-gateway.ts';
import { startSandbox } from '../../sandbox/server.ts';
import {
  cutAnswer,
  cutConnection,
  dripAnswer,
  html,
  json,
  neverAnswer,
  startScriptedServer,
  type ScriptedServer,
} from '../../test/support/scripted-server.ts';
import { connectStripeGateway, type RequestFacts } from './stripe-gateway.ts';

const rupees: Money = { amountMinor: 149_900, currency: 'INR' };
const timeoutMs = 5_000;

describe('payments at the sandbox', () => {
  let sandbox: Awaited<ReturnType<typeof startSandbox>>;
  let gateway: PaymentGateway & { close(): void };
  const seen: RequestFacts[] = [];

  beforeAll(async () => {
    sandbox = await startSandbox({
      stripeSecretKey: 'sk_test_sandbox',
      stripeWebhookSecret: 'whsec_sandbox',
      settings: { searchDelayMs: 0, processingMs: 60_000 },
    });
    gateway = connectStripeGateway({
      secretKey: 'sk_test_sandbox',
      webhookSecret: 'whsec_sandbox',
      apiBase: sandbox.url,
      onRequest: (facts) => seen.push(facts),
    });
  });
  afterAll(async () => {
    gateway.close();
    await sandbox.close();
  });
  beforeEach(async () => {
    await fetch(`${sandbox.url}/sandbox/faults`, { method: 'DELETE' });
    seen.length = 0;
  });

  const advance = async (advanceSeconds: number) => {
    await fetch(`${sandbox.url}/sandbox/clock`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ advanceSeconds }),
    });
  };
  const fault = async (rule: object) => {
    const response = await fetch(`${sandbox.url}/sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ provider: 'stripe', times: 1, ...rule }),
    });
    expect(response.status).toBe(201);
  };

  const createWith = async (paymentMethodId: string, amount = rupees) => {
    const order = orderId(randomUUID());
    const operationKey = operationKeys.processPayment(order, 1);
    const input = {
      idempotencyKey: operationKey,
      operationKey,
      orderId: order,
      amount,
      paymentMethodId,
      timeoutMs,
    };
    return { input, answer: await gateway.create(input) };
  };
  const created = async (paymentMethodId: string, amount?: Money): Promise<string> => {
    const { answer } = await createWith(paymentMethodId, amount);
    if (answer.status !== 'created') throw new Error(`expected an intent, got ${answer.status}`);
    return answer.intentId;
  };
  const confirm = (intentId: string, idempotencyKey = `confirm-${intentId}`) =>
    gateway.confirm({ idempotencyKey, intentId, timeoutMs });

  it('charge on confirmation and not before', async () => {
    const intentId = await created('pm_card_visa');
    expect(await gateway.retrieve({ intentId, timeoutMs })).toEqual({ status: 'unconfirmed', intentId });
    expect(await confirm(intentId)).toMatchObject({ status: 'charged', intentId, amount: rupees });
    expect(await gateway.retrieve({ intentId, timeoutMs })).toMatchObject({
      status: 'charged',
      intentId,
      amount: rupees,
    });
    expect(seen.map(({ operation, result }) => `${operation} ${result}`)).toEqual([
      'payment_intents.create ok',
      'payment_intents.retrieve ok',
      'payment_intents.confirm ok',
      'payment_intents.retrieve ok',
    ]);
  });

  it('keep their amount in currencies without and with three decimals', async () => {
    for (const amount of [
      { amountMinor: 1_200, currency: 'JPY' },
      { amountMinor: 5_120, currency: 'KWD' },
    ] as const) {
      expect(await confirm(await created('pm_card_visa', amount))).toMatchObject({
        status: 'charged',
        amount,
      });
    }
  });

  it('are created once under one key', async () => {
    const { input, answer } = await createWith('pm_card_visa');
    expect(await gateway.create(input)).toEqual({ ...answer, replayed: true });
  });

  it('say of an answer that is kept under its key that it is one, also of a refusal', async () => {
    const intentId = await created('pm_sandbox_processing');
    const processing = { status: 'action_required', nextAction: { type: 'processing' } };
    await confirm(intentId);
    const cancel = () => gateway.cancel({ idempotencyKey: `cancel-${intentId}`, intentId, timeoutMs });
    expect(await cancel()).toMatchObject(processing);
    expect((await cancel()).replayed).toBe(true);
    expect(await cancel()).toMatchObject({ ...processing, replayed: true });
    expect(await confirm(intentId)).toMatchObject({ ...processing, replayed: true });
    expect(await gateway.retrieve({ intentId, timeoutMs })).not.toHaveProperty('replayed');
    const declined = await created('pm_card_chargeDeclined');
    expect(await confirm(declined)).not.toHaveProperty('replayed');
    expect(await confirm(declined)).toMatchObject({ status: 'declined', replayed: true });
  });

  it('decline with the bank’s code and stay declined', async () => {
    const intentId = await created('pm_card_chargeDeclinedInsufficientFunds');
    const declined = await confirm(intentId);
    expect(declined).toMatchObject({ status: 'declined', intentId, declineCode: 'insufficient_funds' });
    expect(await gateway.retrieve({ intentId, timeoutMs })).toMatchObject({ status: 'declined', intentId });
    expect(seen.find(({ operation }) => operation === 'payment_intents.confirm')?.result).toBe('refused');
  });

  it('refuse a payment method that does not exist', async () => {
    const { answer } = await createWith('pm_card_nonexistent');
    expect(answer).toMatchObject({ status: 'refused', declineCode: 'resource_missing' });
  });

  it('wait for the customer’s authentication', async () => {
    const answer = await confirm(await created('pm_card_authenticationRequired'));
    if (answer.status !== 'action_required') throw new Error(`got ${answer.status}`);
    expect(answer.nextAction.type).not.toBe('');
    expect(answer.nextAction.clientSecret).toContain(answer.intentId);
  });

  it('can be canceled until they are charged; then the answer says so', async () => {
    const open = await created('pm_card_visa');
    const cancel = (intentId: string) =>
      gateway.cancel({ idempotencyKey: `cancel-${intentId}`, intentId, timeoutMs });
    expect(await cancel(open)).toEqual({ status: 'canceled', intentId: open });
    expect(await confirm(open)).toEqual({ status: 'canceled', intentId: open });
    const paid = await created('pm_card_visa');
    await confirm(paid);
    expect(await cancel(paid)).toMatchObject({ status: 'charged', intentId: paid, amount: rupees });
  });

  it('are confirmed again under another key without a second charge', async () => {
    const intentId = await created('pm_card_visa');
    await confirm(intentId);
    expect(await confirm(intentId, `again-${intentId}`)).toMatchObject({
      status: 'charged',
      intentId,
      amount: rupees,
    });
  });

  const charged = async (paymentMethodId = 'pm_card_visa') => {
    const { input, answer } = await createWith(paymentMethodId);
    if (answer.status !== 'created') throw new Error(`expected an intent, got ${answer.status}`);
    await confirm(answer.intentId);
    return { orderId: input.orderId, intentId: answer.intentId };
  };
  const refund = (
    of: { orderId: OrderId; intentId: string },
    operationKey: string,
    change: { amountMinor?: number; idempotencyKey?: string } = {},
  ) => {
    const { amountMinor = rupees.amountMinor, idempotencyKey = operationKey } = change;
    const amount = { ...rupees, amountMinor };
    return gateway.refund({ ...of, idempotencyKey, operationKey, amount, timeoutMs });
  };
  const taken = (answer: RefundRequested): ProviderRefund => {
    if (answer.status === 'taken') return answer.refund;
    throw new Error(`expected a refund, got ${JSON.stringify(answer)}`);
  };

  it('are refunded in parts, each once under its key, and no more than was charged', async () => {
    const paid = await charged();
    const first = taken(await refund(paid, 'refund-a', { amountMinor: 50_000 }));
    expect(first).toMatchObject({
      intentId: paid.intentId,
      status: 'succeeded',
      amount: { amountMinor: 50_000, currency: 'INR' },
      operationKey: 'refund-a',
    });
    expect(taken(await refund(paid, 'refund-a', { amountMinor: 50_000 }))).toEqual(first);
    expect(await refund(paid, 'refund-b')).toMatchObject({ status: 'refused', code: 'amount_too_large' });
    const rest = taken(await refund(paid, 'refund-c', { amountMinor: 99_900 }));
    expect(await refund(paid, 'refund-d', { amountMinor: 1 })).toMatchObject({
      status: 'refused',
      code: 'nothing_left',
    });
    const { intentId, orderId } = paid;
    expect(await gateway.refunds({ intentId, timeoutMs })).toEqual([rest, first]);
    const found = await gateway.findRefund({ refundId: first.refundId, timeoutMs });
    expect(found).toEqual({ ...first, orderId });
  });

  it('show all their refunds, however many pages there are', async () => {
    const paid = await charged();
    for (let count = 0; count < 105; count += 1) await refund(paid, `refund-${count}`, { amountMinor: 100 });
    const refunds = await gateway.refunds({ intentId: paid.intentId, timeoutMs });
    expect(refunds.map(({ operationKey }) => operationKey)).toEqual(
      Array.from({ length: 105 }, (_, index) => `refund-${104 - index}`),
    );
    expect(seen.filter(({ operation }) => operation === 'refunds.list')).toHaveLength(2);
  });

  it('say that a refusal which is replayed from under a key tells how things were', async () => {
    const paid = await charged();
    await refund(paid, 'refund-e', { amountMinor: 149_901 });
    const replayed = await refund(paid, 'refund-e', { amountMinor: 149_901 }).catch(
      (error: unknown) => error,
    );
    expect(isKeySpent(replayed)).toBe(true);
  });

  it('are refunded with a delay, or the refund fails, where the card is such', async () => {
    const slow = await charged('pm_card_pendingRefund');
    expect(taken(await refund(slow, 'refund-f'))).toMatchObject({ status: 'pending' });
    const failing = await charged('pm_card_refundFail');
    const { refundId } = taken(await refund(failing, 'refund-g'));
    await advance(61);
    await expect
      .poll(() => gateway.findRefund({ refundId, timeoutMs }))
      .toMatchObject({ status: 'failed', failure: 'expired_or_canceled_card' });
  });

  it('are disputed, and not refunded then', async () => {
    const paid = await charged();
    const response = await fetch(`${sandbox.url}/sandbox/disputes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ payment_intent: paid.intentId }),
    });
    const { id } = (await response.json()) as { id: string };
    expect(await gateway.findDispute({ disputeId: id, timeoutMs })).toMatchObject({
      disputeId: id,
      ...paid,
      state: 'open',
      amount: rupees,
      reason: 'fraudulent',
    });
    expect(await refund(paid, 'refund-h')).toMatchObject({ status: 'refused', code: 'disputed' });
  });

  it('are found by their operation key', async () => {
    const { input, answer } = await createWith('pm_card_visa');
    if (answer.status !== 'created') throw new Error('not created');
    const found = await gateway.findByOperation({ operationKey: input.operationKey, timeoutMs });
    expect(found).toEqual([{ status: 'unconfirmed', intentId: answer.intentId }]);
    expect(await gateway.findByOperation({ operationKey: `payment-${randomUUID()}-1`, timeoutMs })).toEqual(
      [],
    );
  });

  it('fail with a spent key after a stored 500, and go on under the next key', async () => {
    const intentId = await created('pm_card_visa');
    await fault({ operation: 'payment_intents.confirm', kind: 'error', status: 500 });
    await expect(confirm(intentId)).rejects.toMatchObject({ type: 'OutcomeUnknown' });
    const replayed = await confirm(intentId).catch((error: unknown) => error);
    expect(replayed).toMatchObject({ type: 'OutcomeUnknown' });
    expect(isKeySpent(replayed)).toBe(true);
    expect(await gateway.retrieve({ intentId, timeoutMs })).toMatchObject({ status: 'unconfirmed' });
    expect(await confirm(intentId, `confirm-${intentId}-2`)).toMatchObject({ status: 'charged' });
  });

  it('keep their key through an outage, in which nothing is stored', async () => {
    const intentId = await created('pm_card_visa');
    await fault({ operation: 'payment_intents.confirm', kind: 'outage' });
    const away = await confirm(intentId).catch((error: unknown) => error);
    expect(away).toMatchObject({ type: 'OutcomeUnknown' });
    expect(isKeySpent(away)).toBe(false);
    expect(await confirm(intentId)).toMatchObject({ status: 'charged' });
  });

  it('are charged once although the reply was lost, which nothing here repeats', async () => {
    const intentId = await created('pm_card_visa');
    await fault({ operation: 'payment_intents.confirm', kind: 'reply-lost' });
    await expect(confirm(intentId)).rejects.toMatchObject({ type: 'OutcomeUnknown' });
    expect(await gateway.retrieve({ intentId, timeoutMs })).toMatchObject({ status: 'charged' });
  });

  it('are unavailable, with nothing done, while Stripe limits requests', async () => {
    await fault({ operation: 'payment_intents.retrieve', kind: 'rate-limit', retryAfterSeconds: 2 });
    await expect(gateway.retrieve({ intentId: 'pi_any', timeoutMs })).rejects.toMatchObject({
      type: 'ProviderUnavailable',
    });
  });

  it('need a person when the secret key is wrong', async () => {
    const stranger = connectStripeGateway({
      secretKey: 'sk_test_other',
      webhookSecret: 'whsec_sandbox',
      apiBase: sandbox.url,
    });
    await expect(stranger.retrieve({ intentId: 'pi_1', timeoutMs })).rejects.toMatchObject({
      type: 'ProviderMisconfigured',
      message: expect.stringContaining('STRIPE_SECRET_KEY') as string,
    });
    stranger.close();
  });

  it('are listed by their order, whoever made them, page by page from a time on', async () => {
    const [order, other] = [orderId(randomUUID()), orderId(randomUUID())];
    const sinceUtc = new Date().toISOString();
    const byHand = new Stripe('sk_test_sandbox', {
      host: '127.0.0.1',
      port: new URL(sandbox.url).port,
      protocol: 'http',
    });
    const charge = (metadata: Record<string, string>) =>
      byHand.paymentIntents.create({
        amount: 149_900,
        currency: 'inr',
        payment_method: 'pm_card_visa',
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
        confirm: true,
        metadata,
      });
    const found = await charge({ orderId: order });
    const operationKey = operationKeys.processPayment(order, 1);
    const ours = await gateway.create({
      idempotencyKey: operationKey,
      operationKey,
      orderId: order,
      amount: rupees,
      paymentMethodId: 'pm_card_visa',
      timeoutMs,
    });
    for (let n = 0; n < 101; n += 1) await charge(n % 2 === 0 ? { orderId: other } : {});
    const list = (afterId?: string) =>
      gateway.listIntents({ orderId: order, sinceUtc, timeoutMs, ...(afterId ? { afterId } : {}) });
    const first = await list();
    expect(first).toEqual({ intents: [], afterId: expect.stringMatching(/^pi_/) as string });
    expect(await list(first.afterId)).toEqual({
      intents: [
        { status: 'unconfirmed', intentId: 'intentId' in ours ? ours.intentId : '', operationKey },
        { status: 'charged', intentId: found.id, amount: rupees, orderId: order },
      ],
    });
    const later = { orderId: order, sinceUtc: new Date(Date.now() + 3_600_000).toISOString(), timeoutMs };
    expect(await gateway.listIntents(later)).toEqual({ intents: [] });
  });
});

describe('payments over a bad wire', () => {
  let server: ScriptedServer;
  let gateway: PaymentGateway & { close(): void };

  beforeAll(async () => {
    server = await startScriptedServer();
    gateway = connectStripeGateway({ secretKey: 'sk_test_x', webhookSecret: 'whsec_x', apiBase: server.url });
  });
  afterAll(async () => {
    gateway.close();
    await server.close();
  });

  it.each([
    ['JSON that is no list', json(200, { hello: 'world' })],
    ['null', json(200, null)],
    ['a list that does not say whether it is all', json(200, { object: 'list', data: [] })],
    ['an empty page before others', json(200, { object: 'list', data: [], has_more: true })],
    [
      'an intent of the order in an unknown state',
      json(200, {
        object: 'list',
        data: [{ id: 'pi_1', object: 'payment_intent', status: 'odd', metadata: { orderId: 'o-1' } }],
        has_more: false,
      }),
    ],
  ])('are no end of a list: %s', async (_case, script) => {
    server.answerWith(script);
    const list = gateway.listIntents({
      orderId: orderId('o-1'),
      sinceUtc: '2026-01-02T03:04:05.678Z',
      afterId: 'pi_9',
      timeoutMs: 2_000,
    });
    await expect(list).rejects.toMatchObject({ type: 'OutcomeUnknown' });
    const asked = new URL(server.requests.at(-1)?.url ?? '', 'http://x').searchParams;
    expect(Object.fromEntries(asked)).toEqual({
      'created[gte]': '1767323045',
      limit: '100',
      starting_after: 'pi_9',
    });
  });

  const confirm = (limitMs = 2_000) =>
    gateway.confirm({ idempotencyKey: 'key-1', intentId: 'pi_1', timeoutMs: limitMs });

  it.each([
    ['a reset after the request arrived', cutConnection],
    ['an answer that breaks off', cutAnswer],
    ['a proxy’s page with status 502', html(502)],
    ['a proxy’s page with status 200', html(200)],
    ['JSON that is no intent', json(200, { hello: 'world' })],
    ['null', json(200, null)],
    ['a 500 without Stripe’s error object', json(500, { message: 'oops' })],
    ['500', json(500, { error: { type: 'api_error', message: 'oops' } })],
    [
      '409 for a key in use',
      json(409, { error: { type: 'idempotency_error', code: 'idempotency_key_in_use', message: 'busy' } }),
    ],
  ])('leave the outcome unknown and are sent once: %s', async (_case, script) => {
    server.answerWith(script);
    await expect(confirm()).rejects.toMatchObject({ type: 'OutcomeUnknown' });
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ['no answer', neverAnswer],
    ['an answer that trickles', dripAnswer],
  ])('end in time with the outcome unknown: %s', async (_case, script) => {
    server.answerWith(script);
    const startedMs = performance.now();
    await expect(confirm(300)).rejects.toMatchObject({ type: 'OutcomeUnknown' });
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(server.requests).toHaveLength(1);
  });

  it('did nothing when nobody listens', async () => {
    const closed = await startScriptedServer();
    await closed.close();
    const nowhere = connectStripeGateway({
      secretKey: 'sk_test_x',
      webhookSecret: 'whsec_x',
      apiBase: closed.url,
    });
    await expect(nowhere.retrieve({ intentId: 'pi_1', timeoutMs })).rejects.toMatchObject({
      type: 'ProviderUnavailable',
    });
    nowhere.close();
  });

  it('send what Stripe needs and no personal data', async () => {
    server.answerWith(json(200, { id: 'pi_1', object: 'payment_intent' }));
    const order = orderId(randomUUID());
    const operationKey = operationKeys.processPayment(order, 1);
    await gateway.create({
      idempotencyKey: 'create-1',
      operationKey,
      orderId: order,
      amount: rupees,
      paymentMethodId: 'pm_card_visa',
      timeoutMs,
    });
    const [request] = server.requests;
    expect(request?.headers['idempotency-key']).toBe('create-1');
    expect(request?.headers['x-stripe-client-telemetry']).toBeUndefined();
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      amount: '149900',
      currency: 'inr',
      payment_method: 'pm_card_visa',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
      'metadata[orderId]': order,
      'metadata[operationKey]': operationKey,
    });
  });

  it('share a connection', async () => {
    server.answerWith(json(200, { id: 'pi_1', object: 'payment_intent', status: 'canceled' }));
    await gateway.retrieve({ intentId: 'pi_1', timeoutMs });
    await gateway.retrieve({ intentId: 'pi_1', timeoutMs });
    const [first, second] = server.requests;
    expect(first?.clientPort).toBeGreaterThan(0);
    expect(second?.clientPort).toBe(first?.clientPort);
  });
});

describe('webhooks', () => {
  const secret = 'whsec_test';
  const gateway = connectStripeGateway({ secretKey: 'sk_test_x', webhookSecret: secret });
  const rawBody = JSON.stringify({
    id: 'evt_1',
    object: 'event',
    type: 'payment_intent.succeeded',
    data: { object: { id: 'pi_1', object: 'payment_intent', metadata: { orderId: 'o-1' } } },
  });
  const sign = (payload: string, timestamp?: number) =>
    Stripe.webhooks.generateTestHeaderString({ payload, secret, ...(timestamp ? { timestamp } : {}) });

  it('are read when their signature holds over the raw body', () => {
    expect(gateway.verifyWebhook({ rawBody, signature: sign(rawBody) })).toEqual({
      eventId: 'evt_1',
      type: 'payment_intent.succeeded',
      intentId: 'pi_1',
      orderId: 'o-1',
    });
  });

  it.each([
    [
      'another secret',
      rawBody,
      Stripe.webhooks.generateTestHeaderString({ payload: rawBody, secret: 'whsec_other' }),
    ],
    ['a changed body', `${rawBody} `, sign(rawBody)],
    ['an old signature', rawBody, sign(rawBody, Math.floor(Date.now() / 1_000) - 3_600)],
    ['no signature', rawBody, ''],
  ])('are ignored: %s', (_case, body, signature) => {
    expect(gateway.verifyWebhook({ rawBody: body, signature })).toBeUndefined();
  });

  it.each([
    'hello',
    '{"cut',
    'null',
    '[]',
    '{"id":"evt_1","object":"v2.core.event","type":"v1.thing"}',
    '{"data":{"object":null}}',
  ])('a signed event that cannot be used is no invalid signature: %s', (payload) => {
    expect(gateway.verifyWebhook({ rawBody: payload, signature: sign(payload) })).toMatchObject({
      type: 'unusable',
    });
  });

  it('takes no signature from the future', () => {
    const seconds = Math.floor(Date.now() / 1_000);
    const at = (timestamp: number) => gateway.verifyWebhook({ rawBody, signature: sign(rawBody, timestamp) });
    expect(at(seconds + 3_600)).toBeUndefined();
    expect(at(seconds + 60)).toBeDefined();
  });
});
