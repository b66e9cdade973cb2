import { describe, expect, it } from 'vitest';
import { checkPaidOtherwise, owedInAll, owedOf, type MoneyOfOrder } from './owed.ts';
import type { DisputeState, RefundState } from './refunds.ts';

const inr = (amountMinor: number) => ({ amountMinor, currency: 'INR' as const });
const at = (minute: number) => `2026-01-02T03:0${minute}:00.000Z`;
const refund = (state: RefundState, amountMinor: number, minute = 0, settled = minute) => ({
  refundId: `r-${minute}`,
  n: 1,
  state,
  amount: inr(amountMinor),
  requestedAtUtc: at(minute),
  settledAtUtc: at(settled),
  ...(state === 'failed' ? { failure: 'lost_or_stolen_card' } : {}),
});
const dispute = (state: DisputeState, amountMinor = 1_000) => ({
  disputeId: 'dp_1',
  n: 1,
  state,
  amount: inr(amountMinor),
  dueByUtc: at(9),
});
const money = (change: Partial<MoneyOfOrder> = {}): MoneyOfOrder => ({
  status: 'completed',
  payments: [{ n: 1, state: 'charged', amount: inr(1_000) }],
  refunds: [],
  disputes: [],
  ...change,
});

describe('what is owed to the customer', () => {
  it('is nothing of an order that shipped, that was given back, or that was never charged', () => {
    expect(owedOf(money())).toEqual([]);
    expect(owedOf(money({ status: 'cancelled', refunds: [refund('refunded', 1_000)] }))).toEqual([]);
    expect(owedOf(money({ status: 'cancelled', refunds: [refund('pending', 1_000)] }))).toEqual([]);
    const canceled = [{ n: 1, state: 'canceled', amount: inr(1_000) }];
    expect(owedOf(money({ status: 'failed', payments: canceled }))).toEqual([]);
    expect(owedOf(money({ status: 'payment_processed' }))).toEqual([]);
  });

  it('is a debt that waits for the bank, with the time until which the bank can be answered', () => {
    const refunds = [refund('owed', 1_000, 3)];
    expect(owedOf(money({ status: 'cancelled', refunds, disputes: [dispute('open')] }))).toEqual([
      {
        n: 1,
        amount: inr(1_000),
        why: 'disputed',
        sinceUtc: at(3),
        dispute: { disputeId: 'dp_1', dueByUtc: at(9) },
      },
    ]);
    const over = money({ status: 'cancelled', refunds, disputes: [dispute('won')] });
    expect(owedOf(over)).toEqual([{ n: 1, amount: inr(1_000), why: 'settling', sinceUtc: at(3) }]);
  });

  it('is what an ended order keeps, and not what a bank has taken', () => {
    expect(owedOf(money({ status: 'cancelled' }))).toEqual([{ n: 1, amount: inr(1_000), why: 'kept' }]);
    expect(owedOf(money({ status: 'cancelled', disputes: [dispute('lost')] }))).toEqual([]);
    const part = owedOf(money({ status: 'cancelled', disputes: [dispute('lost', 400)] }));
    expect(owedInAll(part)).toEqual(inr(600));
    expect(owedInAll([])).toBeUndefined();
  });

  it('is what a failed refund promised, until a later one has made it good', () => {
    const failed = refund('failed', 300, 1, 2);
    expect(owedOf(money({ refunds: [failed] }))).toEqual([
      { n: 1, amount: inr(300), why: 'refund_failed', sinceUtc: at(2), failure: 'lost_or_stolen_card' },
    ]);
    const sum = (...refunds: MoneyOfOrder['refunds']) => owedInAll(owedOf(money({ refunds })))?.amountMinor;
    expect(sum(failed, refund('requested', 100, 3))).toBe(200);
    expect(sum(failed, refund('refunded', 300, 3))).toBeUndefined();
    expect(sum(failed, refund('failed', 300, 3, 4))).toBe(300);
    expect(sum(failed, refund('failed', 300, 3, 4), refund('refunded', 300, 5))).toBeUndefined();
    expect(sum(refund('refunded', 500, 0), failed)).toBe(300);
    expect(sum(failed, refund('refunded', 800, 3))).toBeUndefined();
  });

  it('is all of a cancelled order whose refund came back, whatever was promised', () => {
    const refunds = [refund('refunded', 250, 0), refund('failed', 750, 1, 2)];
    expect(owedOf(money({ status: 'cancelled', refunds }))).toMatchObject([
      { amount: inr(750), why: 'refund_failed' },
    ]);
  });

  it('is never more than is left of the charge', () => {
    const refunds = [refund('failed', 900, 0, 1)];
    expect(owedOf(money({ refunds, disputes: [dispute('lost', 800)] }))).toMatchObject([
      { amount: inr(200) },
    ]);
    expect(owedOf(money({ refunds, disputes: [dispute('lost')] }))).toEqual([]);
  });
});

describe('what an operator says was paid past the provider', () => {
  const failed = owedOf(money({ refunds: [refund('failed', 300, 1, 2)] }));

  it('is what is owed and needs a person, or a part of it', () => {
    expect(checkPaidOtherwise(failed, undefined)).toEqual({ n: 1, amount: inr(300) });
    expect(checkPaidOtherwise(failed, inr(100))).toEqual({ n: 1, amount: inr(100) });
    expect(checkPaidOtherwise(failed, inr(301))).toMatchObject({ code: 'amount_too_large' });
    expect(checkPaidOtherwise(failed, { amountMinor: 1, currency: 'USD' })).toMatchObject({
      code: 'other_currency',
    });
  });

  it('is not what is settled by itself, nor what the bank may give back', () => {
    const debt = money({ status: 'cancelled', refunds: [refund('owed', 1_000)] });
    expect(checkPaidOtherwise(owedOf(debt), undefined)).toMatchObject({ code: 'nothing_left' });
    const disputed = money({ refunds: [refund('failed', 300, 1, 2)], disputes: [dispute('open')] });
    expect(checkPaidOtherwise(owedOf(disputed), undefined)).toMatchObject({ code: 'nothing_left' });
    expect(checkPaidOtherwise([], undefined)).toMatchObject({ code: 'nothing_left' });
  });
});
