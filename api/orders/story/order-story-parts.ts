import type { AuditRow } from '../../../domain/audit.ts';
import { because, plainRefusal, providerWords, stepWords } from './order-story-words.ts';

/** Parts of the order beside its money: goods, warehouse, label. */
export function partText({ step, from, to }: AuditRow): string | undefined {
  if (from === 'reserved' && to === 'released') return 'the reserved goods were given back';
  if (step === 'fulfillment' && from === 'created' && to === 'cancelled')
    return 'the warehouse was told to stop';
  if (from === 'second label') return 'a second shipping label, which came late, was sent back';
  if (to === 'erased') return 'the customer’s personal data was erased';
  return step === 'shipping' && labelStates.has(from) ? labelWords[to] : undefined;
}

const labelStates = new Set(['', 'creating', 'created', 'bought', 'refused', 'void_requested']);
const labelWords: Record<string, string> = {
  voided: 'the shipping label was taken back',
  void_requested: 'the carrier was asked to take the shipping label back',
  refused: 'no shipping label had been bought, and none will be',
};

/** What somebody asked for and what came of it. */
export function requestText({ actor, from, to, reason }: AuditRow): string | undefined {
  const request = requestOf(from);
  if (from === 'compensate' && to.startsWith('refused'))
    return `our staff wanted the order taken back; that was refused, since the shipping label is bought already${because(reason)}`;
  if (to === 'refused') return `${request} was refused${because(plainRefusal(reason))}`;
  if (to === 'overtaken') return `${request} came too late${because(reason)}`;
  if (from === 'shipping-address' && to === 'asked') return `another address was asked for${because(reason)}`;
  if (to === 'accepted') return `${request} was accepted${because(reason)}`;
  if (from === 'verify address') return 'the address could not be checked beforehand; the order went on';
  if (to === 'waits') return `${providerWords(from)} takes no requests at the moment, so the order waits`;
  if (to !== 'begun') return undefined;
  if (from === 'compensate') return `our staff had the order taken back${because(reason)}`;
  return actor === 'saga'
    ? 'the order was taken up again where it had stopped'
    : `our staff started the order again where it had stopped${because(reason)}`;
}

const requests: Record<string, string> = {
  cancel: 'a request to cancel the order',
  payment: 'a request to use another payment method',
  'shipping-address': 'a request to use another address',
  approve: 'a request to approve the order',
  extend: 'a request for more time',
  resolve: 'a request of our staff about the technical problem',
};

/** Whoever mistypes a request learns which one it was. */
const requestOf = (name: string): string =>
  requests[name] ??
  (/^[\w-]{1,64}$/.test(name)
    ? `a request by the unknown name “${name}”`
    : 'a request that nobody here knows');

/** Nothing is left out: what this version has no words for is told as it is. */
export const otherText = ({ step, from, to, reason }: AuditRow): string =>
  `${stepWords(step)} went from ${from || 'nothing'} to ${to}${because(reason)}`;
