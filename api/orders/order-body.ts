import { z } from '@hono/zod-openapi';
import type { OrderId } from '../../domain/ids.ts';
import {
  orderStatuses,
  resolveActions,
  sagaStates,
  stepNames,
  type OrderView,
  actStates,
  type ActView,
} from '../../domain/order.ts';
import { providerNames } from '../../domain/providers.ts';
import { closedRunActivity } from '../../domain/recovery.ts';
import { moneyBody, moneyField } from '../http/fields.ts';
import { moneyNowBody } from '../refunds/money-now-body.ts';
import { owedBody } from '../refunds/owed-body.ts';
import { retryingBody } from './retrying-body.ts';
import { isLost } from '../../domain/lost-run.ts';
import type { OrderSummary } from '../../ports/temporal.ts';

/** Where an order's other addresses are, relative to the API. */
export const linksOf = (orderId: OrderId) => ({
  self: `/orders/${orderId}`,
  events: `/orders/${orderId}/events`,
  audit: `/orders/${orderId}/audit`,
  why: `/orders/${orderId}/why`,
  cancel: `/orders/${orderId}/cancel`,
  payment: `/orders/${orderId}/payment`,
  shippingAddress: `/orders/${orderId}/shipping-address`,
});

const exampleId = '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11' as OrderId;

export const linksBody = z
  .object({
    self: z.string(),
    events: z.string(),
    audit: z.string(),
    why: z.string(),
    cancel: z.string(),
    payment: z.string(),
    shippingAddress: z.string(),
  })
  .openapi('OrderLinks', { example: linksOf(exampleId) });

const timestamp = z.string().openapi({ format: 'date-time', example: '2026-01-02T03:04:05.678Z' });
const status = z.enum(orderStatuses).openapi('OrderStatus', { example: 'payment_processed' });
const sagaState = z.enum(sagaStates).openapi('SagaState', { example: 'running' });

export const orderBody = z
  .object({
    orderId: z.string().openapi({ format: 'uuid', example: exampleId }),
    status,
    sagaState,
    customerId: z.string().optional().openapi({
      description: 'Absent only for an order of an early release while Temporal alone knows it.',
    }),
    source: z.enum(['workflow', 'store', 'temporal']).openapi({
      description:
        'Who answered: the order’s workflow (now), the SQL store (as of updatedAtUtc), or Temporal itself, which knows ' +
        'the status but not the details.',
      example: 'workflow',
    }),
    step: z.enum(stepNames).optional().openapi({ description: 'Step that runs, waits or ended the order.' }),
    items: z.array(z.object({ productId: z.string(), quantity: z.int() })).optional(),
    total: moneyField.optional().openapi({ description: 'Absent until the order has been priced.' }),
    hold: z
      .object({
        status,
        failureType: z.string(),
        reason: z.string(),
        sinceUtc: timestamp,
        untilUtc: timestamp,
        nextAction: z
          .object({
            type: z.string(),
            clientSecret: z.string().optional(),
            redirectUrl: z.string().optional(),
          })
          .optional(),
      })
      .optional()
      .openapi({ description: 'The order waits for a person until untilUtc.' }),
    parked: z
      .object({
        step: z.string(),
        activity: z.string().optional(),
        failure: z.string().optional(),
        failureType: z.string().optional(),
        budgets: z.int().optional().openapi({ description: 'Whole retry windows that were used up.' }),
        attempts: z.int().optional().openapi({ description: 'Attempts in these, as far as they are known.' }),
        sinceUtc: timestamp.optional(),
        actions: z
          .array(z.enum(resolveActions))
          .optional()
          .openapi({ description: 'What `resolve` accepts now.' }),
        needs: z
          .partialRecord(z.enum(resolveActions), z.string())
          .optional()
          .openapi({ description: 'The field that an action needs, for example `input.service`.' }),
      })
      .optional()
      .openapi({
        description: 'A step that failed beyond its retry window waits for an operator’s resolve.',
      }),
    shipping: moneyField.optional().openapi({
      description: 'What of the total is for shipping, the rest is for the items; absent where it is free.',
    }),
    waitingFor: z
      .object({
        provider: z.enum(providerNames),
        state: z.enum(['paused', 'circuit-open', 'key-refused']),
        sinceUtc: timestamp,
        reason: z.string(),
      })
      .optional()
      .openapi({
        description: 'The present step’s provider takes no steps now; the order goes on by itself.',
      }),
    retrying: retryingBody.optional(),
    failure: z.object({ type: z.string(), reason: z.string().optional() }).optional(),
    cancelRequested: z.object({ actor: z.string(), reason: z.string() }).optional(),
    shipment: z
      .object({ carrier: z.string(), service: z.string(), trackingCode: z.string(), labelUrl: z.string() })
      .optional(),
    owed: z
      .array(owedBody)
      .optional()
      .openapi({
        description:
          'What the customer still has to get from the order, and what is to be done; absent where that is nothing, and ' +
          'while the store does not answer.',
      }),
    money: moneyNowBody.optional().openapi({
      description:
        'What may be done with the order’s money now; absent where the store does not answer, in lists and after acts.',
    }),
    act: z
      .object({ id: z.string(), name: z.string(), state: z.enum(actStates), reason: z.string().optional() })
      .optional()
      .openapi({
        description:
          'In the answer to an act: its id and what has come of it: `pending` until SQL has it, `accepted` until it has ' +
          'its effect, `done`, `overtaken` by another act, or `refused` with the reason.',
      }),
    pending: z
      .array(z.string())
      .optional()
      .openapi({ description: 'Acts that wait until SQL answers, by name: they may yet be refused.' }),
    startedAtUtc: timestamp.optional(),
    updatedAtUtc: timestamp.optional(),
    links: linksBody,
  })
  .openapi('Order', {
    example: {
      orderId: exampleId,
      status: 'payment_processed',
      sagaState: 'running',
      customerId: 'customer-42',
      source: 'workflow',
      step: 'fulfillment',
      items: [{ productId: 'keyboard', quantity: 2 }],
      total: { amount: '1499.00', currency: 'INR' },
      updatedAtUtc: '2026-01-02T03:04:05.678Z',
      links: linksOf(exampleId),
    },
  });

export type OrderBody = z.infer<typeof orderBody>;

/**
 * The whole order, from its workflow or from SQL. Field by field, so that nothing a later version adds to the view
 * leaves the house by itself.
 */
/** What has come of an act, without what tells its request from another. */
export const actBody = ({ actId: id, name, state, reason }: ActView): NonNullable<OrderBody['act']> => ({
  id,
  name,
  state,
  ...(reason === undefined ? {} : { reason }),
});

export function fromView(view: OrderView, source: 'workflow' | 'store'): OrderBody {
  const { orderId, status: orderStatus, sagaState: state, customerId, step, items, updatedAtUtc } = view;
  const { total, shipping, hold, parked, waitingFor, failure, cancelRequested, shipment, pending } = view;
  return {
    orderId,
    status: orderStatus,
    sagaState: state,
    customerId,
    source,
    step,
    items,
    ...(total ? { total: moneyBody(total) } : {}),
    ...(shipping ? { shipping: moneyBody(shipping) } : {}),
    ...(hold ? { hold } : {}),
    ...(parked ? { parked } : {}),
    ...(waitingFor ? { waitingFor } : {}),
    ...(failure ? { failure } : {}),
    ...(cancelRequested ? { cancelRequested } : {}),
    ...(shipment ? { shipment } : {}),
    ...(pending ? { pending } : {}),
    updatedAtUtc,
    links: linksOf(orderId),
  };
}

/** What Temporal alone knows of an order: no worker and no store needed. */
export function fromSummary(summary: OrderSummary): OrderBody {
  const {
    orderId,
    memo,
    status: orderStatus,
    sagaState: state,
    parkedStep,
    failureType,
    startedAtUtc,
  } = summary;
  const lostRun = isLost(summary) ? runLost(summary) : undefined;
  return {
    orderId,
    status: orderStatus,
    sagaState: lostRun ? 'parked' : state,
    ...(memo.customerId === undefined ? {} : { customerId: memo.customerId }),
    source: 'temporal',
    ...(lostRun ? { parked: lostRun } : parkedStep ? { parked: { step: parkedStep } } : {}),
    ...(failureType ? { failure: { type: failureType } } : {}),
    startedAtUtc,
    links: linksOf(orderId),
  };
}

/** Nothing moves such an order until an operator restarts or compensates it, or another run of it has been started. */
const runLost = ({ parkedStep, closedAs }: OrderSummary) => ({
  step: parkedStep ?? 'receive',
  activity: closedRunActivity,
  failure: `Temporal closed this run (${closedAs}) before the order had ended`,
  actions: [],
});
