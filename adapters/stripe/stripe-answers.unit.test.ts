import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { expectObject, paymentAnswer, paymentNotice } from './stripe-answers.ts';

const intent = (fields: object) =>
  ({
    id: 'pi_1',
    object: 'payment_intent',
    amount: 1_000,
    amount_received: 0,
    currency: 'inr',
    client_secret: 'pi_1_secret_x',
    last_payment_error: null,
    next_action: null,
    ...fields,
  }) as unknown as Stripe.PaymentIntent;

describe('a payment intent', () => {
  it('that succeeded is charged with what Stripe received, not with what was asked for', () => {
    const answer = paymentAnswer(intent({ status: 'succeeded', amount_received: 990 }));
    expect(answer).toEqual({
      status: 'charged',
      intentId: 'pi_1',
      amount: { amountMinor: 990, currency: 'INR' },
    });
  });

  it('that succeeded names our order where its metadata does', () => {
    const paid = { status: 'succeeded', amount_received: 990 };
    expect(paymentAnswer(intent({ ...paid, metadata: { orderId: 'o-1' } }))).toMatchObject({
      orderId: 'o-1',
    });
    expect(paymentAnswer(intent({ ...paid, metadata: {} }))).not.toHaveProperty('orderId');
  });

  it('without a payment method is declined after an error, unconfirmed before any', () => {
    const error = { code: 'card_declined', decline_code: 'stolen_card', message: 'Your card was declined.' };
    expect(paymentAnswer(intent({ status: 'requires_payment_method', last_payment_error: error }))).toEqual({
      status: 'declined',
      intentId: 'pi_1',
      reason: 'Your card was declined.',
      declineCode: 'stolen_card',
    });
    expect(paymentAnswer(intent({ status: 'requires_payment_method' })).status).toBe('unconfirmed');
    expect(paymentAnswer(intent({ status: 'requires_confirmation' })).status).toBe('unconfirmed');
  });

  it.each(['processing', 'requires_capture', 'requires_action'])(
    'that is %s is neither charged nor declined',
    (status) => {
      expect(paymentAnswer(intent({ status }))).toEqual({
        status: 'action_required',
        intentId: 'pi_1',
        nextAction: { type: status, clientSecret: 'pi_1_secret_x' },
      });
    },
  );

  it('tells the customer’s next step', () => {
    const next_action = { type: 'redirect_to_url', redirect_to_url: { url: 'https://bank.example/3ds' } };
    expect(paymentAnswer(intent({ status: 'requires_action', next_action }))).toMatchObject({
      nextAction: { type: 'redirect_to_url', redirectUrl: 'https://bank.example/3ds' },
    });
  });

  it('of a status nobody knows yet leaves the outcome unknown', () => {
    expect(() => paymentAnswer(intent({ status: 'requires_magic' }))).toThrow(
      expect.objectContaining({ type: 'OutcomeUnknown' }) as Error,
    );
  });

  it.each([
    [undefined],
    [null],
    [{}],
    [{ id: 'pi_1', object: 'charge' }],
    [{ object: 'payment_intent' }],
    ['ok'],
  ])('is not seen in %j', (answer) => {
    expect(() => expectObject(answer as Stripe.PaymentIntent, 'payment_intent')).toThrow(
      expect.objectContaining({ type: 'OutcomeUnknown' }) as Error,
    );
  });
});

describe('an event', () => {
  const event = (object: object) =>
    ({ id: 'evt_1', type: 'some.type', data: { object } }) as unknown as Stripe.Event;

  it('about an intent names intent and order', () => {
    const object = { object: 'payment_intent', id: 'pi_1', metadata: { orderId: 'o-1' } };
    expect(paymentNotice(event(object))).toEqual({
      eventId: 'evt_1',
      type: 'some.type',
      intentId: 'pi_1',
      orderId: 'o-1',
    });
  });

  it('about a charge or refund names the intent it belongs to', () => {
    const notice = paymentNotice(
      event({ object: 'refund', id: 're_1', payment_intent: 'pi_1', metadata: {} }),
    );
    expect(notice).toMatchObject({ intentId: 'pi_1', orderId: undefined });
  });

  it('about something else names neither', () => {
    expect(paymentNotice(event({ object: 'payout', id: 'po_1' }))).toMatchObject({
      intentId: undefined,
      orderId: undefined,
    });
  });
});
