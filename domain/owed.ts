import { formatAmount, sumMinor, type Money } from './money.ts';
import { isEnded, type OrderStatus } from './order.ts';
import { leftToRefund, type Dispute, type Refund, type RefundRefusal } from './refunds.ts';

/**
 * Money of one payment that the customer has to get back and has not got.
 * `disputed`: the customer's bank holds the charge; it is settled by itself when the dispute is over. `settling`: a debt
 * whose dispute is over, or was not heard of: it is settled by itself. `refund_failed`: a refund was promised and did not
 * reach the customer. `kept`: the order ended without shipping and the money is here. The last two need a person.
 */
export interface Owed {
  n: number;
  amount: Money;
  why: 'disputed' | 'settling' | 'refund_failed' | 'kept';
  /** Since when it is owed; absent where no record says so. */
  sinceUtc?: string;
  /** The dispute that it waits for. */
  dispute?: Pick<Dispute, 'disputeId' | 'dueByUtc'>;
  /** Why the last refund failed. */
  failure?: string;
}

type PaymentPart = { n: number; state: string; amount: Money };
type RefundPart = Pick<
  Refund,
  'n' | 'state' | 'amount' | 'requestedAtUtc' | 'settledAtUtc' | 'failure' | 'refundId'
>;
type DisputePart = Pick<Dispute, 'n' | 'state' | 'amount' | 'disputeId' | 'dueByUtc'>;

/** The order's money as SQL has it. */
export interface OrderBooks {
  payments: readonly PaymentPart[];
  refunds: readonly RefundPart[];
  disputes: readonly DisputePart[];
}

export interface MoneyOfOrder extends OrderBooks {
  status: OrderStatus;
}

/** What is owed to the customer of an order, by payment; empty when nothing is. */
export const owedOf = (money: MoneyOfOrder): Owed[] =>
  money.payments
    .filter(({ state }) => state === 'charged' || state === 'refunded')
    .flatMap((payment) => owedOfPayment(money, payment));

function owedOfPayment({ status, ...money }: MoneyOfOrder, payment: PaymentPart): Owed[] {
  const { n, amount: charged } = payment;
  const refunds = money.refunds.filter((refund) => refund.n === n);
  const disputes = money.disputes.filter((dispute) => dispute.n === n);
  const open = disputes.find(({ state }) => state === 'open');
  const waits = open ? { dispute: disputeOf(open) } : {};
  const debts = refunds
    .filter(({ state }) => state === 'owed')
    .map(({ amount, requestedAtUtc }): Owed => {
      return { n, amount, why: open ? 'disputed' : 'settling', sinceUtc: requestedAtUtc, ...waits };
    });
  const left = leftToRefund({ charged, refunds, disputes });
  const keeps = status === 'completed' || !isEnded(status);
  const amountMinor = keeps ? Math.min(left, promisedMinor(refunds)) : left;
  if (amountMinor === 0) return debts;
  const failed = refunds.findLast(({ state }) => state === 'failed');
  const { settledAtUtc: sinceUtc, failure } = failed ?? {};
  return [
    ...debts,
    {
      n,
      amount: { ...charged, amountMinor },
      why: failed ? 'refund_failed' : 'kept',
      ...(sinceUtc ? { sinceUtc } : {}),
      ...waits,
      ...(failure ? { failure } : {}),
    },
  ];
}

const disputeOf = ({ disputeId, dueByUtc }: DisputePart) => ({
  disputeId,
  ...(dueByUtc ? { dueByUtc } : {}),
});

/** What failed refunds promised and no later one has made good. */
function promisedMinor(refunds: readonly RefundPart[]): number {
  const moves = refunds.flatMap(({ state, amount, requestedAtUtc, settledAtUtc }) => [
    { atUtc: requestedAtUtc, minor: -amount.amountMinor },
    ...(state === 'failed' ? [{ atUtc: settledAtUtc ?? requestedAtUtc, minor: amount.amountMinor }] : []),
  ]);
  /* A refund makes good what was open when it was asked for, and nothing in advance. */
  return moves
    .toSorted((a, b) => (a.atUtc < b.atUtc ? -1 : a.atUtc > b.atUtc ? 1 : 0))
    .reduce((open, { minor }) => Math.max(0, open + minor), 0);
}

/** The sum of what is owed, in the currency of the charge; undefined where nothing is. */
export const owedInAll = (owed: readonly Owed[]): Money | undefined =>
  owed[0] && { ...owed[0].amount, amountMinor: sumMinor(owed.map(({ amount }) => amount.amountMinor)) };

/** What an operator may say was paid past the provider: at most what is owed and settles by nobody else. */
export function checkPaidOtherwise(
  owed: readonly Owed[],
  wanted: Money | undefined,
): { n: number; amount: Money } | { code: RefundRefusal; reason: string } {
  const entry = owed.find(({ why, dispute }) => (why === 'refund_failed' || why === 'kept') && !dispute);
  if (!entry) {
    const reason =
      'Nothing is owed that a person has to pay: only what did not reach the customer can be paid otherwise.';
    return { code: 'nothing_left', reason };
  }
  const { n, amount } = entry;
  if (wanted && wanted.currency !== amount.currency) {
    return { code: 'other_currency', reason: `It is owed in ${amount.currency}, not ${wanted.currency}.` };
  }
  if (wanted && wanted.amountMinor > amount.amountMinor) {
    return { code: 'amount_too_large', reason: `${formatAmount(amount)} ${amount.currency} are owed.` };
  }
  return { n, amount: wanted ?? amount };
}
