import type { AuditRow } from '../domain/audit.ts';
import type { DomainEvent } from '../domain/events.ts';
import { sagaStates, type SagaState } from '../domain/order.ts';
import { deadlineText, nextSentence } from './order-story-next.ts';
import { isOfOrder, isPathStatus, type OrderPlace } from './order-trail.ts';
import {
  afterEvent,
  because,
  brief,
  momentText,
  pathSentences,
  plainFailure,
  sentence,
  stepWords,
} from './order-story-words.ts';

/** An order's life in sentences for whoever asks about it: no names, no addresses, no words of ours. */
export interface OrderStory {
  /** One sentence for everything that happened, in order; then what stands, where the order has left its path. */
  story: string[];
  /** What happens next, by itself or by whom. */
  next: string;
}

/**
 * Tells the story from the audit rows alone; of the events only their names are used, for what caused what, and the
 * deadline of a hold. Rows that say the same twice are told once.
 */
export function tellOrder(rows: readonly AuditRow[], events: readonly DomainEvent[]): OrderStory {
  const told: string[] = [];
  let last = '';
  for (const row of rows) {
    const text = textOf(row, events);
    if (text === undefined || last.endsWith(text)) continue;
    last = text;
    told.push(`${momentText(row.occurredAtUtc)}: ${sentence(text)}`);
  }
  const place = placeOf(rows);
  return {
    story: [...told, ...whatStands(rows, place)],
    next: nextSentence(place, deadlineText(rows, events)),
  };
}

function placeOf(rows: readonly AuditRow[]): OrderPlace {
  const place: OrderPlace = { status: '', sagaState: 'running', charged: false, refundOpen: false };
  for (const row of rows) {
    const { from, to } = row;
    if (isLate(row)) continue;
    if (isOfOrder(row)) Object.assign(place, { status: to, sagaState: stateAfter(place, to) });
    else if (isSagaState(to) && (isSagaState(from) || to === 'compensating')) place.sagaState = to;
    else if (to === 'begun') place.sagaState = from === 'compensate' ? 'compensating' : 'running';
    if (to === 'payment_processed') place.charged = true;
    if (to.startsWith('refund')) place.refundOpen = to === 'refund_requested' || to === 'refund_pending';
  }
  return place;
}

const isSagaState = (text: string): text is SagaState => (sagaStates as readonly string[]).includes(text);

function stateAfter({ sagaState }: OrderPlace, status: string): SagaState {
  if (['completed', 'cancelled', 'failed'].includes(status)) return 'ended';
  if (sagaState === 'compensating') return sagaState;
  return isPathStatus(status) ? 'running' : 'held';
}

/** A note that came after what it tells of: it moved nothing. */
const isLate = ({ reason }: AuditRow): boolean => reason.startsWith('too late to move the order');

function textOf(row: AuditRow, events: readonly DomainEvent[]): string | undefined {
  if (isLate(row)) return undefined;
  if (isOfOrder(row)) return orderText(row, events);
  return stateText(row, events) ?? partText(row) ?? requestText(row) ?? otherText(row);
}

function orderText(row: AuditRow, events: readonly DomainEvent[]): string {
  const { from, to, reason } = row;
  if (to === 'received')
    return reason === 'checkout accepted' ? pathSentences.received : refusedCheckout(reason);
  const text = pathSentences[to] ?? `the order became ${to}`;
  if (isPathStatus(to)) return text;
  const cause = from === to ? '' : afterEvent(row.causingEventId, events);
  if (to === 'cancelled') return `${cause}${text}${requested(row)}`;
  /* Why we look at an order twice is not for the customer. */
  return to === 'awaiting_approval' ? `${cause}${text}` : `${cause}${text}${because(brief(reason))}`;
}

/** Whoever used the tools of this system has given no reason of their own. */
const requested = ({ actor, reason }: AuditRow): string =>
  actor === 'temporal' ? ': our staff asked for it' : because(reason);

const refusedCheckout = (reason: string): string =>
  `the order was placed, and could not be accepted${because(reason)}`;

/** The saga's own states: it waits, goes on, or takes back. */
function stateText(row: AuditRow, events: readonly DomainEvent[]): string | undefined {
  const { from, to, step, reason, actor } = row;
  const what = stepWords(step);
  if (to === 'parked') {
    const cause = afterEvent(row.causingEventId, events);
    const back = from === 'compensating';
    const failed = plainFailure(reason, back ? '' : step);
    return `${cause}a technical problem stopped ${back ? 'the taking back' : what}: ${failed}`;
  }
  if (from === 'parked') {
    const where = to === 'compensating' ? 'the taking back went on' : 'the order went on';
    return actor === 'saga' ? `the technical problem was over and ${where}` : resolvedText(reason, where);
  }
  if (to === 'compensating') {
    const why = from === 'fail' ? 'the order could not go on' : 'a cancellation was accepted';
    const asked = from === 'fail' ? because(brief(reason)) : requested(row);
    return `${why}${asked}. Everything done so far is being taken back`;
  }
  if (from === 'held' && to === 'running') return `the order went on${because(reason)}`;
  if (from === 'held' && to === 'extended') return `there is more time to mend it${because(reason)}`;
  if (from === 'held' && to === 'reminded') return 'those who can mend it were reminded';
  if (to === 'running' && isSagaState(from)) return `a change was taken in${because(reason)}`;
  return undefined;
}

/** What was done about a parked step stands before the reason where it was more than another try. */
function resolvedText(reason: string, where: string): string {
  const [, action, , input, why = reason] =
    /^(retry-with|mark-done|skip)( \(([^)]*)\))?: ([^]*)$/.exec(reason) ?? [];
  const acts: Record<string, string> = {
    'retry-with': `tried it with ${input ?? 'other input'}`,
    'mark-done': 'found that it had been done',
    skip: 'left it out',
  };
  return `our staff ${acts[action ?? ''] ?? 'looked at it'} and ${where}${because(why)}`;
}

/** Parts of the order: money, goods, warehouse, label. */
function partText({ step, from, to, reason }: AuditRow): string | undefined {
  if (step === 'payment') return moneyText(from, to, reason);
  if (from === 'reserved' && to === 'released') return 'the reserved goods were given back';
  if (step === 'fulfillment' && from === 'created' && to === 'cancelled')
    return 'the warehouse was told to stop';
  if (step !== 'shipping') return undefined;
  if (to === 'voided') return 'the shipping label was taken back';
  return to === 'void_requested' ? 'the carrier was asked to take the shipping label back' : undefined;
}

function moneyText(from: string, to: string, reason: string): string | undefined {
  const [, amount = 'the payment', left, why = reason] =
    /^(\S+ [A-Z]{3}), (\S+ [A-Z]{3}) of the charge are left: ([^]*)$/.exec(reason) ?? [];
  const rest =
    left === undefined
      ? ''
      : /^0(\.0+)? /.test(left)
        ? '; nothing of the payment is left with us'
        : `; ${left} of the payment stay with us`;
  const cause = why === 'compensation' ? '' : because(why);
  switch (to) {
    case 'refund_requested':
      return `a refund of ${amount} was asked for${cause}`;
    case 'refund_pending':
      return `a refund of ${amount} is on its way to the customer`;
    case 'refunded':
      return left === undefined ? 'the whole payment was refunded' : `${amount} were refunded${rest}${cause}`;
    case 'refund_failed':
      return `a refund did not reach the customer: ${reason}`;
    case 'canceled':
      return 'the payment that was begun was canceled; nothing of it was charged';
  }
  if (!to.startsWith('dispute_')) return undefined;
  const disputes: Record<string, string> = {
    dispute_inquiry: 'the customer’s bank asked about the payment',
    dispute_open: 'the customer’s bank disputed the payment and holds the money until that is decided',
    dispute_won: 'the dispute about the payment was decided for us',
    dispute_lost: 'the dispute about the payment was decided for the customer, who has the money back',
  };
  return disputes[to] ?? `the dispute about the payment went from ${from} to ${to}`;
}

/** What somebody asked for and what came of it. */
function requestText({ from, to, reason }: AuditRow): string | undefined {
  if (to.startsWith('refused')) {
    return `${requestWords[from] ?? 'a request of our staff'} was refused${from in requestWords ? because(reason) : ''}`;
  }
  if (to === 'overtaken')
    return `${requestWords[from] ?? 'a request of our staff'} came too late${because(reason)}`;
  if (from === 'verify address') return 'the address could not be checked beforehand; the order went on';
  if (to === 'waits') return `${providerOf(from)} takes no orders at the moment, so the order waits`;
  if (to !== 'begun') return undefined;
  return from === 'compensate'
    ? `our staff had the order taken back${because(reason)}`
    : `our staff started the order again where it had stopped${because(reason)}`;
}

/** What customers ask for; what staff ask for is their own business. */
const requestWords: Record<string, string> = {
  cancel: 'a request to cancel the order',
  payment: 'another payment method',
  'shipping-address': 'another address',
};

const providerOf = (text: string): string =>
  text.includes('carrier') ? 'the carrier' : 'the payment provider';

/** Nothing is left out: what this version has no words for is told as it is. */
const otherText = ({ step, from, to, reason }: AuditRow): string =>
  `${stepWords(step)} went from ${from || 'nothing'} to ${to}${because(reason)}`;

/** For an order that left its path: the last step that stands, and its money. */
function whatStands(rows: readonly AuditRow[], { status, sagaState, charged }: OrderPlace): string[] {
  if (status === '' || status === 'completed' || sagaState === 'running') return [];
  const success = rows.findLast((row) => isOfOrder(row) && isPathStatus(row.to) && row.from !== row.to);
  const lastStep = success && pathSentences[success.to];
  return [
    ...(lastStep ? [`The last step that succeeded: ${lastStep}.`] : []),
    ...(charged ? [] : ['Nothing was charged.']),
  ];
}
