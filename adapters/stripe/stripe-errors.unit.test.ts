import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { isKeySpent } from '../../ports/payment-gateway.ts';
import { intentInError, paymentRefusal, stripeFailure } from './stripe-errors.ts';

const call = { operation: 'payment_intents.confirm', subject: 'pi_1' };

const answered = (
  statusCode: number,
  raw: Partial<Record<'code' | 'type' | 'param', string>> = {},
  headers: Record<string, string> = {},
) =>
  Object.assign(new Stripe.errors.StripeAPIError({ message: 'said Stripe', statusCode, headers }), {
    code: raw.code,
    rawType: raw.type,
    param: raw.param,
  });

const lost = (sent: boolean) =>
  new Stripe.errors.StripeConnectionError({
    message: 'connection',
    detail: Object.assign(new Error('socket hang up'), { sent }),
  });

describe('errors of Stripe', () => {
  it.each([
    ['no connection', lost(false), 'ProviderUnavailable'],
    ['a connection that broke after sending', lost(true), 'OutcomeUnknown'],
    [
      'an answer that is no JSON',
      new Stripe.errors.StripeAPIError({ message: 'Invalid JSON' }),
      'OutcomeUnknown',
    ],
    ['an answer that is not understood', new TypeError('x is undefined'), 'OutcomeUnknown'],
    ['409 for a key in use', answered(409, { code: 'idempotency_key_in_use' }), 'OutcomeUnknown'],
    ['429', answered(429, { code: 'rate_limit' }), 'ProviderUnavailable'],
    ['429 for a locked object', answered(429, { code: 'lock_timeout' }), 'ProviderUnavailable'],
    ['500', answered(500), 'OutcomeUnknown'],
    ['503', answered(503), 'OutcomeUnknown'],
    ['401', answered(401), 'ProviderMisconfigured'],
    ['403', answered(403), 'ProviderMisconfigured'],
    ['a key used otherwise before', answered(400, { type: 'idempotency_error' }), 'ProviderMisconfigured'],
    ['400', answered(400, { code: 'parameter_unknown' }), 'ProviderMisconfigured'],
    ['404', answered(404, { code: 'resource_missing', param: 'intent' }), 'ProviderMisconfigured'],
  ])('%s', (_case, error, type) => {
    const failure = stripeFailure(error, call);
    expect(failure.type).toBe(type);
    expect(failure.message).toContain('payment_intents.confirm for pi_1');
    expect(isKeySpent(failure)).toBe(false);
    expect(failure.keyRefused).toBe(_case === '401');
  });

  it('spend the key when Stripe says that it replays a stored answer', () => {
    const replayed = { 'idempotent-replayed': 'true' };
    expect(isKeySpent(stripeFailure(answered(500, {}, replayed), call))).toBe(true);
    expect(isKeySpent(stripeFailure(answered(400, {}, replayed), call))).toBe(true);
  });

  it('spend the key when Stripe says that a 5xx will stay', () => {
    const failure = stripeFailure(answered(500, {}, { 'stripe-should-retry': 'false' }), call);
    expect(failure.type).toBe('OutcomeUnknown');
    expect(isKeySpent(failure)).toBe(true);
    expect(isKeySpent(stripeFailure(answered(429, {}, { 'stripe-should-retry': 'false' }), call))).toBe(
      false,
    );
    expect(isKeySpent(stripeFailure(answered(500, {}, { 'stripe-should-retry': 'true' }), call))).toBe(false);
  });

  it('say when to come back', () => {
    expect(stripeFailure(answered(429, {}, { 'retry-after': '7' }), call).retryAfterMs).toBe(7_000);
    expect(stripeFailure(answered(409), call).retryAfterMs).toBe(1_000);
    expect(stripeFailure(answered(500), call).retryAfterMs).toBeUndefined();
  });
});

describe('refusals of a payment', () => {
  it.each([
    ['a decline', answered(402, { code: 'card_declined' })],
    ['an unknown payment method', answered(400, { code: 'resource_missing', param: 'payment_method' })],
    ['a method that cannot pay this', answered(400, { code: 'payment_intent_incompatible_payment_method' })],
    ['an amount below what Stripe charges', answered(400, { code: 'amount_too_small', param: 'amount' })],
  ])('%s is a business answer', (_case, error) => {
    expect(paymentRefusal(error)).toMatchObject({ reason: 'said Stripe' });
  });

  it.each([
    ['a missing intent', answered(404, { code: 'resource_missing', param: 'intent' })],
    ['500', answered(500, { param: 'payment_method' })],
    ['a lost connection', lost(true)],
  ])('%s is none', (_case, error) => {
    expect(paymentRefusal(error)).toBeUndefined();
  });

  it('name the decline code, else the error code', () => {
    const withCode = (raw: object) => new Stripe.errors.StripeCardError({ statusCode: 402, ...raw });
    expect(
      paymentRefusal(withCode({ code: 'card_declined', decline_code: 'insufficient_funds' })),
    ).toMatchObject({
      declineCode: 'insufficient_funds',
    });
    expect(paymentRefusal(withCode({ code: 'expired_card' }))).toMatchObject({ declineCode: 'expired_card' });
  });

  it('because of the intent’s state carry the intent; other errors are not read for one', () => {
    const intent = { id: 'pi_1', object: 'payment_intent', status: 'succeeded' } as Stripe.PaymentIntent;
    const error = (code: string) =>
      new Stripe.errors.StripeInvalidRequestError({
        statusCode: 400,
        code,
        payment_intent: intent,
      });
    expect(intentInError(error('payment_intent_unexpected_state'))).toEqual(intent);
    expect(intentInError(error('card_declined'))).toBeUndefined();
  });
});
