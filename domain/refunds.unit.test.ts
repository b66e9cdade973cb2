import { describe, expect, it } from 'vitest';
import { orderId } from './ids.ts';
import { chargedPayment, checkRefund, leftToRefund, refundableMinor, type OrderMoney } from './refunds.ts';
import { shippingRefusal } from './way-back.ts';

const inr = (amountMinor: number) => ({ amountMinor, currency: 'INR' as const });
const money = (change: Partial<OrderMoney> = {}): OrderMoney => ({
  orderId: orderId('o-1'),
  status: 'completed',
  compensating: false,
  charged: inr(1_000),
  refunds: [],
  disputes: [],
  ...change,
});
const refund = (state: 'requested' | 'pending' | 'refunded' | 'failed', amountMinor: number) => ({
  state,
  amount: inr(amountMinor),
});
const dispute = (state: 'inquiry' | 'open' | 'won' | 'lost') => ({
  disputeId: 'dp_1',
  state,
  amount: inr(1_000),
});

describe('what is left to refund', () => {
  it('counts what is reserved and on its way, not what failed, and what banks took for good', () => {
    const refunds = [
      refund('requested', 1),
      refund('pending', 10),
      refund('refunded', 100),
      refund('failed', 500),
    ];
    expect(leftToRefund(money({ refunds }))).toBe(889);
    expect(leftToRefund(money({ disputes: [dispute('lost')] }))).toBe(0);
    for (const state of ['open', 'lost'] as const) {
      expect(refundableMinor(money({ disputes: [{ ...dispute(state), amount: inr(1) }] }))).toBe(0);
    }
    expect(refundableMinor(money({ disputes: [dispute('inquiry')] }))).toBe(1_000);
    expect(leftToRefund(money({ charged: undefined }))).toBe(0);
  });

  it('is of the charged payment, else of the last that was given back', () => {
    const [first, second] = [
      { n: 1, state: 'refunded' },
      { n: 2, state: 'refunded' },
    ];
    expect(chargedPayment([{ n: 0, state: 'declined' }, first, second])).toBe(second);
    expect(chargedPayment([first, { n: 3, state: 'charged' }, second])).toMatchObject({ n: 3 });
    expect(chargedPayment([{ n: 1, state: 'declined' }])).toBeUndefined();
  });
});

describe('a refund', () => {
  it('is of all that is left where no amount is given', () => {
    const refunds = [refund('refunded', 300)];
    expect(checkRefund(money({ refunds }), undefined)).toEqual({ amount: inr(700) });
    expect(checkRefund(money({ refunds }), inr(700))).toEqual({ amount: inr(700) });
    expect(checkRefund(money({ refunds }), inr(701))).toMatchObject({ code: 'amount_too_large' });
  });

  it.each([
    ['an order that is taken back', { compensating: true }, 'compensating'],
    ['an order that was not charged', { charged: undefined }, 'nothing_charged'],
    ['a disputed charge', { disputes: [dispute('open')] }, 'disputed'],
    ['a charge whose dispute was lost', { disputes: [dispute('lost')] }, 'disputed'],
    ['what is refunded already', { refunds: [refund('requested', 1_000)] }, 'nothing_left'],
    ['all of an order that can be canceled', { status: 'fulfillment_created' }, 'cancel_instead'],
    ['all of an order that ships now', { status: 'fulfillment_created', shipping: true }, 'being_shipped'],
  ] as const)('is refused for %s', (_what, change, code) => {
    expect(checkRefund(money(change), undefined)).toMatchObject({ code });
  });

  it('is refused while the label is being bought in the words that refuse a cancel', () => {
    const judged = checkRefund(money({ status: 'fulfillment_created', shipping: true }), undefined);
    expect(judged).toMatchObject({ reason: expect.stringContaining(shippingRefusal) });
  });

  it('is taken for a part of a running order, for all of it once it ships, and beside a dispute that was won', () => {
    for (const shipping of [false, true]) {
      const running = money({ status: 'fulfillment_created', shipping });
      expect(checkRefund(running, inr(999))).toEqual({ amount: inr(999) });
    }
    expect(checkRefund(money({ status: 'shipment_generated' }), undefined)).toEqual({ amount: inr(1_000) });
    for (const state of ['won', 'inquiry'] as const) {
      expect(checkRefund(money({ disputes: [dispute(state)] }), undefined)).toEqual({ amount: inr(1_000) });
    }
  });
});
