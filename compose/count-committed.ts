import { closedRunActivity } from '../domain/recovery.ts';
import type { DomainEvent, EventType } from '../domain/events.ts';
import { orderId as asOrderId, type OrderId } from '../domain/ids.ts';
import type { Store, StoreTransaction } from '../ports/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { OrderRow } from '../ports/store/orders.ts';
import type { OutboxMessage } from '../ports/store/messages.ts';

export type OrderMetrics = Pick<
  Metrics,
  | 'orderEvents'
  | 'ordersEnded'
  | 'ordersHeld'
  | 'ordersParked'
  | 'paymentsFailed'
  | 'paymentsCharged'
  | 'paymentsRefunded'
  | 'orderTimeToShip'
  | 'orderDuration'
>;

/** What one transaction has written: its events, and when their orders were recorded. */
interface Written {
  messages: OutboxMessage[];
  createdAtUtc: Map<OrderId, string>;
}

/**
 * The store, counting what becomes of orders by the events of each transaction, once it is durable. An attempt that
 * finds its stored answer writes no event and counts nothing; a process that dies right after its commit leaves that
 * one uncounted. A metric never fails a transaction.
 */
export function countCommitted(store: Store, metrics: OrderMetrics): Store {
  return {
    ...store,
    async transaction(work) {
      let written: Written = { messages: [], createdAtUtc: new Map() };
      const result = await store.transaction((tx) => {
        // Run again from its start after a deadlock.
        written = { messages: [], createdAtUtc: new Map() };
        return work(noting(tx, written));
      });
      for (const message of written.messages) count(store, metrics, message, written);
      return result;
    },
  };
}

function noting(tx: StoreTransaction, written: Written): StoreTransaction {
  const note = (order: OrderRow | undefined) => {
    if (order) written.createdAtUtc.set(order.orderId, order.createdAtUtc);
    return order;
  };
  return {
    ...tx,
    orders: { ...tx.orders, find: (id) => tx.orders.find(id).then(note) },
    messages: {
      ...tx.messages,
      async add(message) {
        await tx.messages.add(message);
        if (message.sequence > 0) written.messages.push(message);
      },
    },
  };
}

function count(store: Store, metrics: OrderMetrics, message: OutboxMessage, written: Written): void {
  metrics.orderEvents.inc({ type: message.type });
  const event = JSON.parse(message.payload) as DomainEvent;
  const createdAtUtc = written.createdAtUtc.get(message.orderId);
  const ageSeconds =
    createdAtUtc === undefined ? undefined : secondsBetween(createdAtUtc, event.occurredAtUtc);
  counters[message.type as EventType]?.(metrics, event);
  const ended = endings[message.type as EventType];
  if (ended !== undefined) {
    const failure_type = ended === 'failed' ? textOf(event, 'failureType') : 'none';
    metrics.ordersEnded.inc({ status: ended, failure_type });
    if (ageSeconds !== undefined) metrics.orderDuration.observe({ status: ended }, ageSeconds);
  }
  if (message.type === 'shipment.generated.v1' && ageSeconds !== undefined)
    void observeShipping(store, metrics, { orderId: event.payload.orderId, ageSeconds });
}

const holds: ReadonlySet<EventType> = new Set([
  'order.held.v1',
  'order.approval_requested.v1',
  'order.shipping_suspended.v1',
]);

const endings: Partial<Record<EventType, 'completed' | 'cancelled' | 'failed'>> = {
  'order.completed.v1': 'completed',
  'order.cancelled.v1': 'cancelled',
  'order.failed.v1': 'failed',
};

const counters: Partial<Record<EventType, (metrics: OrderMetrics, event: DomainEvent) => void>> = {
  'order.held.v1': (metrics, event) => metrics.ordersHeld.inc({ status: textOf(event, 'status') }),
  'order.approval_requested.v1': (metrics) => metrics.ordersHeld.inc({ status: 'awaiting_approval' }),
  'order.shipping_suspended.v1': (metrics) => metrics.ordersHeld.inc({ status: 'payment_disputed' }),
  'order.parked.v1': (metrics, event) => {
    const step = textOf(event, 'step');
    if (textOf(event, 'activity') === closedRunActivity) return;
    const direction = textOf(event, 'activity') === step ? 'forward' : 'compensating';
    metrics.ordersParked.inc({ step, direction });
  },
  'payment.failed.v1': (metrics, event) =>
    metrics.paymentsFailed.inc({ failure_type: textOf(event, 'failureType') }),
  'payment.processed.v1': (metrics, { payload }) =>
    metrics.paymentsCharged.inc({ currency: payload.currency }, payload.totalAmount ?? 0),
  'payment.refunded.v1': (metrics, event) =>
    metrics.paymentsRefunded.inc(
      { currency: event.payload.currency },
      Number(detail(event, 'refundedAmount')),
    ),
};

/** Orders that were held waited for a person: the goal of shipping is not about them. */
async function observeShipping(
  { read }: Pick<Store, 'read'>,
  metrics: OrderMetrics,
  order: { orderId: string; ageSeconds: number },
): Promise<void> {
  try {
    const events = await read.events({ orderId: asOrderId(order.orderId), afterSequence: 0 });
    const held = events.some(({ eventType }) => holds.has(eventType));
    metrics.orderTimeToShip.observe({ held: held ? 'yes' : 'no' }, order.ageSeconds);
  } catch {
    // SQL went away in this moment; the order is well, and this one is not measured.
  }
}

const detail = (event: DomainEvent, field: string): unknown =>
  (event.payload as unknown as Record<string, unknown>)[field];

const textOf = (event: DomainEvent, field: string): string => String(detail(event, field));

const secondsBetween = (from: string, to: string): number =>
  Math.max(0, Date.parse(to) - Date.parse(from)) / 1_000;
