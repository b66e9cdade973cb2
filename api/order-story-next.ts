import type { AuditRow } from '../domain/audit.ts';
import type { DomainEvent } from '../domain/events.ts';
import { momentText } from './order-story-words.ts';
import type { OrderPlace } from './order-trail.ts';

/** What happens next, by itself or by whom. */
export function nextSentence(place: OrderPlace, deadline: string): string {
  const { status, sagaState, charged, refundOpen } = place;
  if (sagaState === 'parked') {
    return 'Our staff have been told and let it go on when the problem is mended. Nothing is lost meanwhile, and the customer need not do anything.';
  }
  if (sagaState === 'compensating') {
    const money = charged ? ', the payment included' : '';
    return `What was done is being taken back${money}; then the order ends.`;
  }
  if (sagaState === 'held') return heldSentence(status, deadline, charged);
  const refund = refundOpen ? ' A refund is on its way to the customer.' : '';
  return `${runningSentences[status] ?? 'The order is being taken in.'}${refund}`;
}

const runningSentences: Record<string, string> = {
  received: 'The goods are set aside next.',
  inventory_reserved: 'The address is checked and the payment made next.',
  payment_processed: 'The warehouse gets the order next.',
  fulfillment_created: 'The shipping label is bought next.',
  shipment_generated: 'The order is completed next.',
  completed: 'Nothing more: the order is complete.',
  cancelled: 'Nothing more: the order has ended. Whoever wants the goods after all orders them again.',
  failed: 'Nothing more: the order has ended. Whoever wants the goods after all orders them again.',
};

function heldSentence(status: string, deadline: string, charged: boolean): string {
  const otherwise = `otherwise the order is taken back${charged ? ' and the payment refunded' : ' and nothing is charged'}.`;
  const by = deadline === '' ? 'in time' : `until ${deadline}`;
  switch (status) {
    case 'payment_failed':
      return `The customer can give another payment method ${by}; ${otherwise}`;
    case 'payment_action_required':
      return `The customer can confirm the payment with the bank, or give another payment method, ${by}; ${otherwise}`;
    case 'address_rejected':
      return `The customer can correct the address ${by}; ${otherwise}`;
    default:
      return `Our staff decide about it ${by}; ${otherwise}`;
  }
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

const holds = new Set(['payment_failed', 'payment_action_required', 'address_rejected', 'awaiting_approval']);
const holdEvents = new Set<string>(['order.held.v1', 'order.approval_requested.v1']);
