import { sumMinor, type Currency, type Money } from './money.ts';
import type { Dispute, Refund } from './refunds.ts';

/** The order's money as SQL has it. */
export interface OrderBooks {
  payments: readonly { n: number; state: string; amount: Money }[];
  refunds: readonly Pick<Refund, 'n' | 'state' | 'amount' | 'requestedAtUtc' | 'settledAtUtc'>[];
  disputes: readonly Pick<Dispute, 'n' | 'state' | 'amount'>[];
}

/**
 * Where the money of an order is, in minor units. All of it is somewhere:
 * `charged + excess = refunded + onTheWay + heldByBank + takenByBank + owed + kept`.
 */
export interface MoneyStanding {
  currency: Currency;
  charged: number;
  /** With the customer, or with the customer's bank. */
  refunded: number;
  /** Refunds that were asked for and are not decided. */
  onTheWay: number;
  /** Taken back by the customer's bank until a dispute is decided. */
  heldByBank: number;
  /** Given to the customer by a bank for good. */
  takenByBank: number;
  /** The customer's, and still with us: of an order that is or was taken back all that is left, else refunds that failed. */
  owed: number;
  kept: number;
  /** What went back beyond the charge: a bank took what had been refunded before. */
  excess: number;
}

/** Where the order's money is; undefined where nothing was charged. */
export function moneyStanding(
  { payments, refunds, disputes }: OrderBooks,
  takenBack: boolean,
): MoneyStanding | undefined {
  const charges = payments.filter(({ state }) => state === 'charged' || state === 'refunded');
  const [first] = charges;
  if (!first) return undefined;
  const charged = totalOf(charges);
  const refunded = totalOf(refunds.filter(({ state }) => state === 'refunded'));
  const onTheWay = totalOf(refunds.filter(({ state }) => state === 'requested' || state === 'pending'));
  const heldByBank = totalOf(disputes.filter(({ state }) => state === 'open'));
  const takenByBank = totalOf(disputes.filter(({ state }) => state === 'lost'));
  const rest = charged - refunded - onTheWay - heldByBank - takenByBank;
  const left = Math.max(0, rest);
  const owed = takenBack ? left : Math.min(left, notMadeGood(refunds));
  return {
    currency: first.amount.currency,
    charged,
    refunded,
    onTheWay,
    heldByBank,
    takenByBank,
    owed,
    kept: left - owed,
    excess: Math.max(0, -rest),
  };
}

const totalOf = (rows: readonly { amount: Money }[]): number =>
  sumMinor(rows.map(({ amount }) => amount.amountMinor));

/** Refunds that failed, less what was refunded after that: a later refund makes an earlier failure good. */
function notMadeGood(refunds: OrderBooks['refunds']): number {
  const changes = refunds.map(({ state, amount, requestedAtUtc, settledAtUtc }) =>
    state === 'failed'
      ? { atUtc: settledAtUtc ?? requestedAtUtc, by: amount.amountMinor }
      : { atUtc: requestedAtUtc, by: -amount.amountMinor },
  );
  /* At the same moment the failure came first: people refund again after it. */
  changes.sort((a, b) => (a.atUtc === b.atUtc ? b.by - a.by : a.atUtc < b.atUtc ? -1 : 1));
  return changes.reduce((owed, { by }) => Math.max(0, owed + by), 0);
}
