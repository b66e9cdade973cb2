import type { FailureType, Refusal } from './failures.ts';
import type { OrderId } from './ids.ts';
import { formatAmount, sumMinor, type Money } from './money.ts';
import type { Actor } from './order.ts';
import { shippingRefusal, wayBack, type OrderPlace } from './way-back.ts';

/**
 * In the order in which a refund may go through them; it never goes back.
 * `owed`: a debt of an order that was taken back while the bank held the charge; it is settled when the dispute is over.
 * `requested`: the amount is reserved, the provider has not answered for it yet. `pending`: the provider has taken it
 * and the money is on its way. `refunded`: done. `failed`: nothing of it is with the customer; the amount can be
 * refunded again. A refund that was done may still fail days later, when the customer's bank sends it back.
 * `canceled`: a debt of which nothing was left to give back: the bank or other refunds gave it to the customer.
 * `paid_otherwise`: an operator says that the customer was paid past the provider, for example by bank transfer.
 */
export const refundStates = [
  'owed',
  'requested',
  'pending',
  'refunded',
  'failed',
  'canceled',
  'paid_otherwise',
] as const;
export type RefundState = (typeof refundStates)[number];

/** Of these somebody still has to hear. */
export const undecidedRefundStates = [
  'owed',
  'requested',
  'pending',
] as const satisfies readonly RefundState[];
export type UndecidedRefundState = (typeof undecidedRefundStates)[number];

/** Money given back, or on its way: by an operator, by the saga's compensation (`saga`) or at the provider's own desk. */
export interface Refund {
  orderId: OrderId;
  /** Ours, 1-64 characters: the hash of an operator's key, `compensation-<n>` or the provider's own id. */
  refundId: string;
  /** Number of the payment it gives back from. */
  n: number;
  state: RefundState;
  amount: Money;
  reason: string;
  actor: Actor;
  requestedAtUtc: string;
  settledAtUtc?: string;
  /** The provider's id, from the moment it took the refund. */
  providerRefundId?: string;
  /** Why it failed. */
  failure?: string;
}

/** `inquiry`: the bank asks, the charge can still be refunded. `open`: the bank has taken the money back for now. */
export const disputeStates = ['inquiry', 'open', 'won', 'lost'] as const;
export type DisputeState = (typeof disputeStates)[number];

/** The customer's bank disputes a charge. */
export interface Dispute {
  orderId: OrderId;
  /** The provider's id. */
  disputeId: string;
  /** Number of the disputed payment. */
  n: number;
  state: DisputeState;
  amount: Money;
  /** The bank's reason, for example `fraudulent`. */
  reason: string;
  openedAtUtc: string;
  updatedAtUtc: string;
  /** Until then the shop can answer the bank; absent where the provider names no time. */
  dueByUtc?: string;
}

/** What an operator asks for. */
export interface RequestRefund {
  orderId: OrderId;
  /** Names the act for good: the same id refunds once. */
  refundId: string;
  /** All that is left where it is absent. */
  amount?: Money;
  /** Nothing is sent: an operator says that the customer was paid past the provider. Only of what is owed. */
  paidOtherwise?: true;
  /** Whoever asks has seen that the same amount went back within a day, and wants it once more. */
  confirmSameAmount?: true;
  reason: string;
  actor: Actor;
  /** Of amount and reason: another one under the same id is refused. */
  fingerprint: string;
  /** When a request under the same id was refused before: what has been refunded since forbids this one. */
  refusedAtUtc?: string;
}

/** Why a refund is refused; nothing is reserved or sent then. */
export type RefundRefusal =
  | 'nothing_charged'
  | 'nothing_left'
  | 'amount_too_large'
  | 'other_currency'
  | 'compensating'
  | 'cancel_instead'
  | 'being_shipped'
  | 'run_lost'
  | 'disputed'
  | 'key_reused'
  | 'changed_since'
  | 'same_amount';

/**
 * `refused`: nothing is on record of it, and the same request is judged again when it is repeated. `atUtc`: when it was
 * judged; absent in answers from before it was told.
 */
export type RefundAnswer =
  | { status: 'taken'; refund: Refund }
  | { status: 'refused'; code: RefundRefusal; reason: string; atUtc?: string };

/** What decides about a refund: the order and its money. */
export interface OrderMoney extends OrderPlace {
  orderId: OrderId;
  /** The charged payment; absent when nothing was charged. */
  charged: Money | undefined;
  refunds: readonly Pick<Refund, 'state' | 'amount'>[];
  disputes: readonly Pick<Dispute, 'disputeId' | 'state' | 'amount'>[];
}

/** The payment that money is given back from: the charged one, or the last that was charged and given back. */
export const chargedPayment = <Payment extends { state: string }>(
  payments: readonly Payment[],
): Payment | undefined =>
  payments.find(({ state }) => state === 'charged') ?? payments.findLast(({ state }) => state === 'refunded');

/** The money of that payment alone: what `checkRefund` decides by. */
export function chargedMoney<
  Payment extends { n: number; state: string; amount: Money },
  Part extends { n: number },
  Disputed extends { n: number },
>({
  payments,
  refunds,
  disputes,
}: {
  payments: readonly Payment[];
  refunds: readonly Part[];
  disputes: readonly Disputed[];
}) {
  const payment = chargedPayment(payments);
  const ofPayment = ({ n }: { n: number }): boolean => n === payment?.n;
  return {
    payment,
    charged: payment?.amount,
    refunds: refunds.filter(ofPayment),
    disputes: disputes.filter(ofPayment),
  };
}

/** Of a refund in such a state the customer gets nothing. */
const givesNothing = (state: RefundState): boolean => state === 'failed' || state === 'canceled';

/** What was charged less what was refunded, is on its way or reserved, and less what banks have taken back for good. */
export function leftToRefund({
  charged,
  refunds,
  disputes,
}: Pick<OrderMoney, 'charged' | 'refunds' | 'disputes'>) {
  const gone = [
    ...refunds.filter(({ state }) => !givesNothing(state)),
    ...disputes.filter(({ state }) => state === 'lost'),
  ];
  return Math.max(0, (charged?.amountMinor ?? 0) - sumMinor(gone.map(({ amount }) => amount.amountMinor)));
}

/** What may be refunded now: nothing of a charge that the customer's bank holds, or has given back. */
export const refundableMinor = (money: Pick<OrderMoney, 'charged' | 'refunds' | 'disputes'>): number =>
  holding(money.disputes) ? 0 : leftToRefund(money);

const holding = <Disputed extends Pick<Dispute, 'state'>>(
  disputes: readonly Disputed[],
): Disputed | undefined => disputes.find(({ state }) => state === 'open' || state === 'lost');

/** The amount to refund, or why not. */
export function checkRefund(
  money: OrderMoney,
  wanted: Money | undefined,
): { amount: Money } | { code: RefundRefusal; reason: string } {
  const { orderId, charged, status } = money;
  const way = wayBack(money);
  if (way === 'taken_back') {
    return refused('compensating', `Order ${orderId} is being taken back; that refunds all that is left.`);
  }
  if (!charged) return refused('nothing_charged', `Order ${orderId} (${status}) was never charged.`);
  const dispute = holding(money.disputes);
  if (dispute) return refused('disputed', disputedReason(dispute));
  const left = refundableMinor(money);
  const shown = `${formatAmount({ ...charged, amountMinor: left })} ${charged.currency}`;
  if (left === 0)
    return refused('nothing_left', `All of order ${orderId}'s charge is refunded or on its way.`);
  if (wanted && wanted.currency !== charged.currency) {
    return refused(
      'other_currency',
      `Order ${orderId} was charged in ${charged.currency}, not ${wanted.currency}.`,
    );
  }
  const amountMinor = wanted?.amountMinor ?? left;
  if (amountMinor > left) {
    return refused('amount_too_large', `${shown} of order ${orderId}'s charge is left to refund.`);
  }
  if (amountMinor === left && way === 'wait') {
    const then =
      'All of it can be refunded as soon as the label is bought; if the order is parked, it can be canceled.';
    return refused('being_shipped', `Order ${orderId}: ${shippingRefusal} ${then}`);
  }
  if (amountMinor === left && way === 'restart') {
    const act = `an operator restarts or compensates it first (/cases/${orderId}).`;
    return refused('run_lost', `Order ${orderId} is ${status} and has lost its run: ${act}`);
  }
  if (amountMinor === left && way === 'cancel') {
    const act = `cancel it instead (POST /orders/${orderId}/cancel), which refunds everything.`;
    return refused('cancel_instead', `Order ${orderId} is still ${status} and would ship unpaid: ${act}`);
  }
  return { amount: { amountMinor, currency: charged.currency } };
}

const SAME_AMOUNT_MS = 24 * 60 * 60 * 1_000;

/**
 * Why an amount is not given back without an explicit word: the same amount of this order went back within 24 hours,
 * whoever asked for it. Somebody has probably repeated the request under another key. Debts are not counted, they are
 * what is still to be paid, nor refunds of which nothing has arrived.
 */
export function refuseSameAmount(
  refunds: readonly Refund[],
  { orderId, amount, nowUtc }: { orderId: OrderId; amount: Money; nowUtc: string },
): { code: RefundRefusal; reason: string } | undefined {
  const same = refunds.findLast(
    (refund) =>
      !givesNothing(refund.state) &&
      refund.state !== 'owed' &&
      refund.amount.amountMinor === amount.amountMinor &&
      refund.amount.currency === amount.currency &&
      Date.parse(nowUtc) - Date.parse(refund.requestedAtUtc) < SAME_AMOUNT_MS,
  );
  if (!same) return undefined;
  const shown = `${formatAmount(amount)} ${amount.currency}`;
  return refused(
    'same_amount',
    `${shown} of order ${orderId} went back already: refund ${same.refundId} (${same.state}), asked for by ` +
      `${same.actor} at ${same.requestedAtUtc}: ${same.reason}. The same amount within 24 hours must be confirmed.`,
  );
}

/** Why the order must not ship: its charge is not kept. Undefined when it is; a part that went back does not matter. */
export function checkMoneyKept({
  orderId,
  charged,
  refunds,
  disputes,
}: Omit<OrderMoney, keyof OrderPlace>): Refusal | undefined {
  if (!charged) return unkept('PaymentRefunded', `Order ${orderId} has no charge: nothing was paid for it.`);
  /* A bank that only inquires has taken nothing. */
  const dispute =
    disputes.find(({ state }) => state === 'lost') ?? disputes.find(({ state }) => state === 'open');
  if (dispute) {
    const { disputeId, state } = dispute;
    return { ...unkept('PaymentDisputed', disputedReason(dispute)), details: { disputeId, state } };
  }
  return leftToRefund({ charged, refunds, disputes }) === 0
    ? unkept('PaymentRefunded', `All of order ${orderId}'s charge is refunded or on its way back.`)
    : undefined;
}

const unkept = (type: FailureType, reason: string): Refusal => ({ type, reason });

const refused = (code: RefundRefusal, reason: string) => ({ code, reason });

const disputedReason = ({ disputeId, state }: Pick<Dispute, 'disputeId' | 'state'>): string =>
  state === 'lost'
    ? `Dispute ${disputeId} was lost: the customer's bank has given the money back already.`
    : `Dispute ${disputeId} is open: the customer's bank holds the money until it is decided.`;

/** What a notice of the payment provider is about: where to look, never what to believe. */
export interface PaymentSubject {
  kind: 'refund' | 'dispute' | 'payment';
  /** The provider's id. */
  id: string;
}
