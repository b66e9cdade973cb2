import type Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Sandbox } from '../start-sandbox.ts';
import { api, easypostFor, putFaults, quickSandbox, stripeFor } from '../testing.ts';

interface Ledger {
  charged: unknown[];
  intents: { status: string }[];
  labels: unknown[];
  shipmentsWithoutLabel: unknown[];
}

const ADDRESS = { name: 'A', street1: '1 Road', city: 'Pune', zip: '411001', country: 'IN' };

describe('faults on demand', () => {
  let sandbox: Sandbox;
  let stripe: Stripe;

  beforeAll(async () => {
    sandbox = await quickSandbox();
    stripe = stripeFor(sandbox);
  });
  afterAll(() => sandbox.close());
  beforeEach(() => api(sandbox, 'POST', '/sandbox/reset'));

  const create = (orderId = 'o-1', key?: string) =>
    stripe.paymentIntents.create(
      {
        amount: 1_000,
        currency: 'inr',
        metadata: { orderId },
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      },
      key ? { idempotencyKey: key } : {},
    );
  const confirm = (id: string) =>
    stripe.paymentIntents.confirm(
      id,
      { payment_method: 'pm_card_visa' },
      { idempotencyKey: `confirm-${id}` },
    );
  const ledger = async (orderId = 'o-1') =>
    (await api<Ledger>(sandbox, 'GET', `/sandbox/ledger?orderId=${orderId}`)).body;

  test('a lost reply charges all the same; the same key then tells so', async () => {
    const intent = await create();
    // Two, since the SDK asks again once by itself when a connection breaks, whatever its settings say.
    await putFaults(sandbox, {
      provider: 'stripe',
      operation: 'payment_intents.confirm',
      kind: 'reply-lost',
      times: 2,
    });
    await expect(confirm(intent.id)).rejects.toMatchObject({ type: 'StripeConnectionError' });
    expect((await ledger()).charged).toHaveLength(1);
    expect((await confirm(intent.id)).status).toBe('succeeded');
    expect((await ledger()).charged).toHaveLength(1);
  });

  test('a call that hangs after its effect times out at the caller', async () => {
    const intent = await create();
    await putFaults(sandbox, {
      provider: 'stripe',
      operation: 'payment_intents.confirm',
      kind: 'hang-after',
      times: 1,
    });
    await expect(
      stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }, { timeout: 200 }),
    ).rejects.toMatchObject({ type: 'StripeConnectionError' });
    expect((await ledger()).charged).toHaveLength(1);
  });

  test('under latency the effect lands after the caller has gone away', async () => {
    const intent = await create();
    await putFaults(sandbox, {
      provider: 'stripe',
      operation: 'payment_intents.confirm',
      kind: 'latency',
      ms: 300,
    });
    await expect(
      stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }, { timeout: 100 }),
    ).rejects.toMatchObject({ type: 'StripeConnectionError' });
    expect((await ledger()).charged).toHaveLength(0);
    await vi.waitFor(async () => expect((await ledger()).charged).toHaveLength(1), 2_000);
  });

  test('a canceled intent makes a late confirmation harmless', async () => {
    const intent = await create();
    await putFaults(sandbox, {
      provider: 'stripe',
      operation: 'payment_intents.confirm',
      kind: 'latency',
      ms: 200,
    });
    const late = confirm(intent.id).catch((e: unknown) => e);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await stripe.paymentIntents.cancel(intent.id);
    expect(await late).toMatchObject({ code: 'payment_intent_unexpected_state' });
    expect((await ledger()).charged).toHaveLength(0);
  });

  test('times: applies to so many calls', async () => {
    await putFaults(sandbox, { provider: 'stripe', kind: 'error', status: 500, times: 2 });
    await expect(create()).rejects.toMatchObject({ statusCode: 500 });
    await expect(create()).rejects.toMatchObject({ statusCode: 500 });
    expect((await create()).id).toMatch(/^pi_/);
    const { body } = await api<{ rules: unknown[] }>(sandbox, 'GET', '/sandbox/faults');
    expect(body.rules).toEqual([]);
  });

  test('forMs: applies for so long', async () => {
    await putFaults(sandbox, { provider: 'stripe', kind: 'outage', mode: '503', forMs: 300 });
    await expect(create()).rejects.toMatchObject({ statusCode: 503 });
    await vi.waitFor(() => create(), { timeout: 2_000, interval: 50 });
  });

  test('match: applies to one order only, also where only the intent knows the order', async () => {
    const [one, two] = [await create('o-1'), await create('o-2')];
    await putFaults(sandbox, { provider: 'stripe', kind: 'error', status: 500, match: { orderId: 'o-1' } });
    await expect(confirm(one.id)).rejects.toMatchObject({ statusCode: 500 });
    expect((await confirm(two.id)).status).toBe('succeeded');
  });

  test('match: applies to given metadata and amount', async () => {
    const rule = { provider: 'stripe', kind: 'error', status: 500 } as const;
    await putFaults(
      sandbox,
      { ...rule, match: { metadata: { orderId: 'o-1' } } },
      { ...rule, match: { amount: 999, orderId: 'o-2' } },
    );
    await expect(create('o-1')).rejects.toMatchObject({ statusCode: 500 });
    expect((await create('o-2')).id).toMatch(/^pi_/);
  });

  test('an outage refuses, hangs or answers 503, and nothing happens', async () => {
    await api(sandbox, 'POST', '/sandbox/outage', { provider: 'stripe', seconds: 30, mode: 'refuse' });
    await expect(create()).rejects.toMatchObject({ type: 'StripeConnectionError' });
    await api(sandbox, 'POST', '/sandbox/outage', { provider: 'stripe', seconds: 30, mode: 'hang' });
    await expect(stripe.paymentIntents.list({}, { timeout: 150 })).rejects.toMatchObject({
      type: 'StripeConnectionError',
    });
    await api(sandbox, 'POST', '/sandbox/outage', { provider: 'stripe', seconds: 30 });
    await expect(create()).rejects.toMatchObject({ statusCode: 503 });
    await api(sandbox, 'DELETE', '/sandbox/faults/outage-stripe');
    expect((await stripe.paymentIntents.list()).data).toEqual([]);
  });

  test('the carrier loses replies too: two labels only when it is asked for two', async () => {
    const easypost = easypostFor(sandbox);
    const shipment = await easypost.Shipment.create({
      reference: 'shipment-o-9-1',
      to_address: ADDRESS,
      from_address: ADDRESS,
      parcel: { weight: 5 },
    });
    await putFaults(sandbox, {
      provider: 'easypost',
      operation: 'shipments.buy',
      kind: 'reply-lost',
      times: 1,
      match: { orderId: 'o-9' },
    });
    await expect(easypost.Shipment.buy(shipment.id, shipment.lowestRate())).rejects.toThrow(
      /socket hang up|ECONNRESET/,
    );
    expect((await ledger('o-9')).labels).toHaveLength(1);
    expect((await easypost.Shipment.retrieve(shipment.id)).tracking_code).toBeTruthy();
  });

  test("the carrier's errors come in its own shape", async () => {
    const easypost = easypostFor(sandbox);
    await putFaults(
      sandbox,
      { provider: 'easypost', operation: 'addresses.verify', kind: 'rate-limit', times: 1 },
      { provider: 'easypost', operation: 'shipments.create', kind: 'error', status: 500, times: 1 },
    );
    await expect(easypost.Address.createAndVerify(ADDRESS)).rejects.toMatchObject({
      statusCode: 429,
      code: 'RATE_LIMITED',
    });
    const shipment = { to_address: ADDRESS, from_address: ADDRESS, parcel: { weight: 5 } };
    await expect(easypost.Shipment.create(shipment)).rejects.toMatchObject({ statusCode: 500 });
  });

  test('what cannot be meant is refused with what is allowed', async () => {
    const unknown = await api<{ detail: string }>(sandbox, 'PUT', '/sandbox/faults', [
      { provider: 'paypal', kind: 'outage' },
    ]);
    expect(unknown.status).toBe(422);
    expect(unknown.body.detail).toMatch(/"stripe"\|"easypost"\|"smtp"\|"partner"/);
    const operation = await api<{ detail: string }>(sandbox, 'PUT', '/sandbox/faults', [
      { provider: 'stripe', operation: 'payment_intents.destroy', kind: 'outage' },
    ]);
    expect(operation.status).toBe(422);
    expect(operation.body.detail).toMatch(/payment_intents\.create/);
    expect((await api(sandbox, 'PUT', '/sandbox/faults', 'nonsense')).status).toBe(422);
    expect((await api(sandbox, 'POST', '/sandbox/outage', { provider: 'smtp' })).status).toBe(422);
    expect((await api(sandbox, 'DELETE', '/sandbox/faults/none')).status).toBe(404);
  });

  test('every call is counted by operation and outcome', async () => {
    await create('o-1', 'same-key');
    await create('o-1', 'same-key');
    await stripe.paymentIntents.retrieve('pi_none').catch(() => undefined);
    await putFaults(sandbox, {
      provider: 'stripe',
      operation: 'balance.retrieve',
      kind: 'error',
      status: 500,
    });
    await stripe.balance.retrieve().catch(() => undefined);
    const { body } = await api<{ operations: { stripe: Record<string, unknown> } }>(
      sandbox,
      'GET',
      '/sandbox/counts',
    );
    expect(body.operations.stripe).toEqual({
      'payment_intents.create': { requests: 2, effects: 1, replays: 1 },
      'payment_intents.retrieve': { requests: 1, errors: 1 },
      'balance.retrieve': { requests: 1, errors: 1, faults: 1 },
    });
  });
});
