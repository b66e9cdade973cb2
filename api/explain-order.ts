import type { AuditRow } from '../domain/audit.ts';
import type { DomainEvent } from '../domain/events.ts';
import { orderStatuses } from '../domain/order.ts';

/** One audit row as an answer, with the event that caused it where the order has it. */
export interface Explanation {
  answer: string;
  auditSeq: number;
  step: string;
  actor: string;
  from: string;
  to: string;
  reason: string;
  atUtc: string;
  causingEvent?: { eventId: string; eventType: string };
}

/** The three questions of every call to the help desk; null where they do not arise. */
export interface OrderExplanation {
  /** Why the order was cancelled or failed. */
  whyEnded: Explanation | null;
  /** What took the order off its path: the first row after its last successful step. */
  triggeredBy: Explanation | null;
  lastSuccessfulStep: Explanation | null;
}

const path: readonly string[] = orderStatuses.slice(0, orderStatuses.indexOf('completed') + 1);
const statuses: readonly string[] = orderStatuses;

/**
 * Answers from the audit rows alone. A row tells of the order when it moves from status to status; other rows (a
 * fulfillment that was cancelled, a payment that was refunded, an act that was taken) tell of its parts.
 */
export function explainOrder(rows: readonly AuditRow[], events: readonly DomainEvent[]): OrderExplanation {
  const ofOrder = (row: AuditRow) =>
    statuses.includes(row.to) && (row.from === '' || statuses.includes(row.from));
  const success = rows.findLast((row) => ofOrder(row) && path.includes(row.to) && row.from !== row.to);
  const ending = rows.findLast((row) => ofOrder(row) && (row.to === 'cancelled' || row.to === 'failed'));
  const trigger = rows.find((row) => row.seq > (success?.seq ?? 0));
  const explain = (row: AuditRow | undefined, answer: (row: AuditRow) => string): Explanation | null =>
    row ? explanationOf(row, answer(row), events) : null;
  return {
    whyEnded: explain(ending, (row) => `${row.to} in step ${row.step} by ${row.actor}: ${row.reason}`),
    triggeredBy: explain(
      trigger,
      (row) => `step ${row.step} went from ${row.from} to ${row.to}: ${row.reason}`,
    ),
    lastSuccessfulStep: explain(success, (row) => `${row.step}: the order became ${row.to}`),
  };
}

function explanationOf(row: AuditRow, answer: string, events: readonly DomainEvent[]): Explanation {
  const cause = events.find((event) => event.eventId === row.causingEventId);
  const { seq, step, actor, from, to, reason, occurredAtUtc } = row;
  return {
    answer,
    auditSeq: seq,
    step,
    actor,
    from,
    to,
    reason,
    atUtc: occurredAtUtc,
    ...(cause ? { causingEvent: { eventId: cause.eventId, eventType: cause.eventType } } : {}),
  };
}
