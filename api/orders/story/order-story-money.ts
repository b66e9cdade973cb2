import type { AuditRow } from '../../../domain/audit.ts';
import { isCurrency, parseAmount, sumMinor, type Currency } from '../../../domain/money.ts';
import type { MoneyStanding } from '../../../domain/money-standing.ts';
import type { OrderBooks } from '../../../domain/owed.ts';
import { amountText, because } from './order-story-words.ts';
import { isAboutCharge, type OrderPlace } from './order-trail.ts';

/** The order's money as it was told so far, in minor units. */
export interface ToldMoney {
  currency: Currency;
  /** One payment; 0 where nothing was charged, or where nobody knows. */
  payment: number;
  /** What was told to have been charged. */
  charged: number;
  /** All that was charged in the end. */
  inAll: number;
  refunded: number;
  onTheWay: number;
  /** Amounts that banks hold or have given to the customer, by dispute. */
  disputed: Readonly<Record<string, number>>;
}

/** Before the first row. */
export function nothingTold({ payments }: OrderBooks): ToldMoney {
  const charges = payments.filter(({ state }) => state === 'charged' || state === 'refunded');
  const [first] = charges;
  return {
    currency: first?.amount.currency ?? 'INR',
    payment: first?.amount.amountMinor ?? 0,
    charged: 0,
    inAll: sumMinor(charges.map(({ amount }) => amount.amountMinor)),
    refunded: 0,
    onTheWay: 0,
    disputed: {},
  };
}

/** Another payment has gone through; the same, where all that ever did was told of before. */
export const chargeTold = (told: ToldMoney): ToldMoney => ({
  ...told,
  charged: Math.min(told.inAll, told.charged + told.payment),
});

/** All that was charged was told of before. */
export const isChargeTold = ({ charged, inAll }: ToldMoney): boolean => inAll > 0 && charged === inAll;

/** A row about the order's money, and what is told of it from then on; undefined for any other row. */
export function moneyText(
  row: AuditRow,
  told: ToldMoney,
  charged: boolean,
): { text: string; money: ToldMoney } | undefined {
  const { from, to } = row;
  if (to === 'canceled') return { text: canceledText(from, charged), money: told };
  if (to === 'charged_late') return { text: lateChargeText(told, charged), money: chargeTold(told) };
  const said = isAboutCharge(row) ? chargeText(row, charged ? told : chargeTold(told)) : undefined;
  /* A step whose outcome nobody knew was done after all. */
  const found = said && !charged ? `${foundText(told)}; ` : '';
  return said && { ...said, text: `${found}${said.text}` };
}

const foundText = ({ payment, currency }: ToldMoney): string =>
  `the payment${payment > 0 ? ` of ${amountText(payment, currency)}` : ''} had gone through after all`;

/** A payment that nothing is shipped for, beside another one or alone. */
function lateChargeText(told: ToldMoney, charged: boolean): string {
  if (!charged) return `${foundText(told)}; it goes back to the customer`;
  const { payment, currency } = told;
  return isChargeTold(told)
    ? 'the payment that had gone through after all goes back to the customer'
    : `another payment of ${amountText(payment, currency)} had gone through as well; it goes back to the customer`;
}

const chargeText = (row: AuditRow, told: ToldMoney): { text: string; money: ToldMoney } | undefined =>
  row.to.startsWith('dispute_') ? disputeText(row, told) : refundText(row, told);

/** Beside a charge, the sentence must not be taken for the charge's. */
function canceledText(from: string, charged: boolean): string {
  if (charged) return 'an earlier payment, which had not gone through, was canceled; it charged nothing';
  return from === 'declined'
    ? 'the payment that had not gone through was canceled for good; nothing was charged'
    : 'the payment that was begun was canceled; nothing of it was charged';
}

interface RefundFacts {
  minor: number;
  currency: Currency;
  why: string;
  failure: string;
}

/** As the writer puts it: `5.00 INR, 4.00 INR of the charge are left: why`, or what else becomes of the amount. */
function readRefund(reason: string): RefundFacts | undefined {
  const taken =
    /^(\S+) ([A-Z]{3})(?:, \S+ [A-Z]{3} of the charge are left|, nothing of it is left to give back| are owed until .* is over): ([^]*)$/.exec(
      reason,
    );
  const failed =
    /^(\S+) ([A-Z]{3}) did not go back \(([^]*)\); \S+ [A-Z]{3} of the charge are left: ([^]*)$/.exec(reason);
  const [, decimal = '', currency = ''] = taken ?? failed ?? [];
  const amount = isCurrency(currency) ? parseAmount(decimal, currency) : undefined;
  if (!amount?.ok) return undefined;
  const { amountMinor: minor, currency: code } = amount.money;
  return { minor, currency: code, why: taken?.[3] ?? failed?.[4] ?? '', failure: failed?.[3] ?? '' };
}

function refundText(row: AuditRow, told: ToldMoney): { text: string; money: ToldMoney } | undefined {
  const { from, to, reason } = row;
  const facts = readRefund(reason);
  /* Rows from before amounts were written down. */
  if (!facts) {
    return to === 'refunded' ? { text: 'the whole payment was refunded', money: told } : undefined;
  }
  const { minor, currency, why, failure } = facts;
  const money = refundTold({ ...told, currency }, from, to, minor);
  const amount = amountText(minor, currency);
  const cause = why === 'compensation' ? '' : because(why);
  switch (to) {
    case 'refund_requested':
      return { money, text: `a refund of ${amount} was asked for${cause}` };
    case 'refund_pending':
      return { money, text: `a refund of ${amount} is on its way to the customer` };
    case 'refund_owed':
      return { money, text: `${amount} are owed to the customer as soon as the bank has decided` };
    case 'refund_canceled':
      return { money, text: `nothing of the ${amount} that were owed was left to go back` };
    case 'refund_paid_otherwise':
      return { money, text: `${amount} were paid to the customer in another way${cause}` };
    case 'refunded':
      return { money, text: `${amount} were refunded${restText(money)}${cause}` };
    case 'refund_failed': {
      const what =
        from === 'refunded' ? 'came back and is not with the customer' : 'did not reach the customer';
      return { money, text: `a refund of ${amount} ${what}${because(failure)}` };
    }
  }
  return undefined;
}

/** The sums after a refund's row: it leaves where it was and is where it is now. */
function refundTold(told: ToldMoney, from: string, to: string, minor: number): ToldMoney {
  const wasOnTheWay = from === 'refund_requested' || from === 'refund_pending';
  const isBack = to === 'refunded' || to === 'refund_paid_otherwise';
  const cameBack = from === 'refunded' && to === 'refund_failed';
  const isOnTheWay = to === 'refund_requested' || to === 'refund_pending';
  return {
    ...told,
    onTheWay: told.onTheWay + (isOnTheWay ? minor : 0) - (wasOnTheWay ? minor : 0),
    refunded: told.refunded + (isBack ? minor : 0) - (cameBack ? minor : 0),
  };
}

const atBanks = ({ disputed }: ToldMoney): number =>
  Object.values(disputed).reduce((sum, minor) => sum + minor, 0);

/** What is left after a refund, where that is known. */
function restText(money: ToldMoney): string {
  const { charged, inAll, refunded, onTheWay, currency } = money;
  if (inAll === 0) return '';
  const left = charged - refunded - onTheWay - atBanks(money);
  if (left > 0) return `; ${amountText(left, currency)} of the payment stay with us`;
  return onTheWay === 0 ? '; nothing of the payment is left with us' : '';
}

interface DisputeFacts {
  disputeId: string;
  minor: number;
  currency: Currency;
  says: string;
}

/** As the writer puts it: `dp_1, 5.00 INR, the bank says: fraudulent`. */
function readDispute(reason: string): DisputeFacts | undefined {
  const [, disputeId = '', decimal = '', currency = '', says = ''] =
    /^(\S+), (\S+) ([A-Z]{3}), the bank says: ([^]*)$/.exec(reason) ?? [];
  const amount = isCurrency(currency) ? parseAmount(decimal, currency) : undefined;
  if (!amount?.ok) return undefined;
  const { amountMinor: minor, currency: code } = amount.money;
  return { disputeId, minor, currency: code, says: says.replaceAll('_', ' ') };
}

function disputeText(row: AuditRow, told: ToldMoney): { text: string; money: ToldMoney } | undefined {
  const { from, to, reason } = row;
  const facts = readDispute(reason);
  if (!facts) return undefined;
  const { disputeId, minor, currency, says } = facts;
  const takes = to === 'dispute_open' || to === 'dispute_lost';
  const money = { ...told, currency, disputed: { ...told.disputed, [disputeId]: takes ? minor : 0 } };
  const amount = amountText(minor, currency);
  const before = refundedBefore(told);
  switch (to) {
    case 'dispute_inquiry':
      return { money, text: `the customer’s bank asked about the payment (${says})${before}` };
    case 'dispute_open': {
      const holds = minor === 0 ? 'takes nothing of it back' : `holds ${amount} until that is decided`;
      return { money, text: `the customer’s bank disputed the payment (${says}) and ${holds}${before}` };
    }
    case 'dispute_won':
      return { money, text: from === 'dispute_inquiry' ? closedInquiry : wonText(minor, amount) };
    case 'dispute_lost': {
      const keeps = minor === 0 ? 'the bank takes nothing more of it' : `the bank has given them ${amount}`;
      const text = `the dispute about the payment was decided for the customer: ${keeps}${before}`;
      return { money, text };
    }
  }
  return undefined;
}

const closedInquiry = 'the customer’s bank has closed its question about the payment and took nothing back';

const wonText = (minor: number, amount: string): string =>
  `the dispute about the payment was decided for us${minor === 0 ? '' : `: the bank gives back ${amount}`}`;

function refundedBefore({ refunded, onTheWay, charged, currency }: ToldMoney): string {
  if (refunded > 0 && refunded >= charged) return '; all of it had been refunded before';
  const done = refunded > 0 ? `; ${amountText(refunded, currency)} had been refunded before` : '';
  const going = onTheWay > 0 ? `; ${amountText(onTheWay, currency)} are on their way to the customer` : '';
  return `${done}${going}`;
}

/** Where the money is now; nothing where that goes without saying. */
export function standingSentence(place: OrderPlace, standing: MoneyStanding | undefined): string | undefined {
  if (!standing) return place.charged ? undefined : nothingCharged(place);
  const { charged, currency, excess } = standing;
  const parts = moneyParts(place, standing);
  const [only] = parts;
  if (!only) return undefined;
  const all = amountText(charged, currency);
  if (parts.length === 1 && only.minor === charged) return `The ${all} that were charged ${only.what}.`;
  const told = parts.map(({ minor, what }) => `${amountText(minor, currency)} ${what}`).join('; ');
  const more = excess === 0 ? '' : `; that is ${amountText(excess, currency)} more than was charged`;
  return `Of the ${all} that were charged, ${told}${more}.`;
}

function nothingCharged({ sagaState, step, strangersCharge }: OrderPlace): string {
  if (sagaState === 'ended')
    return strangersCharge === 'left'
      ? 'Nothing was charged but by hand: what somebody has charged at the payment provider was left there.'
      : 'Nothing was charged.';
  return sagaState === 'parked' && step === 'payment'
    ? 'It is not known yet whether the payment was charged.'
    : 'Nothing was charged so far.';
}

function moneyParts({ sagaState }: OrderPlace, standing: MoneyStanding) {
  const { charged, refunded, paidOtherwise, onTheWay, heldByBank, takenByBank, owed, kept } = standing;
  if (kept === charged) return [];
  const owing =
    sagaState === 'ended' ? 'are still owed to the customer' : 'still have to go back to the customer';
  return [
    { minor: refunded, what: 'were refunded' },
    { minor: paidOtherwise, what: 'were paid to the customer in another way' },
    { minor: onTheWay, what: 'are on their way to the customer' },
    { minor: heldByBank, what: 'are held by the customer’s bank until it has decided' },
    { minor: takenByBank, what: 'were given to the customer by the bank' },
    { minor: owed, what: owing },
    { minor: kept, what: 'stay with us' },
  ].filter(({ minor }) => minor > 0);
}

/** What was told before a row: a sentence never denies one that came before it. */
export interface Told {
  place: OrderPlace;
  money: ToldMoney;
  /** The walk back's reason, which the order's end repeats. */
  reason: string;
  /** The row before. */
  last?: AuditRow;
}
