import type { AuditRow } from './audit.ts';
import { isFailureType, technicalFailures, type FailureType } from './failures.ts';
import { storeBehindText } from './recovery.ts';

/*
 * Inside and outside words. Operators' names and reasons and providers' errors are for the house; shops, their customers
 * and partners read what is said here. What nobody has allowed is left out.
 */

const marker = ' [for the customer: ';

/** An act's reason with the words that outsiders may read; it travels wherever the reason does. */
export const withCustomerMessage = (reason: string, customerMessage: string | undefined): string =>
  customerMessage === undefined ? reason : `${reason}${marker}${customerMessage}]`;

/** What outsiders may read of an act's reason; undefined where nothing was written for them. */
export function customerMessageIn(reason: string): string | undefined {
  const at = reason.lastIndexOf(marker);
  if (at < 0) return undefined;
  /* What a run adds behind it in brackets is ours. */
  return /^([^]*)\](?: \([^()]*\))?$/.exec(reason.slice(at + marker.length))?.[1];
}

/** Every person who acts, for outsiders. */
const anyPerson = 'person';

/** Who acts without being a person. */
const machines = new Set(['saga', 'signal', 'temporal', 'provider', 'sweep', 'customer']);

/** No caller has such a name: whoever reads an event or an audit row takes it for what the name says. */
export const reservedActors: ReadonlySet<string> = new Set([...machines, anyPerson]);

/** Whoever acted, for a reader: itself, a part of the machinery, or `person`. */
export const outsideActor = (actor: string, reader?: string): string =>
  actor === reader || machines.has(actor) ? actor : anyPerson;

/** Why somebody acted, for a reader: its own words as they are; empty where nothing was written for it. */
export const outsideReason = (reason: string, actor: string, reader?: string): string =>
  customerMessageIn(reason) ?? (actor === reader ? reason : '');

/** `ours`: the reason is written by this product, of what the reader asked for itself. */
const failureWords: Record<FailureType, string> = {
  OutOfStock: 'ours',
  UnknownProduct: 'ours',
  ProductWithdrawn: 'ours',
  ParcelTooLarge: 'ours',
  CustomsIncomplete: 'ours',
  PriceChanged: 'ours',
  AmountNotPayable: 'ours',
  OrderClosed: 'ours',
  KeyReused: 'ours',
  CardDeclined: 'The payment was declined.',
  CustomerActionRequired: 'The customer has to confirm the payment with the bank.',
  AddressUndeliverable: 'The address cannot be delivered to.',
  ApprovalMissing: 'The order has to be approved before it is charged.',
  PaymentDisputed: 'The customer’s bank disputes the payment.',
  PaymentRefunded: 'The payment went back to the customer.',
  OperationCompensated: 'The order was taken back.',
};

/** Why a business step was refused, without the provider's own words. */
export function outsideFailure(type: string, reason: string): string {
  const words = isFailureType(type) ? failureWords[type] : undefined;
  return words === 'ours' ? reason : (words ?? 'The order could not go on.');
}

/** A refusal of an act, without who acted before. */
export const outsideRefusal = (reason: string): string =>
  reason.replace(/^(The order is being cancelled already), by [^]*$/, '$1.');

/** One row of an order's audit trail for a shop: its own words, what is written for it, and facts that stories need. */
export const outsideRow = (row: AuditRow, reader: string): AuditRow => ({
  ...row,
  actor: outsideActor(row.actor, reader),
  reason: outsideRowReason(row, reader),
});

const tooLate = 'too late to move the order: ';

function outsideRowReason(row: AuditRow, reader: string): string {
  const { actor, step, from, to, reason } = row;
  if (reason.startsWith(tooLate)) return `${tooLate}${outsideReason(reason, actor, reader)}`;
  if (to === 'refused') return actor === reader ? outsideRefusal(reason) : '';
  if (to === 'parked') return parkedWords(reason);
  const said = outsideReason(reason, actor, reader);
  if (step === 'payment' && to.startsWith('dispute_')) return reason;
  if (step === 'payment' && to.startsWith('refund')) return refundFacts(reason, said);
  if (to === 'extended' || to === 'reminded') return deadlineFacts(reason, said);
  const isCheckout = from === '' && to === 'received';
  const isOwnFailure = actor === 'saga' && (step === 'receive' || step === 'inventory') && endings.has(to);
  return isCheckout || isOwnFailure ? reason : said;
}

const endings = new Set(['compensating', 'failed']);

/** The type alone tells what kind of trouble it was. */
const parkedWords = (reason: string): string =>
  reason.startsWith(storeBehindText)
    ? storeBehindText
    : (kinds.find((kind) => reason === kind || reason.startsWith(`${kind}:`)) ?? '');

const kinds = [...technicalFailures, 'TimeoutFailure'];

/** The amounts, as the rows of refunds have them; see `api/orders/story/order-story-money.ts`. */
function refundFacts(reason: string, said: string): string {
  const failed = /^(\S+ [A-Z]{3} did not go back) \([^]*\); (\S+ [A-Z]{3} of the charge are left): /.exec(
    reason,
  );
  if (failed) return `${failed[1]} (); ${failed[2]}: ${said}`;
  const taken =
    /^\S+ [A-Z]{3}(?:, \S+ [A-Z]{3} of the charge are left|, nothing of it is left to give back| are owed until (?:the dispute|dispute \S+) is over): /.exec(
      reason,
    );
  return taken ? `${taken[0]}${reason.endsWith(': compensation') ? 'compensation' : said}` : said;
}

const deadlineFacts = (reason: string, said: string): string => {
  const [until = ''] = /^(?:held )?until \d{4}-\d\d-\d\dT[\d:.]+Z/.exec(reason) ?? [];
  return said === '' ? until : `${until}: ${said}`;
};

/** Facts of events that are said in words of ours whatever happened. */
const eventWords: Record<string, string> = {
  'order.approval_requested.v1': failureWords.ApprovalMissing,
  'order.shipping_suspended.v1': failureWords.PaymentDisputed,
  'payment.failed.v1': failureWords.CardDeclined,
  'refund.failed.v1': 'The refund did not reach the customer.',
};

/** The bank's reason is a word of a list; what is no such word is not shown. */
const banksReason = new Set(['payment.disputed.v1', 'dispute.closed.v1']);
const banksWord = (reason: string): string => (/^[a-z][a-z_]{0,49}$/.test(reason) ? reason : 'general');

/**
 * An event for a subscriber, a partner or a shop. Without a reader nobody's words are its own. What was said in outside
 * words before stays as it is.
 */
export function outsideEvent<Event extends { eventType: string; payload?: unknown }>(
  event: Event,
  reader?: string,
): Event {
  const { eventType, payload } = event;
  if (typeof payload !== 'object' || payload === null) return event;
  const facts = payload as Record<string, unknown>;
  const { actor, reason, failure, failureType } = facts;
  return {
    ...event,
    payload: {
      ...facts,
      ...(typeof actor === 'string' ? { actor: outsideActor(actor, reader) } : {}),
      ...(typeof failure === 'string'
        ? { failure: parkedWords(failure) || 'It could not be done yet.' }
        : {}),
      ...(typeof reason === 'string'
        ? { reason: eventReason({ eventType, reason, actor, failureType, reader }) }
        : {}),
    },
  };
}

function eventReason({
  eventType,
  reason,
  actor,
  failureType,
  reader,
}: {
  eventType: string;
  reason: string;
  actor: unknown;
  failureType: unknown;
  reader: string | undefined;
}): string {
  if (banksReason.has(eventType)) return banksWord(reason);
  if (typeof failureType === 'string') {
    const said = outsideFailure(failureType, reason);
    /* Who may read of the customer's other order is judged for the shop alone. */
    return reader === undefined ? said.replace(/ Order \S+ of the same customer [^.]*\./, '') : said;
  }
  if (actor === anyPerson) return reason;
  if (typeof actor === 'string') return outsideReason(reason, actor, reader) || 'A person asked for it.';
  return eventWords[eventType] ?? 'No more is said of it here.';
}
