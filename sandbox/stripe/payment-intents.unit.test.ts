import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Sandbox } from '../start-sandbox.ts';
import { api, quickSandbox, stripeFor } from '../testing.ts';

const NO_REDIRECTS = { automatic_payment_methods: { enabled: true, allow_redirects: 'never' } } as const;

describe('payment intents', () => {
  let sandbox: Sandbox;
  let stripe: Stripe;

  beforeAll(async () => {
    sandbox = await quickSandbox();
    stripe = stripeFor(sandbox);
  });
  afterAll(() => sandbox.close());

  const create = (more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
    stripe.paymentIntents.create({ amount: 149_900, currency: 'inr', ...NO_REDIRECTS, ...more });

  const pay = async (method: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}) => {
    const intent = await create(more);
    return stripe.paymentIntents.confirm(intent.id, { payment_method: method });
  };

  const statusOf = async (id: string) => (await stripe.paymentIntents.retrieve(id)).status;

  test('an unknown key is refused, a known one finds the balance', async () => {
    await expect(stripeFor(sandbox, 'sk_test_wrong').balance.retrieve()).rejects.toMatchObject({
      type: 'StripeAuthenticationError',
    });
    expect((await stripe.balance.retrieve()).object).toBe('balance');
  });

  test('a created intent waits for a payment method, a confirmed one has a charge', async () => {
    const intent = await create({ metadata: { orderId: 'o-1' } });
    expect(intent).toMatchObject({
      status: 'requires_payment_method',
      amount_received: 0,
      latest_charge: null,
    });
    const paid = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' });
    expect(paid).toMatchObject({ status: 'succeeded', amount_received: 149_900 });
    const charge = await stripe.charges.retrieve(paid.latest_charge as string);
    expect(charge).toMatchObject({
      amount: 149_900,
      paid: true,
      captured: true,
      metadata: { orderId: 'o-1' },
    });
  });

  test('confirming without a return address is refused unless redirects are ruled out', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 1_000, currency: 'inr' });
    const confirm = (more: Stripe.PaymentIntentConfirmParams) =>
      stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa', ...more });
    await expect(confirm({})).rejects.toThrow(/return_url/);
    expect(await statusOf(intent.id)).toBe('requires_payment_method');
    expect((await confirm({ return_url: 'https://shop.example/back' })).status).toBe('succeeded');
  });

  test('creating and confirming in one call leaves nothing behind when it cannot be confirmed', async () => {
    const before = (await stripe.paymentIntents.list({ limit: 100 })).data.length;
    await expect(
      stripe.paymentIntents.create({
        amount: 1_000,
        currency: 'inr',
        confirm: true,
        payment_method: 'pm_card_visa',
      }),
    ).rejects.toThrow(/return_url/);
    expect((await stripe.paymentIntents.list({ limit: 100 })).data).toHaveLength(before);
    expect((await create({ confirm: true, payment_method: 'pm_card_visa' })).status).toBe('succeeded');
  });

  test.each([
    ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', ''],
    ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', ''],
  ])('%s is declined as %s', async (method, code, decline) => {
    const intent = await create();
    const error = await stripe.paymentIntents
      .confirm(intent.id, { payment_method: method })
      .catch((e: unknown) => e as Stripe.errors.StripeCardError);
    expect(error).toMatchObject({ type: 'StripeCardError', statusCode: 402, code });
    expect((error as Stripe.errors.StripeCardError).decline_code).toBe(decline);
    expect((error as Stripe.errors.StripeCardError).payment_intent?.id).toBe(intent.id);
    const after = await stripe.paymentIntents.retrieve(intent.id);
    expect(after).toMatchObject({
      status: 'requires_payment_method',
      payment_method: null,
      amount_received: 0,
    });
    expect(after.last_payment_error?.code).toBe(code);
    expect((await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })).status).toBe(
      'succeeded',
    );
  });

  test('an unknown payment method and an unknown intent are resource_missing', async () => {
    const intent = await create();
    await expect(
      stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_nothing' }),
    ).rejects.toMatchObject({ code: 'resource_missing', statusCode: 400 });
    await expect(stripe.paymentIntents.retrieve('pi_none')).rejects.toMatchObject({
      code: 'resource_missing',
      statusCode: 404,
    });
  });

  test('a second confirmation and a late cancel are refused by state', async () => {
    const paid = await pay('pm_card_visa');
    await expect(
      stripe.paymentIntents.confirm(paid.id, { payment_method: 'pm_card_visa' }),
    ).rejects.toMatchObject({ code: 'payment_intent_unexpected_state' });
    const error = await stripe.paymentIntents
      .cancel(paid.id)
      .catch((e: unknown) => e as Stripe.errors.StripeError);
    expect(error).toMatchObject({ code: 'payment_intent_unexpected_state', statusCode: 400 });
    expect((error as Stripe.errors.StripeError).payment_intent?.status).toBe('succeeded');
  });

  test('a canceled intent can be neither confirmed nor canceled again', async () => {
    const intent = await create();
    const canceled = await stripe.paymentIntents.cancel(intent.id, { cancellation_reason: 'abandoned' });
    expect(canceled).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
    await expect(
      stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }),
    ).rejects.toMatchObject({ code: 'payment_intent_unexpected_state' });
    await expect(stripe.paymentIntents.cancel(intent.id)).rejects.toMatchObject({ statusCode: 400 });
  });

  test('parameters Stripe does not know are refused by name, those only the sandbox does not know say so', async () => {
    await expect(create({ surprise: 'x' } as object)).rejects.toMatchObject({
      code: 'parameter_unknown',
      param: 'surprise',
    });
    await expect(
      create({ automatic_payment_methods: { enabled: true, colour: 'red' } as never }),
    ).rejects.toMatchObject({
      param: 'automatic_payment_methods[colour]',
    });
    await expect(create({ customer: 'cus_1' })).rejects.toThrow(/sandbox does not support/);
    await expect(create({ amount: undefined } as never)).rejects.toMatchObject({ code: 'parameter_missing' });
  });

  test.each([
    ['inr', 49, 'amount_too_small'],
    ['inr', 1_000_000_000, 'amount_too_large'],
    ['usd', 100_000_000, 'amount_too_large'],
    ['jpy', 49, 'amount_too_small'],
    ['kwd', 1_001, 'invalid_charge_amount'],
    ['isk', 550, 'invalid_charge_amount'],
    ['usd', 0, 'parameter_invalid_integer'],
  ])('%s %i is refused as %s', async (currency, amount, code) => {
    await expect(create({ amount, currency })).rejects.toMatchObject({
      code,
      param: 'amount',
      statusCode: 400,
    });
  });

  test.each([
    ['inr', 999_999_999],
    ['jpy', 500],
    ['kwd', 1_010],
    ['usd', 99_999_999],
  ])('%s %i is accepted', async (currency, amount) => {
    expect(await create({ amount, currency })).toMatchObject({ amount, currency });
  });

  test('an unknown currency is refused', async () => {
    await expect(create({ currency: 'xyz' })).rejects.toMatchObject({ param: 'currency' });
  });

  test('a card that needs authentication waits for the customer, who passes or fails', async () => {
    const waiting = await pay('pm_card_authenticationRequired');
    expect(waiting).toMatchObject({ status: 'requires_action', next_action: { type: 'use_stripe_sdk' } });
    const authenticate = (id: string, outcome: string) =>
      api(sandbox, 'POST', `/sandbox/payment_intents/${id}/authenticate`, { outcome });
    expect(await authenticate(waiting.id, 'succeed')).toMatchObject({
      status: 200,
      body: { status: 'succeeded' },
    });
    expect(await statusOf(waiting.id)).toBe('succeeded');
    expect((await authenticate(waiting.id, 'succeed')).status).toBe(409);

    const other = await pay('pm_card_authenticationRequired');
    await authenticate(other.id, 'fail');
    const failed = await stripe.paymentIntents.retrieve(other.id);
    expect(failed.status).toBe('requires_payment_method');
    expect(failed.last_payment_error?.code).toBe('payment_intent_authentication_failure');
  });

  test('off session such a card is declined', async () => {
    const intent = await create();
    await expect(
      stripe.paymentIntents.confirm(intent.id, {
        payment_method: 'pm_card_authenticationRequired',
        off_session: true,
      }),
    ).rejects.toMatchObject({ code: 'authentication_required', statusCode: 402 });
  });

  test('an asynchronous payment is processing first, then succeeds or fails by itself', async () => {
    const good = await pay('pm_sandbox_processing');
    const bad = await pay('pm_sandbox_processingFails');
    expect([good.status, bad.status]).toEqual(['processing', 'processing']);
    await expect(stripe.paymentIntents.cancel(good.id)).rejects.toMatchObject({ statusCode: 400 });
    await vi.waitFor(async () => expect(await statusOf(good.id)).toBe('succeeded'), 2_000);
    await vi.waitFor(async () => expect(await statusOf(bad.id)).toBe('requires_payment_method'), 2_000);
    await expect(pay('pm_usBankAccount_success')).rejects.toMatchObject({
      code: 'payment_intent_incompatible_payment_method',
    });
  });

  test('with manual capture the money is only authorized until it is captured or let go', async () => {
    const held = await pay('pm_card_visa', { capture_method: 'manual' });
    expect(held).toMatchObject({
      status: 'requires_capture',
      amount_capturable: 149_900,
      amount_received: 0,
    });
    const captured = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 100_000 });
    expect(captured).toMatchObject({ status: 'succeeded', amount_received: 100_000, amount_capturable: 0 });
    await expect(stripe.paymentIntents.capture(held.id)).rejects.toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
    const other = await pay('pm_card_visa', { capture_method: 'manual' });
    expect((await stripe.paymentIntents.cancel(other.id)).status).toBe('canceled');
  });

  test('search finds a new intent only after a while', async () => {
    const intent = await create({ metadata: { orderId: 'search-1' } });
    const search = async () =>
      (await stripe.paymentIntents.search({ query: "metadata['orderId']:'search-1'" })).data.map(
        ({ id }) => id,
      );
    expect(await search()).toEqual([]);
    await vi.waitFor(async () => expect(await search()).toEqual([intent.id]), 2_000);
    await expect(stripe.paymentIntents.search({ query: 'whatever' })).rejects.toMatchObject({
      param: 'query',
    });
  });

  test('lists go through all intents by page', async () => {
    const ids: string[] = [];
    for await (const intent of stripe.paymentIntents.list({ limit: 3 })) ids.push(intent.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(6);
    const newer = await stripe.paymentIntents.list({ limit: 2, ending_before: String(ids[4]) });
    expect(newer.data.map(({ id }) => id)).toEqual(ids.slice(2, 4));
    expect(newer.has_more).toBe(true);
    await expect(
      stripe.paymentIntents.list({ ending_before: String(ids[0]), starting_after: String(ids[1]) }),
    ).rejects.toThrow(/only specify one/);
    await expect(stripe.paymentIntents.list({ starting_after: 'pi_unheard' })).rejects.toMatchObject({
      code: 'resource_missing',
    });
  });

  test('lists are of the time that is asked for, in whole seconds, and page within it', async () => {
    await api(sandbox, 'POST', '/sandbox/clock', { advanceSeconds: 100 });
    const first = await create();
    await api(sandbox, 'POST', '/sandbox/clock', { advanceSeconds: 10 });
    const rest = [await create(), await create(), await create()].map(({ id }) => id).toReversed();
    const listed = async (created: Stripe.RangeQueryParam | number, limit = 100) => {
      const page = await stripe.paymentIntents.list({ created, limit });
      return { ids: page.data.map(({ id }) => id), more: page.has_more };
    };
    expect(await listed({ gte: first.created })).toEqual({ ids: [...rest, first.id], more: false });
    expect(await listed({ gt: first.created })).toEqual({ ids: rest, more: false });
    expect(await listed({ gt: first.created }, 2)).toEqual({ ids: rest.slice(0, 2), more: true });
    expect(await listed(first.created)).toEqual({ ids: [first.id], more: false });
    expect((await listed({ lte: first.created })).ids[0]).toBe(first.id);
    expect((await listed({ lt: first.created })).ids).not.toContain(first.id);
  });
});
