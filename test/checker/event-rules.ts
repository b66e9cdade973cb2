import { eventTypes, type DomainEvent, type EventType } from '../../domain/events.ts';
import { isEnded, type OrderStatus } from '../../domain/order.ts';
import type { OrderBooks } from './books.ts';

/** Events are numbered without a gap, name their cause, tell a path that exists, and tell of every effect. */
export function eventViolations(books: OrderBooks): string[] {
  return [...chainViolations(books), ...pathViolations(books), ...effectViolations(books)];
}

function chainViolations({ ledger: { orderId }, view, events }: OrderBooks): string[] {
  const violations: string[] = [];
  events.forEach(({ eventId, eventType, payload, metadata }, index) => {
    const name = `event ${index + 1} (${eventType})`;
    if (metadata.sequence !== index + 1) violations.push(`${name} has the sequence ${metadata.sequence}`);
    const cause = index === 0 ? undefined : events[index - 1]?.eventId;
    if (cause && metadata.causationId !== cause)
      violations.push(`${name} does not name its predecessor as cause`);
    if (metadata.correlationId !== orderId || payload.orderId !== orderId) {
      violations.push(`${name} belongs to order ${metadata.correlationId}`);
    }
    if (payload.customerId !== view.customerId)
      violations.push(`${name} names customer ${payload.customerId}`);
    if (!eventTypes.includes(eventType)) violations.push(`${name} is of an unknown type`);
    if (events.findIndex((other) => other.eventId === eventId) !== index) {
      violations.push(`${name} repeats the event id ${eventId}`);
    }
  });
  return violations;
}

const letters: Record<EventType, string> = {
  'order.created.v1': 'C',
  'inventory.reserved.v1': 'R',
  'inventory.released.v1': 'r',
  'payment.processed.v1': 'P',
  'payment.failed.v1': 'p',
  'payment.refunded.v1': 'b',
  'refund.owed.v1': 'o',
  'refund.failed.v1': 'q',
  'payment.disputed.v1': 'd',
  'dispute.closed.v1': 'c',
  'fulfillment.created.v1': 'F',
  'fulfillment.cancelled.v1': 'f',
  'shipment.generated.v1': 'S',
  'shipment.voided.v1': 'v',
  'order.held.v1': 'H',
  'order.approval_requested.v1': 'A',
  'order.shipping_suspended.v1': 'W',
  'order.hold_reminded.v1': 'm',
  'order.hold_extended.v1': 'x',
  'order.parked.v1': 'K',
  'order.completed.v1': 'D',
  'order.cancelled.v1': 'X',
  'order.failed.v1': 'E',
};

/*
 * One letter per event; parkings (anywhere between the first and the last), what is told of a hold (anywhere after it),
 * refunds that people made, debts and their refunds, refunds that failed and disputes (anywhere, also after the end) are
 * left out. Before payment an order may be held for its address, for approval and for its card any number of
 * times, after fulfillment for its address and for a dispute.
 */
const there = 'C(?:R(?:[pHA]*)(?:P(?:H*)(?:F(?:[HW]*)(?:S)?)?)?)?';
const backAgain = 'C(?:R(?:[pHA]*)(?:PH*(?:F[HW]*S?)?)?(?:v*f?[pb]*r?))?';

const paths: Record<'completed' | 'failed' | 'cancelled' | 'open', RegExp> = {
  completed: /^CR[pHA]*PH*F[HW]*SD$/,
  failed: new RegExp(`^${backAgain}E$`),
  cancelled: new RegExp(`^${backAgain}X$`),
  open: new RegExp(`^(?:${there}|${backAgain})$`),
};

function pathViolations({ ledger, events }: OrderBooks): string[] {
  const byPeople = new Set(
    ledger.refunds
      .filter(({ actor }) => actor !== 'saga')
      .flatMap(({ providerRefundId }) => providerRefundId ?? []),
  );
  const paid = new Set(
    events
      .filter(({ eventType }) => eventType === 'payment.processed.v1')
      .map(({ payload }) => payload['paymentId']),
  );
  /* A charge that nothing waited for came, and went back. */
  const isLate = ({ eventType, payload }: DomainEvent): boolean =>
    eventType === 'payment.refunded.v1' && !paid.has(payload['paymentId']);
  /* A refund that is only asked for has no id of the provider, and is told by no event. */
  const isByPeople = ({ payload: { refundId } }: DomainEvent): boolean =>
    typeof refundId === 'string' && byPeople.has(refundId);
  const letterOf = (event: DomainEvent): string =>
    isByPeople(event) || isLate(event) ? 'q' : (letters[event.eventType] ?? '?');
  const path = events
    .map(letterOf)
    .join('')
    .replace(/o.*$/, (since) => since.replaceAll(/[ob]/g, 'q'));
  const allowed = paths[isEnded(ledger.status) ? ledger.status : 'open'];
  const violations = allowed.test(path.replaceAll(/[Kmxqdc]/g, ''))
    ? []
    : [
        `a ${ledger.status} order cannot have the events ${events.map((event) => event.eventType).join(', ')}`,
      ];
  const stored = ledger.eventTypes.join();
  if (stored !== events.map((event) => event.eventType).join()) {
    violations.push('the outbox holds other events than the bodies tell');
  }
  if (/^[^HAW]*[mx]|[DXE][mx]/.test(path)) {
    violations.push('a hold was reminded of or extended before there was one, or after the end');
  }
  if (/^K|[DXE]K/.test(path)) violations.push('an order was parked before its first or after its last event');
  return violations;
}

/** Every effect that stands in the books is told by exactly one event, and no event tells of one that is not there. */
function effectViolations({ ledger, events, provider }: OrderBooks): string[] {
  const { payments, refunds, disputes, shipments, fulfillment, reservedUnits, consumedUnits, status } =
    ledger;
  const count = (type: EventType): number => events.filter(({ eventType }) => eventType === type).length;
  const violations: string[] = [];
  const expect = (type: EventType, expected: number) => {
    const found = count(type);
    if (found !== expected) violations.push(`${type}: expected ${expected} by the books, found ${found}`);
  };
  const inState = (...states: string[]) => payments.filter(({ state }) => states.includes(state)).length;
  const reserved = count('inventory.reserved.v1');
  const given = reservedUnits + consumedUnits > 0 ? 0 : reserved;
  expect('inventory.released.v1', given);
  expect('payment.refunded.v1', refunds.filter(({ providerRefundId }) => providerRefundId).length);
  expect('refund.failed.v1', refunds.filter(({ state }) => state === 'failed').length);
  const closed = disputes.filter(({ state }) => state === 'won' || state === 'lost').length;
  expect('dispute.closed.v1', closed);
  if (count('payment.disputed.v1') < disputes.length) violations.push('a dispute has no event');
  expect('fulfillment.created.v1', fulfillment === 'none' ? 0 : 1);
  expect('fulfillment.cancelled.v1', fulfillment === 'cancelled' ? 1 : 0);
  expect('shipment.voided.v1', shipments.filter(({ state }) => state.startsWith('void')).length);
  if (isEnded(status)) {
    const charged = status === 'completed' ? 1 : 0;
    if (count('payment.processed.v1') < charged) violations.push('payment.processed.v1 is missing');
    if (count('payment.processed.v1') > provider.charged.length) {
      violations.push('payment.processed.v1 tells of a charge that the provider does not have');
    }
  }
  if (inState('charged') > count('payment.processed.v1')) {
    violations.push('a payment is charged in SQL and no event tells of it');
  }
  return violations;
}

/** The event that tells of an end. */
export const endEvents = {
  completed: 'order.completed.v1',
  cancelled: 'order.cancelled.v1',
  failed: 'order.failed.v1',
} as const satisfies Partial<Record<OrderStatus, EventType>>;
