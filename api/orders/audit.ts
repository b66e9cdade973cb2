import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { auditContent, firstPrevHash, orderSubject, type AuditRow } from '../../domain/audit.ts';
import type { AppDeps } from '../app-deps.ts';
import { explainOrder } from './story/explain-order.ts';
import { nullable } from '../http/fields.ts';
import { nextOfUnrecorded } from './lost-run.ts';
import { rowsFor } from './outside-order.ts';
import { moneyNowOf } from '../refunds/money-now-body.ts';
import { readOrderId, requireOrder } from './read-order.ts';
import { readStore } from '../http/read-store.ts';
import { retryingBody, retryingOf, retrySentence } from './retrying-body.ts';
import { addRoute, orderIdParameter, type App } from '../http/route.ts';

const auditRow = z.object({
  subject: z.string(),
  seq: z.int(),
  actor: z.string(),
  step: z.string(),
  from: z.string(),
  to: z.string(),
  reason: z.string(),
  causingEventId: z.string(),
  workflowId: z.string(),
  runId: z.string(),
  occurredAtUtc: z.string().openapi({ format: 'date-time' }),
  prevHash: z.string(),
  hash: z.string(),
});

const auditBody = z
  .object({
    orderId: z.string(),
    rows: z.array(auditRow),
    chain: z.object({ length: z.int(), intact: z.boolean() }).openapi({
      description: 'Whether each row’s hash covers it and the row before, and the last row is the head.',
    }),
  })
  .openapi('AuditTrail', {
    example: {
      orderId: '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11',
      rows: [],
      chain: { length: 0, intact: true },
    },
  });

const explanation = z
  .object({
    answer: z.string(),
    auditSeq: z.int(),
    step: z.string(),
    actor: z.string(),
    from: z.string(),
    to: z.string(),
    reason: z.string(),
    atUtc: z.string().openapi({ format: 'date-time' }),
    causingEvent: z.object({ eventId: z.string(), eventType: z.string() }).optional(),
  })
  .openapi('Explanation');

const whyBody = z
  .object({
    orderId: z.string(),
    whyEnded: nullable(explanation).openapi({ description: 'Why it was cancelled or failed.' }),
    triggeredBy: nullable(explanation).openapi({
      description: 'What took it off its path, and the event behind it.',
    }),
    lastSuccessfulStep: nullable(explanation),
    story: z
      .array(z.string())
      .openapi({ description: 'What happened, in sentences that can be read to a customer.' }),
    next: z.string().openapi({ description: 'What happens next, by itself or by whom.' }),
    retrying: retryingBody.optional(),
  })
  .openapi('Why', {
    example: {
      orderId: '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11',
      whyEnded: null,
      triggeredBy: null,
      lastSuccessfulStep: null,
      story: ['January 2, 2026 at 03:04 UTC: The order was placed and accepted.'],
      next: 'The goods are set aside next.',
    },
  });

/** GET /orders/{orderId}/audit and /why. */
export function addAudit(app: App, deps: AppDeps): void {
  const common = {
    method: 'get',
    tag: 'Orders',
    produces: 'application/json',
    request: { params: orderIdParameter },
    problems: ['unknown-order', 'store-unavailable', 'temporal-unavailable'],
  } as const;
  addRoute(
    app,
    {
      ...common,
      path: '/orders/{orderId}/audit',
      operationId: 'getAudit',
      summary: 'Every state change of the order, append-only',
      description:
        'Each row carries the hash of the one before: `npm run audit:verify` proves that none was changed.',
      responses: {
        200: { description: 'All rows.', content: { 'application/json': { schema: auditBody } } },
      },
    },
    async (c) => {
      const orderId = readOrderId(c.req.param('orderId'));
      await requireOrder(deps, c.get('caller'), orderId);
      const subject = orderSubject(orderId);
      const caller = c.get('caller');
      const [rows, head] = await readStore(deps, (read) =>
        Promise.all([read.audit(subject), read.auditHead(subject)]),
      );
      const chain = { length: rows.length, intact: isIntact(rows, head) };
      return c.json({ orderId, rows: rowsFor(caller, rows), chain }, 200, noStore);
    },
  );
  addRoute(
    app,
    {
      ...common,
      path: '/orders/{orderId}/why',
      operationId: 'explainOrder',
      summary: 'Its story in sentences, what happens next, and why it ended',
      description: 'Answered from the audit rows and the order’s money.',
      responses: {
        200: { description: 'The answers.', content: { 'application/json': { schema: whyBody } } },
      },
    },
    async (c) => {
      const orderId = readOrderId(c.req.param('orderId'));
      await requireOrder(deps, c.get('caller'), orderId);
      const [rows, money, events, order] = await readStore(deps, (read) =>
        Promise.all([
          read.audit(orderSubject(orderId)),
          read.money(orderId),
          read.events({ orderId, afterSequence: 0 }),
          read.order(orderId),
        ]),
      );
      const now = order && money && moneyNowOf(orderId, order, { money, nowUtc: deps.clock.nowUtc() });
      const next = rows.length === 0 ? await nextOfUnrecorded(deps, orderId) : {};
      const retrying = order && (await retryingOf(deps, c.get('caller'), order));
      const told = {
        ...explainOrder(rowsFor(c.get('caller'), rows), money ?? noMoney, events, now),
        ...next,
      };
      if (!retrying) return c.json({ orderId, ...told }, 200, noStore);
      const goesOn = `${told.next} ${retrySentence(retrying)}`;
      return c.json({ orderId, ...told, next: goesOn, retrying }, 200, noStore);
    },
  );
}

const noMoney = { payments: [], refunds: [], disputes: [] };
const noStore = { 'cache-control': 'no-store' };

/** A changed row breaks its hash, a removed one the link, a cut-off tail the head. */
export function isIntact(
  rows: readonly AuditRow[],
  head: { seq: number; hash: string } | undefined,
): boolean {
  const linked = rows.every((row, index) => {
    const expected = createHash('sha256').update(auditContent(row)).digest('hex');
    return (
      row.seq === index + 1 &&
      row.prevHash === (rows[index - 1]?.hash ?? firstPrevHash) &&
      row.hash === expected
    );
  });
  const last = rows.at(-1);
  return linked && head?.seq === last?.seq && head?.hash === last?.hash;
}
