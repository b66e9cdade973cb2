import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { refundRefusal } from './stripe-errors.ts';
import { providerDispute, providerRefund } from './stripe-refunds.ts';

const refund = (change: object = {}) =>
  ({
    id: 're_1',
    object: 'refund',
    amount: 50_000,
    currency: 'inr',
    created: 1_767_323_045,
    metadata: { orderId: 'o-1', operationKey: 'refund-o-1-a' },
    payment_intent: 'pi_1',
    status: 'succeeded',
    ...change,
  }) as unknown as Stripe.Refund;

const dispute = (change: object = {}) =>
  ({
    id: 'du_1',
    object: 'dispute',
    amount: 149_900,
    currency: 'inr',
    created: 1_767_323_045,
    payment_intent: { id: 'pi_1', object: 'payment_intent', metadata: { orderId: 'o-1' } },
    reason: 'fraudulent',
    status: 'needs_response',
    ...change,
  }) as unknown as Stripe.Dispute;

describe('a refund at Stripe', () => {
  it('has our key, and our order where the payment was expanded', () => {
    expect(providerRefund(refund())).toEqual({
      refundId: 're_1',
      intentId: 'pi_1',
      status: 'succeeded',
      amount: { amountMinor: 50_000, currency: 'INR' },
      createdAtUtc: '2026-01-02T03:04:05.000Z',
      operationKey: 'refund-o-1-a',
    });
    const expanded = { id: 'pi_1', object: 'payment_intent', metadata: { orderId: 'o-1' } };
    const byHand = providerRefund(refund({ payment_intent: expanded, metadata: {} }));
    expect(byHand).toMatchObject({ intentId: 'pi_1', orderId: 'o-1' });
    expect(byHand).not.toHaveProperty('operationKey');
  });

  it.each([
    ['pending', 'pending'],
    ['requires_action', 'pending'],
    ['succeeded', 'succeeded'],
    ['failed', 'failed'],
    ['canceled', 'failed'],
  ])('that is %s counts as %s', (status, expected) => {
    expect(providerRefund(refund({ status })).status).toBe(expected);
  });

  it('says why it failed', () => {
    const failed = refund({ status: 'failed', failure_reason: 'lost_or_stolen_card' });
    expect(providerRefund(failed).failure).toBe('lost_or_stolen_card');
    expect(providerRefund(refund({ status: 'canceled' })).failure).toBe('the refund was canceled');
  });

  it('of a status that nobody knows leaves the outcome open', () => {
    for (const status of ['on_the_moon', null]) {
      expect(() => providerRefund(refund({ status }))).toThrow(/unknown status/);
    }
    expect(() => providerRefund(refund({ object: 'charge' }))).toThrow(/expected a refund/);
  });
});

describe('a dispute at Stripe', () => {
  it.each([
    ['warning_needs_response', 'inquiry'],
    ['warning_under_review', 'inquiry'],
    ['warning_closed', 'won'],
    ['needs_response', 'open'],
    ['under_review', 'open'],
    ['prevented', 'won'],
    ['won', 'won'],
    ['lost', 'lost'],
  ])('that is %s is %s', (status, state) => {
    expect(providerDispute(dispute({ status }))).toMatchObject({ disputeId: 'du_1', orderId: 'o-1', state });
  });

  it('of a status that nobody knows leaves the outcome open', () => {
    expect(() => providerDispute(dispute({ status: 'adjourned' }))).toThrow(/unknown status adjourned/);
  });
});

describe('a refusal of a refund', () => {
  const error = (raw: object, headers: Record<string, string> = {}, statusCode = 400) =>
    Stripe.errors.StripeError.generate({
      type: 'invalid_request_error',
      message: 'no',
      statusCode,
      headers,
      ...raw,
    } as never);

  it.each([
    [{ code: 'charge_already_refunded' }, 'nothing_left'],
    [{ code: 'charge_disputed' }, 'disputed'],
    [{ code: 'charge_not_refundable' }, 'not_refundable'],
    [{ code: 'payment_intent_unexpected_state' }, 'not_refundable'],
    [{ param: 'amount' }, 'amount_too_large'],
  ])('by %o means %s', (raw, code) => {
    expect(refundRefusal(error(raw))).toEqual({ code, reason: 'no' });
  });

  it('is none when Stripe replays it, when Stripe fails, or when it says something else', () => {
    const raw = { code: 'charge_disputed' };
    expect(refundRefusal(error(raw, { 'idempotent-replayed': 'true' }))).toBeUndefined();
    expect(refundRefusal(error(raw, {}, 500))).toBeUndefined();
    expect(refundRefusal(error({ code: 'parameter_unknown', param: 'reason' }))).toBeUndefined();
    expect(refundRefusal(new Error('no connection'))).toBeUndefined();
  });
});
