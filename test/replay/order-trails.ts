import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { AuditRow } from '../../domain/audit.ts';
import type { DomainEvent } from '../../domain/events.ts';
import type { OrderBooks } from '../../domain/owed.ts';

const file = new URL('order-trails.json', import.meta.url);
const id = '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11';

/** One audit row as it is kept: what does not differ from one recording to the next. */
export interface TrailRow {
  actor: string;
  step: string;
  from: string;
  to: string;
  reason: string;
  /** Type of the causing event. */
  causedBy?: string;
}

export interface Trail {
  rows: TrailRow[];
  /** Deadline of the last hold, where it had one. */
  heldUntilUtc?: string;
  books: OrderBooks;
}

/** The audit trails of all fates, by name. */
export const readTrails = (): Record<string, Trail> =>
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, Trail>;

export const writeTrails = (trails: Record<string, Trail>): Promise<void> =>
  writeFile(file, `${JSON.stringify(trails, null, 2)}\n`);

const start = Date.parse('2026-01-02T03:04:00.000Z');
const times = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
const recordedUntil = '2026-01-02T12:00:00.000Z';
const ids = /\b(pi|re|dp|shp|pm)_[A-Za-z0-9]{8,}|[0-9a-f]{8}-[0-9a-f-]{27}/g;

/** Without the times and ids of this one recording. */
export function trailOf(rows: readonly AuditRow[], money: OrderBooks, events: readonly DomainEvent[]): Trail {
  const held = events.some(({ eventType }) =>
    /^order\.(held|approval_requested|shipping_suspended)\./.test(eventType),
  );
  return {
    rows: rows.map(({ actor, step, from, to, reason, causingEventId }) => {
      const cause = events.find(({ eventId }) => eventId === causingEventId);
      const steady = reason
        .replaceAll(times, recordedUntil)
        .replaceAll(ids, (found) => `${found.split('_')[0]?.slice(0, 3)}_1`);
      return { actor, step, from, to, reason: steady, ...(cause ? { causedBy: cause.eventType } : {}) };
    }),
    ...(held ? { heldUntilUtc: recordedUntil } : {}),
    books: booksOf(money),
  };
}

const booksOf = ({ payments, refunds, disputes }: OrderBooks): OrderBooks => ({
  payments: payments.map(({ n, state, amount }) => ({ n, state, amount })),
  refunds: refunds.map(({ n, state, amount, settledAtUtc }, index) => ({
    refundId: `refund-${index + 1}`,
    n,
    state,
    amount,
    requestedAtUtc: recordedUntil,
    ...(settledAtUtc ? { settledAtUtc: recordedUntil } : {}),
  })),
  disputes: disputes.map(({ n, state, amount }, index) => ({
    disputeId: `dispute-${index + 1}`,
    n,
    state,
    amount,
  })),
});

/** Rows and events again, a minute apart. */
export function fromTrail({ rows, heldUntilUtc }: Omit<Trail, 'books'>): {
  rows: AuditRow[];
  events: DomainEvent[];
} {
  const events = rows.flatMap(({ causedBy }, index) =>
    causedBy ? [{ eventId: `event-${index}`, eventType: causedBy, payload: {} }] : [],
  );
  const held = heldUntilUtc
    ? [{ eventId: 'held', eventType: 'order.held.v1', payload: { untilUtc: heldUntilUtc } }]
    : [];
  return {
    rows: rows.map(({ causedBy, ...row }, index) => ({
      ...row,
      subject: `order:${id}`,
      seq: index + 1,
      causingEventId: causedBy ? `event-${index}` : '',
      workflowId: `order-${id}`,
      runId: 'run',
      occurredAtUtc: new Date(start + index * 60_000).toISOString(),
      prevHash: '',
      hash: '',
    })),
    events: [...events, ...held] as unknown as DomainEvent[],
  };
}
