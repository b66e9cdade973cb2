import type { AuditRow } from '../../../domain/audit.ts';
import type { DomainEvent } from '../../../domain/events.ts';
import type { MoneyNow } from '../../../domain/money-act.ts';
import type { OrderBooks } from '../../../domain/owed.ts';
import { tellOrder, type OrderStory } from './order-story.ts';
import { isMended, isOfOrder, isSuccess } from './order-trail.ts';

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

/** The three questions of every call to the help desk, null where they do not arise; and the whole story. */
export interface OrderExplanation extends OrderStory {
  /** Why the order was cancelled or failed. */
  whyEnded: Explanation | null;
  /** What took the order off its path: the first row after its last successful step, or after the last hold was mended. */
  triggeredBy: Explanation | null;
  lastSuccessfulStep: Explanation | null;
}

/** Answers from the audit rows and the order's money; the events only name what caused what. */
export function explainOrder(
  rows: readonly AuditRow[],
  books: OrderBooks,
  events: readonly DomainEvent[],
  money?: MoneyNow,
): OrderExplanation {
  const success = rows.findLast(isSuccess);
  const ending = rows.findLast((row) => isOfOrder(row) && (row.to === 'cancelled' || row.to === 'failed'));
  const onPath = rows.findLast((row) => row === success || isMended(row));
  const trigger = success?.to === 'completed' ? undefined : rows.find(({ seq }) => seq > (onPath?.seq ?? 0));
  const explain = (row: AuditRow | undefined, answer: (row: AuditRow) => string): Explanation | null =>
    row ? explanationOf(row, answer(row), events) : null;
  return {
    whyEnded: explain(ending, (row) => `${row.to} in step ${row.step} by ${row.actor}: ${row.reason}`),
    triggeredBy: explain(
      trigger,
      (row) => `step ${row.step} went from ${row.from || 'nothing'} to ${row.to}: ${row.reason}`,
    ),
    lastSuccessfulStep: explain(success, (row) => `${row.step}: the order became ${row.to}`),
    ...tellOrder(rows, books, events, money),
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
