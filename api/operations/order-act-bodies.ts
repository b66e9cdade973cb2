import { z } from '@hono/zod-openapi';
import { isOrderId } from '../orders/order-identity.ts';
import { orderBody } from '../orders/order-body.ts';
import { whereFields } from '../orders/order-where.ts';
import {
  actorField,
  customerMessageField,
  deadlineFields,
  oneDeadline,
  reasonField,
  resolveFields,
} from '../http/fields.ts';

const MAX_IDS = 1_000;
const uuid = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';

const orderIds = z
  .array(z.string().refine(isOrderId, 'expected an order id').openapi({ format: 'uuid', pattern: uuid }))
  .min(1)
  .max(MAX_IDS)
  .optional()
  .openapi({ description: 'These; instead of conditions.' });

/** What is done to each; the same words as the act on one order. */
const actBody = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('resolve'),
      action: resolveFields.action,
      input: resolveFields.input.openapi({
        not: { properties: { paymentMethodId: {} }, required: ['paymentMethodId'] },
      }),
    }),
    z.strictObject({ kind: z.literal('cancel') }),
    z.strictObject({ kind: z.literal('approve') }),
    z.strictObject({ kind: z.literal('extend'), ...deadlineFields }).openapi(oneDeadline),
  ])
  .openapi('OrderAct', { example: { kind: 'resolve', action: 'retry' } });

export const bulkBody = z
  .strictObject({
    where: z.strictObject({ orderIds, ...whereFields }).openapi({
      description: 'Open orders for which all of this holds, or those named.',
      oneOf: [
        { required: ['orderIds'], maxProperties: 1 },
        { not: { properties: { orderIds: {} }, required: ['orderIds'] }, minProperties: 1 },
      ],
    }),
    act: actBody,
    dryRun: z.boolean().optional().openapi({ description: 'Only says what would be done.' }),
    ratePerSecond: z
      .int()
      .min(1)
      .max(500)
      .optional()
      .openapi({ description: 'Most orders a second; by default 10.' }),
    reason: reasonField,
    customerMessage: customerMessageField,
    actor: actorField,
  })
  .openapi('OrderActs', {
    example: {
      where: { step: 'shipping', olderThan: '30m' },
      act: { kind: 'resolve', action: 'retry' },
      reason: 'The carrier is back',
    },
  });

export type BulkBody = z.output<typeof bulkBody>;

const refusals = z.array(z.object({ orderId: z.string(), reason: z.string() }));
const exampleId = '8c9b9b3e-2f0a-4a8e-9a56-0c1d2e3f4a5b';

export const bulkProgressBody = z
  .object({
    actId: z.string(),
    act: z.enum(['resolve', 'cancel', 'approve', 'extend']),
    status: z.enum(['running', 'cancelling', 'cancelled', 'completed']),
    accepted: z.int().openapi({ description: 'Orders that took the act.' }),
    refused: z.int().openapi({ description: 'Orders that did not; `refusals` says why.' }),
    gone: z.int().openapi({ description: 'Had ended by then, or never were.' }),
    unanswered: z.int().openapi({ description: 'No worker took the act in time; it may still take effect.' }),
    refusals: refusals.openapi({ description: 'Of those refused or unanswered, the first 100.' }),
    startedAtUtc: z.string().optional(),
    updatedAtUtc: z.string().optional(),
    links: z.object({ self: z.string() }),
  })
  .openapi('OrderActProgress', {
    example: {
      actId: exampleId,
      act: 'resolve',
      status: 'completed',
      accepted: 37,
      refused: 0,
      gone: 1,
      unanswered: 0,
      refusals: [],
      links: { self: `/order-acts/${exampleId}` },
    },
  });

export const bulkDryRunBody = z
  .object({
    dryRun: z.literal(true),
    count: z.int().openapi({ description: 'Open orders that match now.' }),
    orders: z.array(orderBody).openapi({ description: 'The newest of them, at most 20.' }),
    checked: z
      .int()
      .openapi({ description: 'How many of those were asked whether they would take the act.' }),
    refused: refusals.openapi({ description: 'Those that would not, and why.' }),
  })
  .openapi('OrderActDryRun', { example: { dryRun: true, count: 0, orders: [], checked: 0, refused: [] } });
