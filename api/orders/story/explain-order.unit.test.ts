import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { auditContent, firstPrevHash, type AuditRow } from '../../../domain/audit.ts';
import type { DomainEvent } from '../../../domain/events.ts';
import { createApp } from '../../app.ts';
import { isIntact } from '../audit.ts';
import { explainOrder } from './explain-order.ts';
import { fakeDeps, fakeStore, otherShopKey, send, someOrder, viewOf } from '../../testing/fake-deps.ts';

type Move = [step: string, from: string, to: string, reason: string, actor?: string, causingEventId?: string];

function trail(moves: Move[]): AuditRow[] {
  const rows: AuditRow[] = [];
  for (const [step, from, to, reason, actor = 'saga', causingEventId = ''] of moves) {
    const row = {
      subject: `order:${someOrder}`,
      seq: rows.length + 1,
      prevHash: rows.at(-1)?.hash ?? firstPrevHash,
      actor,
      step,
      from,
      to,
      reason,
      causingEventId,
      workflowId: `order-${someOrder}`,
      runId: 'r',
      occurredAtUtc: '2026-01-02T03:04:05.678Z',
    };
    rows.push({ ...row, hash: createHash('sha256').update(auditContent(row)).digest('hex') });
  }
  return rows;
}

const declined = trail([
  ['receive', '', 'received', 'checkout accepted', 'shop-a'],
  ['inventory', 'received', 'inventory_reserved', 'all items reserved'],
  ['payment', 'inventory_reserved', 'payment_failed', 'Your card was declined.', 'saga', 'event-2'],
  ['inventory', 'reserved', 'released', 'compensation'],
  ['payment', 'payment_failed', 'failed', 'Your card was declined.', 'saga', 'event-4'],
]);
const events = [
  { eventId: 'event-2', eventType: 'inventory.reserved.v1' },
  { eventId: 'event-4', eventType: 'inventory.released.v1' },
] as DomainEvent[];

const noBooks = { payments: [], refunds: [], disputes: [] };

describe('the three questions', () => {
  it('are answered for an order whose card was declined', () => {
    expect(explainOrder(declined, noBooks, events)).toMatchObject({
      whyEnded: { answer: 'failed in step payment by saga: Your card was declined.', auditSeq: 5 },
      triggeredBy: {
        auditSeq: 3,
        to: 'payment_failed',
        causingEvent: { eventType: 'inventory.reserved.v1' },
      },
      lastSuccessfulStep: { step: 'inventory', to: 'inventory_reserved', auditSeq: 2 },
    });
  });

  it('are answered for a cancelled order; the cancelled fulfillment is not taken for the order', () => {
    const rows = trail([
      ['receive', '', 'received', 'checkout accepted'],
      ['inventory', 'received', 'inventory_reserved', ''],
      ['payment', 'inventory_reserved', 'payment_processed', ''],
      ['fulfillment', 'payment_processed', 'fulfillment_created', 'paid'],
      ['fulfillment', 'cancel', 'accepted', 'Ordered twice', 'help-desk'],
      ['fulfillment', 'fulfillment_created', 'cancelled', 'Ordered twice', 'help-desk'],
      ['fulfillment', 'created', 'cancelled', 'compensation'],
    ]);
    expect(explainOrder(rows, noBooks, [])).toMatchObject({
      whyEnded: { auditSeq: 6, actor: 'help-desk', reason: 'Ordered twice' },
      triggeredBy: { auditSeq: 5, actor: 'help-desk' },
      lastSuccessfulStep: { step: 'fulfillment', auditSeq: 4 },
    });
  });

  it('name what came after a hold that was mended, not the hold', () => {
    const rows = trail([
      ['receive', '', 'received', 'checkout accepted'],
      ['inventory', 'received', 'inventory_reserved', ''],
      ['payment', 'inventory_reserved', 'payment_processed', ''],
      ['fulfillment', 'payment_processed', 'fulfillment_created', 'paid'],
      ['shipping', 'fulfillment_created', 'address_rejected', 'Unknown street.'],
      ['shipping', 'held', 'running', 'New address', 'shop-a'],
      ['shipping', 'fail', 'compensating', 'All of the charge is refunded.'],
      ['shipping', 'address_rejected', 'failed', 'All of the charge is refunded.'],
    ]);
    expect(explainOrder(rows, noBooks, [])).toMatchObject({
      whyEnded: { auditSeq: 8 },
      triggeredBy: { auditSeq: 7, reason: 'All of the charge is refunded.' },
      lastSuccessfulStep: { auditSeq: 4 },
    });
  });

  it('find nothing that took a completed order off its path', () => {
    const rows = trail([
      ['receive', '', 'received', 'checkout accepted'],
      ['completion', 'shipment_generated', 'completed', 'shipped'],
      ['payment', 'charged', 'refund_requested', '5.00 INR, 4.00 INR of the charge are left: late'],
    ]);
    expect(explainOrder(rows, noBooks, [])).toMatchObject({
      whyEnded: null,
      triggeredBy: null,
      lastSuccessfulStep: { to: 'completed' },
    });
  });

  it('leave the first two open for an order on its path', () => {
    expect(explainOrder(declined.slice(0, 2), noBooks, [])).toMatchObject({
      whyEnded: null,
      triggeredBy: null,
      lastSuccessfulStep: { to: 'inventory_reserved' },
    });
    expect(explainOrder([], noBooks, [])).toEqual({
      whyEnded: null,
      triggeredBy: null,
      lastSuccessfulStep: null,
      story: [],
      next: 'The order is being taken in.',
    });
  });
});

describe('the audit trail', () => {
  const head = { seq: 5, hash: declined[4]?.hash ?? '' };

  it('is intact as it was written, and not when a row was changed, removed, moved or cut off', () => {
    expect(isIntact(declined, head)).toBe(true);
    expect(isIntact([], undefined)).toBe(true);
    expect(
      isIntact(
        declined.map((row) => (row.seq === 3 ? { ...row, reason: 'x' } : row)),
        head,
      ),
    ).toBe(false);
    expect(isIntact(declined.toSpliced(2, 1), head)).toBe(false);
    expect(isIntact(declined.toReversed(), head)).toBe(false);
    expect(isIntact(declined.slice(0, 4), head)).toBe(false);
  });

  it('and its answers are served, to the owner alone, and 503 without the store', async () => {
    const reads = {
      order: async () => viewOf(),
      audit: async () => declined,
      auditHead: async () => head,
      money: async () => noBooks,
      events: async () => events,
    };
    const app = createApp(fakeDeps({ store: fakeStore({ reads }).store }));
    const audit = await (await send(app, 'GET', `/orders/${someOrder}/audit`)).json();
    expect(audit).toMatchObject({
      chain: { length: 5, intact: true },
      rows: [{ seq: 1 }, {}, {}, {}, { seq: 5 }],
    });
    const why = await (await send(app, 'GET', `/orders/${someOrder}/why`)).json();
    expect(why).toMatchObject({ orderId: someOrder, whyEnded: { auditSeq: 5 } });
    for (const what of ['audit', 'why']) {
      const other = await send(app, 'GET', `/orders/${someOrder}/${what}`, { key: otherShopKey });
      expect(other.status).toBe(404);
    }
    const broken = { ...reads, audit: () => Promise.reject(new Error('SQL is down')) };
    const without = createApp(fakeDeps({ store: fakeStore({ reads: broken }).store }));
    const response = await send(without, 'GET', `/orders/${someOrder}/why`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
  });
});
