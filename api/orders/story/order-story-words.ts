import type { DomainEvent } from '../../../domain/events.ts';
import { formatAmount, type Currency } from '../../../domain/money.ts';

/** What each status means to somebody who knows nothing of this system. */
export const pathSentences: Record<string, string> & { received: string } = {
  received: 'the order was placed and accepted',
  inventory_reserved: 'the goods were set aside',
  payment_processed: 'the payment went through',
  fulfillment_created: 'the warehouse got the order',
  shipment_generated: 'the shipping label was bought',
  completed: 'the order was completed and is on its way',
  payment_failed: 'the payment did not go through',
  payment_action_required: 'the payment waits for the customer',
  address_rejected: 'the carrier does not deliver to the address',
  awaiting_approval: 'the order waits for approval',
  payment_disputed: 'the order is not shipped while the customer’s bank disputes the payment',
  cancelled: 'the order was canceled',
  failed: 'the order was closed without being delivered',
};

const steps: Record<string, string> = {
  receive: 'taking the order in',
  inventory: 'setting the goods aside',
  address: 'checking the address',
  payment: 'the payment',
  fulfillment: 'the warehouse order',
  shipping: 'the shipping label',
  notification: 'a mail',
  completion: 'completing the order',
};

/** `1499.00 INR`. */
export const amountText = (amountMinor: number, currency: Currency): string =>
  `${formatAmount({ amountMinor, currency })} ${currency}`;

export const providerWords = (text: string): string =>
  text.includes('carrier') ? 'the carrier' : 'the payment provider';

export const stepWords = (step: string): string => steps[step] ?? step;

const eventWords: Record<string, string> = {
  'order.created': 'the order had been placed',
  'inventory.reserved': 'the goods had been set aside',
  'inventory.released': 'the goods had been given back',
  'payment.processed': 'the payment had gone through',
  'payment.failed': 'the payment had not gone through',
  'payment.refunded': 'the payment had been refunded',
  'fulfillment.created': 'the warehouse had got the order',
  'fulfillment.cancelled': 'the warehouse had been told to stop',
  'shipment.generated': 'the shipping label had been bought',
  'shipment.voided': 'the shipping label had been taken back',
  'order.held': 'the order had begun to wait for the customer',
};

/** `after the payment had gone through, `; empty for an event that is not known any more or has no words. */
export function afterEvent(eventId: string, events: readonly DomainEvent[]): string {
  const type = events.find((event) => event.eventId === eventId)?.eventType.replace(/\.v\d+$/, '');
  const words = type && eventWords[type];
  return words ? `after ${words}, ` : '';
}

const failureWords: Record<string, string> = {
  OperationInProgress: 'an earlier attempt has not ended yet',
  StaleAttempt: 'an earlier attempt has not ended yet',
  OutcomeUnknown: 'PROVIDER did not say whether it was done',
  ProviderUnavailable: 'PROVIDER could not be reached',
  ProviderMisconfigured: 'PROVIDER did not accept our request',
  StoreUnavailable: 'our own records could not be reached',
  TimeoutFailure: 'no answer came in time',
};

const providers: Record<string, string> = {
  payment: 'the payment provider',
  address: 'the carrier',
  shipping: 'the carrier',
};

/** A technical failure without its technicalities. */
export function plainFailure(reason: string, step: string): string {
  const [type = ''] = reason.split(':');
  return (failureWords[type] ?? 'it failed again and again').replace(
    'PROVIDER',
    providers[step] ?? 'a provider',
  );
}

const momentFormat = (timeStyle: 'short' | 'medium') =>
  new Intl.DateTimeFormat('en-US', { dateStyle: 'long', timeStyle, hourCycle: 'h23', timeZone: 'UTC' });
const [toMinutes, toSeconds] = [momentFormat('short'), momentFormat('medium')];

/** `January 2, 2026 at 03:04 UTC`. */
export const momentText = (utc: string): string => `${toMinutes.format(new Date(utc))} UTC`;

/** The moments of one story, with seconds where several fall into one minute: `January 2, 2026 at 03:04:05 UTC`. */
export function momentTexts(utcs: readonly string[]): string[] {
  const minutes = Map.groupBy(utcs, momentText);
  return utcs.map((utc) => {
    const text = momentText(utc);
    return (minutes.get(text)?.length ?? 0) > 1 ? `${toSeconds.format(new Date(utc))} UTC` : text;
  });
}

/** The providers' ids are nothing to be read out. */
const providerId = /:?\s*'(pi|re|shp|pm|dp|du|ch|evt)_\w+'|\s*\(?\b(pi|re|shp|pm|dp|du|ch|evt)_\w+\)?/g;

/** Times inside a text as people read them, without ids; the full stop goes, the sentence has its own. */
const readable = (text: string): string =>
  text
    .replaceAll(providerId, '')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (utc) => momentText(utc))
    .replace(/[.\s]+$/, '');

/**
 * A provider's first sentence, and what came of it: the rest of theirs is for programmers, and why we look at an order
 * twice is our own business.
 */
export function brief(reason: string): string {
  const [first = '', ...rest] = reason
    .split(/(?<=[.!?])\s+|\s+(?=Nobody )/)
    .map((part) => part.replace(/[.\s]+$/, ''));
  const nobody = rest.filter((part) => part.startsWith('Nobody '));
  return (nobody[0]?.startsWith('Nobody approved') ? nobody : [first, ...nobody]).join('. ');
}

/** Our fields are left out of what is told. */
const fieldName = /^[a-z][A-Za-z.]*: (?=expected )/;

/** Why a request was refused, without the names of our fields. What there is instead is for whoever has sent it. */
export function plainRefusal(reason: string): string {
  const text = reason.replace(fieldName, '');
  return text.startsWith('There is no signal of this name') ? 'there is no such request' : text;
}

/** `: Your card was declined`. */
export const because = (reason: string): string => (reason === '' ? '' : `: ${readable(reason)}`);

/** With a capital and a full stop. */
export const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
