import type { AuditRow } from '../../../domain/audit.ts';
import type { DomainEvent } from '../../../domain/events.ts';
import { sumMinor } from '../../../domain/money.ts';
import type { MoneyStanding } from '../../../domain/money-standing.ts';
import { heldStatuses } from '../../../domain/order.ts';
import { amountText, momentText, providerWords } from './order-story-words.ts';
import type { OrderPlace } from './order-trail.ts';

/** What happens next, by itself or by whom. */
export function nextSentence(
  place: OrderPlace,
  standing: MoneyStanding | undefined,
  deadline: string,
): string {
  const money = moneySentences(place, standing);
  switch (place.sagaState) {
    case 'parked':
      return [place.takenBack ? parkedBack : parked, ...money].join(' ');
    case 'compensating':
      return [`What was done is being taken back${backText(standing)}; then the order ends.`, ...money].join(
        ' ',
      );
    case 'held':
      return [heldSentence(place, standing, deadline), ...money].join(' ');
    case 'running':
      return [runningSentence(place), ...money].join(' ');
    case 'ended':
      return endSentence(place, money);
  }
}

const calm = 'Nothing is lost meanwhile, and the customer need not do anything.';
const parked = `Our staff have been told and let it go on when the problem is mended. ${calm}`;
const parkedBack = `The taking back is tried again by itself, and our staff have been told. ${calm}`;

/** Still to go back when everything is taken back. */
const backText = (standing: MoneyStanding | undefined): string =>
  standing && standing.owed > 0
    ? `, and ${amountText(standing.owed, standing.currency)} go back to the customer`
    : '';

function runningSentence({ status, charged, waitsFor }: OrderPlace): string {
  const next = runningSentences[status];
  const sentence = typeof next === 'object' ? next[charged ? 'charged' : 'uncharged'] : next;
  const text = sentence ?? 'The order is being worked on.';
  return waitsFor === undefined
    ? text
    : `${text.slice(0, -1)}, as soon as ${providerWords(waitsFor)} takes requests again.`;
}

/* An order that was held and goes on again keeps the hold's status until its next step has succeeded. */
const runningSentences: Record<string, string | { charged: string; uncharged: string }> = {
  '': 'The order is being taken in.',
  received: 'The goods are set aside next.',
  inventory_reserved: 'The address is checked and the payment made next.',
  payment_failed: 'The payment is being tried again.',
  payment_action_required: 'The payment is being tried again.',
  awaiting_approval: 'The payment is made next.',
  payment_disputed: 'The shipping label is bought next.',
  address_rejected: {
    charged: 'The address is checked again and the shipping label bought next.',
    uncharged: 'The address is checked again and the payment made next.',
  },
  payment_processed: 'The warehouse gets the order next.',
  fulfillment_created: 'The shipping label is bought next.',
  shipment_generated: 'The order is completed next.',
};

function endSentence({ status }: OrderPlace, money: string[]): string {
  const [open, closed, more] =
    status === 'completed'
      ? ['The order is complete.', 'Nothing more: the order is complete.', []]
      : [
          'The order has ended.',
          'Nothing more: the order has ended.',
          ['Whoever wants the goods after all orders them again.'],
        ];
  return [money.length > 0 ? open : closed, ...money, ...more].join(' ');
}

function heldSentence({ status }: OrderPlace, standing: MoneyStanding | undefined, deadline: string): string {
  const back = standing ? standing.owed + standing.kept : 0;
  const refund =
    standing && back > 0 ? ` and ${amountText(back, standing.currency)} go back to the customer` : '';
  const otherwise = `otherwise the order is taken back${standing ? refund : ' and nothing is charged'}.`;
  if (status === 'address_rejected' && standing && isGone(standing)) return goneSentence(deadline);
  const by = deadline === '' ? 'in time' : `until ${deadline}`;
  switch (status) {
    case 'payment_failed':
      return `The customer can give another payment method ${by}; ${otherwise}`;
    case 'payment_action_required':
      return `The customer can confirm the payment with the bank, or give another payment method, ${by}; ${otherwise}`;
    case 'payment_disputed':
      return `Our staff answer the customer’s bank; the order goes on when that has decided for us ${by}, otherwise the order is taken back.`;
    case 'address_rejected':
      return `The customer can correct the address ${by}; ${otherwise}`;
    default:
      return `Our staff decide about it ${by}; ${otherwise}`;
  }
}

/** Nothing of what was charged is left, nor can it come back from a bank. */
const isGone = ({ owed, kept, heldByBank, onTheWay }: MoneyStanding): boolean =>
  owed + kept + heldByBank + onTheWay === 0;

const goneSentence = (deadline: string): string =>
  `The order does not ship, whatever its address, since nothing of its payment is left with us: it can be canceled; otherwise the order is taken back${deadline === '' ? '' : `, at the latest on ${deadline}`}.`;

/** What is open about the money, and who sees to it. While the order is taken back, that does. */
function moneySentences({ sagaState, takenBack }: OrderPlace, standing: MoneyStanding | undefined): string[] {
  if (!standing) return [];
  const { currency, onTheWay, heldByBank, owed, debts } = standing;
  const byItself = takenBack && sagaState !== 'ended';
  const settling = debts.some(({ why }) => why === 'settling');
  return [
    ...(owed > 0 && !byItself ? [owedSentence(amountText(owed, currency), settling)] : []),
    ...(onTheWay > 0 ? [`A refund of ${amountText(onTheWay, currency)} is on its way to the customer.`] : []),
    ...(heldByBank > 0 ? [bankSentence(amountText(heldByBank, currency), standing)] : []),
  ];
}

const owedSentence = (amount: string, settling: boolean): string =>
  settling
    ? `${amount} are still owed to the customer and go back by themselves.`
    : `${amount} are still owed to the customer: our staff ask the customer where the money can go, and refund it there.`;

/** Goods wait for no bank; the money does. */
function bankSentence(amount: string, { debts, currency }: MoneyStanding): string {
  const debt = debts.find(({ why }) => why === 'disputed');
  const promised = debts.filter(({ why, dispute }) => why !== 'disputed' && dispute !== undefined);
  const promisedMinor = sumMinor(promised.map(({ amount: { amountMinor } }) => amountMinor));
  const still =
    promisedMinor > 0
      ? `; of what it gives back, ${amountText(promisedMinor, currency)} are still owed to the customer`
      : '';
  const back = debt ? '; what it gives back is refunded to the customer' : still;
  const dueBy = debts.find(({ dispute }) => dispute?.dueByUtc)?.dispute?.dueByUtc;
  const answer = dueBy === undefined ? '' : ` Our staff can answer it until ${momentText(dueBy)}.`;
  return `The customer’s bank decides about the ${amount} that it holds${back}.${answer}`;
}

/** The present hold's deadline: as last extended or reminded of, else as its event told; empty where neither is known. */
export function deadlineText(rows: readonly AuditRow[], events: readonly DomainEvent[]): string {
  const since = rows.findLastIndex(({ to }) => holds.has(to));
  const told = rows
    .slice(since + 1)
    .findLast(({ from, to }) => from === 'held' && (to === 'extended' || to === 'reminded'));
  const stated = /until (\d{4}-\d\d-\d\dT[\d:.]+Z)/.exec(told?.reason ?? '')?.[1];
  const untilUtc =
    stated ?? events.findLast(({ eventType }) => holdEvents.has(eventType))?.payload['untilUtc'];
  return typeof untilUtc === 'string' ? momentText(untilUtc) : '';
}

const holds = new Set<string>(heldStatuses);
const holdEvents = new Set<string>([
  'order.held.v1',
  'order.approval_requested.v1',
  'order.shipping_suspended.v1',
]);
