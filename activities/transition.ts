import { activityInfo } from '@temporalio/activity';
import { orderSubject } from '../domain/audit.ts';
import { buildEvent, type EventFacts } from '../domain/events.ts';
import { eventsDestination } from '../domain/destinations.ts';
import { missingOrder } from './failures.ts';
import type { OrderId } from '../domain/ids.ts';
import type { Actor, OrderStatus, SagaState, StepName } from '../domain/order.ts';
import type { StoreTransaction } from '../ports/store.ts';
import type { OrderDetail, OrderRow } from '../ports/store/orders.ts';

/** A change of an order inside a step's transaction: state, audit row and, where given, event or events. */
export interface Transition {
  order: OrderRow;
  actor?: Actor;
  step: StepName;
  /** The run it is told of; by default the one that acts now. */
  run?: { workflowId: string; runId: string };
  /** A fact beside the order's path, also after its end: its status, saga state and step stay. */
  aside?: boolean;
  status?: OrderStatus;
  sagaState?: SagaState;
  /** Fields of the order's detail to set; `undefined` removes one. */
  detail?: { [Field in keyof OrderDetail]?: OrderDetail[Field] | undefined };
  /** What the audit trail says moved; the statuses by default. */
  from?: string;
  to?: string;
  reason: string;
  /** Several where one fact is published in two versions at once; the audit row names the cause of the first. */
  event?: EventFacts | readonly EventFacts[];
  nowUtc: string;
}

/**
 * Writes one change of an order: its row, its audit row and its event, in the caller's transaction. The event's
 * number and cause come from the order row, which the caller has read (and so locked) in the same transaction.
 */
export async function writeTransition(tx: StoreTransaction, change: Transition): Promise<void> {
  const { order, step, nowUtc } = change;
  const causingEventId = await writeEvents(tx, change);
  await tx.audit.append({
    subject: orderSubject(order.orderId),
    actor: change.actor ?? 'saga',
    step,
    from: change.from ?? order.status,
    to: change.to ?? change.status ?? order.status,
    reason: change.reason,
    causingEventId,
    ...(change.run ?? currentRun(order)),
    occurredAtUtc: nowUtc,
  });
  await tx.orders.update({
    orderId: order.orderId,
    ...(change.aside ? {} : { step }),
    updatedAtUtc: nowUtc,
    ...(change.status ? { status: change.status } : {}),
    ...(change.sagaState ? { sagaState: change.sagaState } : {}),
    ...(change.detail ? { detail: mergeDetail(order.detail, change.detail) } : {}),
  });
}

async function writeEvents(tx: StoreTransaction, change: Transition): Promise<string> {
  const events: readonly EventFacts[] = [change.event ?? []].flat();
  const causes: string[] = [];
  for (const event of events) causes.push(await writeEvent(tx, change, event));
  return causes[0] ?? '';
}

async function writeEvent(
  tx: StoreTransaction,
  { order, nowUtc }: Transition,
  event: EventFacts,
): Promise<string> {
  const eventId = crypto.randomUUID();
  const { sequence, previousEventId } = await tx.orders.nextEvent({ orderId: order.orderId, eventId });
  const causationId = previousEventId ?? order.workflowId;
  const body = buildEvent({
    eventId,
    eventType: event.type,
    occurredAtUtc: nowUtc,
    order: {
      orderId: order.orderId,
      customerId: order.customerId,
      total: order.total,
      currency: order.currency,
      items: order.items,
    },
    details: event.details,
    traceId: order.traceId,
    causationId,
    sequence,
  });
  await tx.messages.add({
    id: eventId,
    occurredAtUtc: nowUtc,
    type: event.type,
    payload: JSON.stringify(body),
    destination: eventsDestination,
    orderId: order.orderId,
    sequence,
    traceparent: traceparentOf(order.traceId, eventId),
  });
  return causationId;
}

/** A `traceparent` (W3C Trace Context) for a message: the order's trace, with a span id taken from the message id. */
export const traceparentOf = (traceId: string, messageId: string): string =>
  `00-${traceId}-${messageId.replaceAll('-', '').slice(0, 16)}-01`;

/** The run that acts now: the order's, or one beside it. */
const currentRun = (order: OrderRow): { workflowId: string; runId: string } => {
  const { workflowId, runId } = activityInfo().workflowExecution ?? order;
  return { workflowId, runId };
};

function mergeDetail(detail: OrderDetail, changes: NonNullable<Transition['detail']>): OrderDetail {
  const merged = Object.entries({ ...detail, ...changes }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(merged);
}

/** The order's row, locked; rejects with OrderNotInStore, and what to do, when it is not there. */
export async function findOrder(tx: StoreTransaction, orderId: OrderId): Promise<OrderRow> {
  const order = await tx.orders.find(orderId);
  if (!order) throw missingOrder(orderId);
  return order;
}
