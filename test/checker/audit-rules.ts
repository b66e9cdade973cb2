import { createHash } from 'node:crypto';
import { auditContent, firstPrevHash, orderSubject, type AuditRow } from '../../domain/audit.ts';
import type { EventType } from '../../domain/events.ts';
import { orderStatuses, sagaStates } from '../../domain/order.ts';
import type { OrderBooks } from './books.ts';

/** The trail is unbroken, tells every change of status, and each event has its row and each row its event. */
export function auditViolations(books: OrderBooks): string[] {
  return [...hashViolations(books), ...statusViolations(books), ...causeViolations(books)];
}

function hashViolations({ ledger, audit, auditHead }: OrderBooks): string[] {
  const violations: string[] = [];
  let prevHash = firstPrevHash;
  audit.forEach((row, index) => {
    const name = `audit row ${index + 1}`;
    if (row.subject !== orderSubject(ledger.orderId)) violations.push(`${name} is about ${row.subject}`);
    if (row.seq !== index + 1) violations.push(`${name} has the number ${row.seq}`);
    if (row.prevHash !== prevHash) violations.push(`${name} does not follow from the row before`);
    const hash = createHash('sha256').update(auditContent(row)).digest('hex');
    if (row.hash !== hash) violations.push(`${name} was changed: its hash does not cover its content`);
    if (!row.actor || !row.reason) violations.push(`${name} does not say who and why`);
    if (!row.workflowId || !row.runId) violations.push(`${name} does not say in which run`);
    prevHash = row.hash;
  });
  if (auditHead?.seq !== audit.length || auditHead.hash !== prevHash) {
    violations.push(`the audit trail's head says row ${auditHead?.seq}; the last row is ${audit.length}`);
  }
  return violations;
}

const isStatus = (value: string): boolean => (orderStatuses as readonly string[]).includes(value);
const isSagaState = (value: string): boolean => (sagaStates as readonly string[]).includes(value);

/** Rows that move the status follow one another; a person's act (a row of saga states) may set another one. */
function statusViolations({ ledger, audit }: OrderBooks): string[] {
  const violations: string[] = [];
  let status: string | undefined = '';
  for (const { seq, from, to } of audit) {
    if (isSagaState(from) && isSagaState(to)) {
      status = undefined;
    } else if (isStatus(to) && (isStatus(from) || from === '')) {
      if (status !== undefined && from !== status) {
        violations.push(`audit row ${seq} moves the order from ${from}; it was ${status || 'not there'}`);
      }
      status = to;
    }
  }
  if (status !== undefined && status !== ledger.status) {
    violations.push(`the order is ${ledger.status}; its audit trail ends in ${status || 'nothing'}`);
  }
  return violations;
}

/** Which event a row's change comes with; `held` rows name a held status that did not change. */
const eventOf = ({ step, from, to }: AuditRow): EventType[] => {
  const byChange: Partial<Record<string, EventType[]>> = {
    received: ['order.created.v1'],
    inventory_reserved: ['inventory.reserved.v1'],
    released: ['inventory.released.v1'],
    payment_processed: ['payment.processed.v1'],
    payment_failed: ['payment.failed.v1', 'order.held.v1'],
    payment_action_required: ['order.held.v1'],
    address_rejected: ['order.held.v1'],
    awaiting_approval: ['order.approval_requested.v1'],
    payment_disputed: ['order.shipping_suspended.v1'],
    reminded: ['order.hold_reminded.v1'],
    extended: ['order.hold_extended.v1'],
    refunded: ['payment.refunded.v1'],
    refund_pending: ['payment.refunded.v1'],
    refund_failed: ['refund.failed.v1'],
    refund_owed: ['refund.owed.v1'],
    dispute_inquiry: ['payment.disputed.v1'],
    dispute_open: ['payment.disputed.v1'],
    dispute_won: ['dispute.closed.v1'],
    dispute_lost: ['dispute.closed.v1'],
    fulfillment_created: ['fulfillment.created.v1'],
    cancelled: [
      step === 'fulfillment' && from === 'created' ? 'fulfillment.cancelled.v1' : 'order.cancelled.v1',
    ],
    shipment_generated: ['shipment.generated.v1'],
    void_requested: ['shipment.voided.v1'],
    voided: ['shipment.voided.v1'],
    parked: ['order.parked.v1'],
    canceled: ['payment.failed.v1'],
    completed: ['order.completed.v1'],
    failed: ['order.failed.v1'],
  };
  return byChange[to] ?? [];
};

/** A label refused for its address moves the status at once; the hold that follows tells of it. */
const toldLater = ({ step, to }: AuditRow): boolean => step === 'shipping' && to === 'address_rejected';

function causeViolations({ audit, events }: OrderBooks): string[] {
  const violations: string[] = [];
  const rows = audit.filter(({ causingEventId }) => causingEventId !== '');
  if (rows.length !== events.length) {
    violations.push(`${events.length} events have ${rows.length} audit rows`);
  }
  events.forEach(({ eventType, metadata }, index) => {
    const row = rows[index];
    if (!row) return;
    if (row.causingEventId !== metadata.causationId) {
      violations.push(
        `audit row ${row.seq} names another cause than event ${metadata.sequence} (${eventType})`,
      );
    } else if (!eventOf(row).includes(eventType)) {
      violations.push(`audit row ${row.seq} (${row.from} to ${row.to}) comes with ${eventType}`);
    }
  });
  for (const row of audit) {
    const moved = isStatus(row.to) && row.from !== row.to && (isStatus(row.from) || row.from === '');
    if (moved && row.causingEventId === '' && !toldLater(row)) {
      violations.push(
        `audit row ${row.seq} moves the order from ${row.from} to ${row.to} and no event tells of it`,
      );
    }
  }
  return violations;
}
