import type { EventDetails, OrderPayload } from './event-payloads.ts';
import type { OrderId } from './ids.ts';
import { decimalAmount, type Money } from './money.ts';
import type { OrderItem } from './order.ts';

/** Every event type, `.v1`: a published contract. */
export const eventTypes = [
  'order.created.v1',
  'inventory.reserved.v1',
  'inventory.released.v1',
  'payment.processed.v1',
  'payment.failed.v1',
  'payment.refunded.v1',
  'refund.owed.v1',
  'refund.failed.v1',
  'payment.disputed.v1',
  'dispute.closed.v1',
  'fulfillment.created.v1',
  'fulfillment.cancelled.v1',
  'shipment.generated.v1',
  'shipment.voided.v1',
  'order.held.v1',
  'order.approval_requested.v1',
  'order.shipping_suspended.v1',
  'order.hold_reminded.v1',
  'order.hold_extended.v1',
  'order.parked.v1',
  'order.completed.v1',
  'order.cancelled.v1',
  'order.failed.v1',
] as const;

export type EventType = (typeof eventTypes)[number];

/** An event type with the facts it carries beside the order's; what producers are checked against. */
export type EventFacts = { [Type in EventType]: { type: Type; details: EventDetails[Type] } }[EventType];

/** Payload of one event type; of any event where the type is not known. */
export type EventPayload<Type extends EventType> = OrderPayload &
  ([EventType] extends [Type]
    ? Record<string, unknown>
    : EventDetails[Type] extends Record<string, never>
      ? unknown
      : EventDetails[Type]);

export interface DomainEvent<Type extends EventType = EventType> {
  eventId: string;
  eventType: Type;
  occurredAtUtc: string;
  payload: EventPayload<Type>;
  metadata: {
    traceId: string;
    /** The order id: everything about one order correlates. */
    correlationId: string;
    /** Id of the order's previous event, or of the command before the first. */
    causationId: string;
    producer: 'order-saga';
    /** The version in the event type's name. */
    schemaVersion: number;
    /** Counts the order's events from 1 without a gap. */
    sequence: number;
  };
}

export interface EventSource {
  orderId: OrderId;
  customerId: string;
  total: Money | undefined;
  currency: string;
  items: readonly OrderItem[];
}

/** `order.created.v1` -> 1. Throws for a type without a version. */
export function versionOf(eventType: string): number {
  const match = /\.v(\d+)$/.exec(eventType);
  if (!match) throw new Error(`Event type "${eventType}": expected a name that ends in .v<number>`);
  return Number(match[1]);
}

/** Builds an event's body; `details` are the facts of that event type beside the order's. */
export function buildEvent(input: {
  eventId: string;
  eventType: EventType;
  occurredAtUtc: string;
  order: EventSource;
  details: Record<string, unknown>;
  traceId: string;
  causationId: string;
  sequence: number;
}): DomainEvent {
  const { order } = input;
  return {
    eventId: input.eventId,
    eventType: input.eventType,
    occurredAtUtc: input.occurredAtUtc,
    payload: {
      orderId: order.orderId,
      customerId: order.customerId,
      totalAmount: order.total ? decimalAmount(order.total) : null,
      currency: order.currency,
      items: order.items.map((item) => ({ productId: item.productId, qty: item.quantity })),
      ...input.details,
    },
    metadata: {
      traceId: input.traceId,
      correlationId: order.orderId,
      causationId: input.causationId,
      producer: 'order-saga',
      schemaVersion: versionOf(input.eventType),
      sequence: input.sequence,
    },
  };
}
