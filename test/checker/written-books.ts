import { createHash } from 'node:crypto';
import { auditContent, firstPrevHash, orderSubject, type AuditRow } from '../../domain/audit.ts';
import { buildEvent, type DomainEvent, type EventType } from '../../domain/events.ts';
import { customerId, orderId, productId } from '../../domain/ids.ts';
import type { OrderItem } from '../../domain/order.ts';
import { eventContracts } from '../../messaging/contracts/event-contracts.ts';
import type { OrderBooks } from './books.ts';

const total = { amountMinor: 1_499_800, currency: 'INR' } as const;
const items: OrderItem[] = [{ productId: productId('keyboard-mx'), quantity: 2 }];
const id = orderId('6ad1c1a4-4f0a-4c1e-9a53-0d8f5a3c0001');
const workflowId = `order-${id}`;

/** One row of the trail, with the event it came with. */
export type Line = [step: string, from: string, to: string, event?: EventType | undefined];

/** Hash chain and events of these lines, as the activities write them. */
export function write(lines: readonly Line[]): Pick<OrderBooks, 'audit' | 'auditHead' | 'events'> {
  const audit: AuditRow[] = [];
  const events: DomainEvent[] = [];
  for (const [step, from, to, eventType] of lines) {
    const causationId = events.at(-1)?.eventId ?? workflowId;
    if (eventType) events.push(eventAt(events.length + 1, eventType, causationId));
    const row = {
      subject: orderSubject(id),
      actor: 'saga',
      step,
      from,
      to,
      reason: 'as told',
      causingEventId: eventType ? causationId : '',
      workflowId,
      runId: 'run-1',
      occurredAtUtc: '2026-01-02T03:04:05.678Z',
      seq: audit.length + 1,
      prevHash: audit.at(-1)?.hash ?? firstPrevHash,
    };
    audit.push({ ...row, hash: createHash('sha256').update(auditContent(row)).digest('hex') });
  }
  const last = audit.at(-1);
  return { audit, events, auditHead: last && { seq: last.seq, hash: last.hash } };
}

const eventAt = (sequence: number, eventType: EventType, causationId: string): DomainEvent =>
  buildEvent({
    eventId: `00000000-0000-4000-8000-${String(sequence).padStart(12, '0')}`,
    eventType,
    occurredAtUtc: '2026-01-02T03:04:05.678Z',
    order: { orderId: id, customerId: 'customer-1', total, currency: 'INR', items },
    details: eventContracts[eventType].example,
    traceId: '0'.repeat(32),
    causationId,
    sequence,
  });

const there: Line[] = [
  ['receive', '', 'received', 'order.created.v1'],
  ['inventory', 'received', 'inventory_reserved', 'inventory.reserved.v1'],
  ['payment', 'inventory_reserved', 'payment_processed', 'payment.processed.v1'],
  ['fulfillment', 'payment_processed', 'fulfillment_created', 'fulfillment.created.v1'],
];

/** The lines of a shipped order, and of one whose label was voided and whose money went back. */
export const lines = {
  completed: [
    ...there,
    ['shipping', 'fulfillment_created', 'shipment_generated', 'shipment.generated.v1'],
    ['completion', 'shipment_generated', 'completed', 'order.completed.v1'],
  ] satisfies Line[],
  cancelled: [
    ...there,
    ['shipping', 'running', 'parked', 'order.parked.v1'],
    ['shipping', 'created', 'void_requested', 'shipment.voided.v1'],
    ['fulfillment', 'created', 'cancelled', 'fulfillment.cancelled.v1'],
    ['payment', 'charged', 'refunded', 'payment.refunded.v1'],
    ['inventory', 'reserved', 'released', 'inventory.released.v1'],
    ['shipping', 'fulfillment_created', 'cancelled', 'order.cancelled.v1'],
  ] satisfies Line[],
};

/** Books of one order in which everything fits together. */
export function goodBooks(status: 'completed' | 'cancelled'): OrderBooks {
  const shipped = status === 'completed';
  const written = write(lines[status]);
  const shipment = { carrier: 'USPS', service: 'Ground', trackingCode: 'T1', labelUrl: 'http://label' };
  return {
    ...written,
    ledger: {
      orderId: id,
      status,
      sagaState: 'ended',
      total,
      unpublished: 0,
      payments: [
        {
          orderId: id,
          n: 1,
          state: shipped ? 'charged' : 'refunded',
          amount: total,
          intentId: 'pi_1',
          createRequestedAtUtc: '2026-01-02T03:04:05.678Z',
          createKeyNumber: 1,
          confirmKeyNumber: 1,
          cancelKeyNumber: 1,
          refundKeyNumber: 1,
        },
      ],
      refunds: shipped
        ? []
        : [
            {
              orderId: id,
              refundId: 'compensation-1',
              n: 1,
              state: 'refunded',
              amount: total,
              reason: 'compensation',
              actor: 'saga',
              requestedAtUtc: '2026-01-02T03:04:05.678Z',
              settledAtUtc: '2026-01-02T03:04:05.678Z',
              providerRefundId: 're_1',
              fingerprint: '',
              keyNumber: 1,
            },
          ],
      disputes: [],
      shipments: [
        {
          orderId: id,
          n: 1,
          state: shipped ? 'bought' : 'void_requested',
          providerShipmentId: 'shp_1',
          ...shipment,
        },
      ],
      fulfillment: shipped ? 'open' : 'cancelled',
      reservedUnits: 0,
      consumedUnits: shipped ? 2 : 0,
      eventTypes: written.events.map(({ eventType }) => eventType),
      auditTransitions: written.audit.map(({ from, to }) => ({
        from,
        to,
      })),
    },
    view: {
      orderId: id,
      callerId: 'local',
      customerId: customerId('customer-1'),
      status,
      sagaState: 'ended',
      step: 'completion',
      items,
      total,
      updatedAtUtc: '2026-01-02T03:04:05.678Z',
      ...(shipped ? { shipment } : {}),
    },
    acts: [
      {
        orderId: id,
        actId: 'act-1',
        name: 'shipping-address',
        state: 'done',
        recordedAtUtc: '2026-01-02T03:04:05.678Z',
      },
    ],
    provider: {
      charged: [{ intent: 'pi_1', amount: 1_499_800, currency: 'inr' }],
      refunded: shipped
        ? []
        : [{ refund: 're_1', intent: 'pi_1', amount: 1_499_800, currency: 'inr', status: 'succeeded' }],
      disputes: [],
      labels: [{ shipment: 'shp_1', trackingCode: 'T1', refundStatus: shipped ? null : 'submitted' }],
      intents: [{ intent: 'pi_1', status: 'succeeded' }],
    },
  };
}
