import { sumMinor, type Currency, type Money } from './money.ts';
import { owedOf, type MoneyOfOrder, type Owed } from './owed.ts';
import type { DisputeState, RefundState } from './refunds.ts';

/**
 * Where the money of an order is, in minor units. All of it is somewhere:
 * `charged + excess = refunded + paidOtherwise + onTheWay + heldByBank + takenByBank + owed + kept`.
 */
export interface MoneyStanding {
  currency: Currency;
  charged: number;
  /** Given back by the payment provider. */
  refunded: number;
  /** Given to the customer past the provider, as an operator says. */
  paidOtherwise: number;
  /** Refunds that were asked for and are not decided. */
  onTheWay: number;
  /** Taken back by the customer's bank until a dispute is decided. */
  heldByBank: number;
  /** Given to the customer by a bank for good. */
  takenByBank: number;
  /** The customer's, and still with us: of an order that is or was taken back all that is left, else refunds that failed. */
  owed: number;
  /** What is owed, with why; a part of it may be with a bank or on its way. */
  debts: readonly Owed[];
  kept: number;
  /** What went back beyond the charge: a bank took what had been refunded before. */
  excess: number;
}

/** Where the order's money is; undefined where nothing was charged. */
export function moneyStanding(money: MoneyOfOrder, takenBack: boolean): MoneyStanding | undefined {
  const { payments, refunds, disputes } = money;
  const charges = payments.filter(({ state }) => state === 'charged' || state === 'refunded');
  const [first] = charges;
  if (!first) return undefined;
  const charged = totalOf(charges);
  const refunded = totalOf(refunds, ['refunded'] satisfies RefundState[]);
  const paidOtherwise = totalOf(refunds, ['paid_otherwise'] satisfies RefundState[]);
  const onTheWay = totalOf(refunds, ['requested', 'pending'] satisfies RefundState[]);
  const heldByBank = totalOf(disputes, ['open'] satisfies DisputeState[]);
  const takenByBank = totalOf(disputes, ['lost'] satisfies DisputeState[]);
  const rest = charged - refunded - paidOtherwise - onTheWay - heldByBank - takenByBank;
  const left = Math.max(0, rest);
  const debts = owedOf(money);
  const owed = takenBack ? left : Math.min(left, totalOf(debts));
  return {
    currency: first.amount.currency,
    charged,
    refunded,
    paidOtherwise,
    onTheWay,
    heldByBank,
    takenByBank,
    owed,
    debts,
    kept: left - owed,
    excess: Math.max(0, -rest),
  };
}

const totalOf = (rows: readonly { state?: string; amount: Money }[], states?: readonly string[]): number =>
  sumMinor(
    rows
      .filter(({ state }) => states === undefined || states.includes(state ?? ''))
      .map(({ amount }) => amount.amountMinor),
  );
