import { z } from 'zod';
import type { EventType } from '../../domain/events.ts';
import { businessFailures } from '../../domain/failures.ts';
import { moneyActs } from '../../domain/money-act.ts';
import { heldStatuses, stepNames, type HeldStatus } from '../../domain/order.ts';
import { utcTime, type EventContract } from './event-contract.ts';

/* Closed since the first version: a hold of a further kind has an event of its own (`order.approval_requested.v1`,
   `order.shipping_suspended.v1`). */
const heldInV1 = [
  'payment_failed',
  'payment_action_required',
  'address_rejected',
] as const satisfies readonly HeldStatus[];

/** Open lists: a new value breaks no contract, so consumers need a branch for one they do not know. */
const failureType = z
  .string()
  .meta({ description: 'Business failure. Open list.', examples: Object.keys(businessFailures) });
const heldStatus = z
  .string()
  .meta({ description: 'What it waits for. Open list.', examples: [...heldStatuses] });
const step = z.string().meta({ description: 'Step of the saga. Open list.', examples: [...stepNames] });

const reason = z
  .string()
  .describe('One sentence for people, in words for outsiders: nobody’s own reason and no provider’s error.');
/** As subscribers get it, see `messaging/outside-message.ts`. */
const actorText = 'a part of the machinery such as `customer` or `temporal`, or `person`.';
const paymentId = z.string().min(1).describe("The payment provider's id of the payment.");
const refundId = z.string().min(1).describe("The payment provider's id of the refund.");
const disputeId = z.string().min(1).describe("The payment provider's id of the dispute.");
const bankReason = z
  .string()
  .meta({ description: "The bank's reason. Open list.", examples: ['fraudulent', 'product_not_received'] });
const refundedBefore = z
  .number()
  .min(0)
  .optional()
  .describe('Decimal in `currency`: what of the charge had been refunded by then.');
const moneyAct = z
  .string()
  .optional()
  .meta({
    description:
      'What may be done with the order’s money then: cancel the order, refund it, ask for a return, wait for the bank, or nothing. Open list.',
    examples: [...moneyActs],
  });
const shipmentId = z.string().min(1).describe("The carrier's id of the shipment.");
const fulfillmentId = z.string().min(1).describe('The fulfillment.');
const carrier = z.string().min(1).describe('Name of the carrier.');
const trackingCode = z.string().min(1).describe("The carrier's tracking code.");

const examplePayment = 'pi_3PqExample';
const exampleRefund = 're_3PqExample';
const exampleDispute = 'du_1PqExample';
const exampleShipment = 'shp_5b1cExample';
const exampleFulfillment = '8c7a3f64-5d0f-4a39-9a4e-93b5f1f0a111';
const declined = { failureType: 'CardDeclined', reason: 'The payment was declined.' };

/**
 * Every event type's contract: the one source of `schemas/`, of the types in `domain/event-payloads.ts`, of
 * `docs/messages.md` and `docs/asyncapi.yaml`. After a change: `npm run generate`.
 */
export const eventContracts = {
  'order.created.v1': {
    summary: 'An order was accepted and, where its products are known, priced.',
    details: {},
    example: {},
  },
  'inventory.reserved.v1': {
    summary: "Stock of all the order's items is reserved.",
    details: {},
    example: {},
  },
  'inventory.released.v1': {
    summary: 'Reserved stock was given back, because the order does not ship.',
    details: {},
    example: {},
  },
  'payment.processed.v1': {
    summary: 'The order was charged.',
    details: { paymentId },
    example: { paymentId: examplePayment },
  },
  'payment.failed.v1': {
    summary: 'A payment was declined, or never authenticated; the order is held or ends.',
    details: { failureType, reason },
    example: declined,
  },
  'payment.refunded.v1': {
    summary:
      'The charge or a part of it was given back: the order does not ship, or an operator refunded it, at any time.',
    details: {
      paymentId,
      refundId,
      refundedAmount: z.number().min(0).describe('Decimal in `currency`.'),
    },
    example: {
      paymentId: examplePayment,
      refundId: exampleRefund,
      refundedAmount: 500,
    },
  },
  'refund.owed.v1': {
    summary:
      "The order was taken back while the customer's bank disputed the charge: the refund is owed, and settled when the dispute is over.",
    details: {
      paymentId,
      refundId: z.string().min(1).describe('Ours: the provider has not taken it yet.'),
      amount: z.number().min(0).describe('Decimal in `currency`.'),
      disputeId: disputeId.nullable(),
      respondByUtc: utcTime
        .nullable()
        .describe('Until when the bank can be answered, UTC; null where nobody says so.'),
    },
    example: {
      paymentId: examplePayment,
      refundId: 'compensation-1',
      amount: 1499,
      disputeId: exampleDispute,
      respondByUtc: '2026-01-09T03:04:05.000Z',
    },
  },
  'refund.failed.v1': {
    summary:
      "A refund did not go back, or came back from the customer's bank days later; it can be tried again.",
    details: {
      paymentId,
      refundId: z
        .string()
        .min(1)
        .describe("The payment provider's id of the refund; ours where it never took it."),
      amount: z.number().min(0).describe('Decimal in `currency`.'),
      reason,
      owed: z
        .number()
        .min(0)
        .optional()
        .describe(
          'Decimal in `currency`: what the order owes its customer now; 0 where the money went back in another way.',
        ),
      moneyAct,
    },
    example: {
      paymentId: examplePayment,
      refundId: exampleRefund,
      amount: 500,
      reason: 'The refund did not reach the customer.',
      owed: 500,
      moneyAct: 'refund',
    },
  },
  'payment.disputed.v1': {
    summary:
      "The customer's bank disputes the charge, or its inquiry has become a dispute; refunds are held meanwhile.",
    details: {
      paymentId,
      disputeId,
      disputedAmount: z.number().min(0).describe('Decimal in `currency`.'),
      reason: bankReason,
      refundable: z.boolean().describe('Whether the charge can still be refunded: the bank only inquires.'),
      refundedAmount: refundedBefore,
      moneyAct,
    },
    example: {
      paymentId: examplePayment,
      disputeId: exampleDispute,
      disputedAmount: 1499,
      reason: 'fraudulent',
      refundable: false,
      refundedAmount: 0,
      moneyAct: 'wait',
    },
  },
  'dispute.closed.v1': {
    summary: 'A dispute was decided. When it was lost, the bank has given the money back to the customer.',
    details: {
      paymentId,
      disputeId,
      disputedAmount: z.number().min(0).describe('Decimal in `currency`.'),
      reason: bankReason,
      outcome: z.string().meta({ description: 'Open list.', examples: ['won', 'lost'] }),
      refundedAmount: refundedBefore,
      inquiry: z
        .boolean()
        .optional()
        .describe('The bank had only asked: it took nothing, and `won` means that it asks no further.'),
      moneyAct,
    },
    example: {
      paymentId: examplePayment,
      disputeId: exampleDispute,
      disputedAmount: 1499,
      reason: 'fraudulent',
      outcome: 'lost',
      refundedAmount: 0,
      inquiry: false,
      moneyAct: 'nothing',
    },
  },
  'fulfillment.created.v1': {
    summary: 'The order may be packed.',
    details: { fulfillmentId },
    example: { fulfillmentId: exampleFulfillment },
  },
  'fulfillment.cancelled.v1': {
    summary: 'The order must not be packed any more.',
    details: { fulfillmentId },
    example: { fulfillmentId: exampleFulfillment },
  },
  'shipment.generated.v1': {
    summary: 'A label was bought; from here on the order ships.',
    details: { shipmentId, carrier, trackingCode },
    example: { shipmentId: exampleShipment, carrier: 'USPS', trackingCode: '9400100000000000000000' },
  },
  'shipment.voided.v1': {
    summary: 'A label was sent back to the carrier.',
    details: { shipmentId },
    example: { shipmentId: exampleShipment },
  },
  'order.held.v1': {
    summary: 'The order waits for a person until a deadline; then it fails.',
    details: {
      status: z.enum(heldInV1).describe('What it waits for.'),
      failureType,
      reason,
      untilUtc: utcTime.describe('The deadline, UTC.'),
    },
    example: { status: 'payment_failed', ...declined, untilUtc: '2026-01-03T03:04:05.678Z' },
  },
  'order.approval_requested.v1': {
    summary:
      'The order waits for an operator to approve it before anything is charged, until a deadline; then it fails.',
    details: { reason, untilUtc: utcTime.describe('The deadline, UTC.') },
    example: {
      reason: 'The order has to be approved before it is charged.',
      untilUtc: '2026-01-03T03:04:05.678Z',
    },
  },
  'order.shipping_suspended.v1': {
    summary:
      'The order is not shipped while its charge is disputed: it waits for the dispute until a deadline; then it fails.',
    details: { reason, untilUtc: utcTime.describe('The deadline, UTC.') },
    example: {
      reason: 'The customer’s bank disputes the payment.',
      untilUtc: '2026-01-09T03:04:05.678Z',
    },
  },
  'order.hold_reminded.v1': {
    summary: 'The order still waits for a person, and a good part of the time until its deadline has passed.',
    details: {
      status: heldStatus,
      failureType,
      reason,
      sinceUtc: utcTime.describe('Since when it waits, UTC.'),
      untilUtc: utcTime.describe('The deadline, UTC.'),
    },
    example: {
      status: 'payment_failed',
      ...declined,
      sinceUtc: '2026-01-02T03:04:05.678Z',
      untilUtc: '2026-01-03T03:04:05.678Z',
    },
  },
  'order.hold_extended.v1': {
    summary: 'The order waits for a person longer than was said before.',
    details: {
      status: heldStatus,
      actor: z.string().min(1).describe(`Who extended it: ${actorText}`),
      reason,
      untilUtc: utcTime.describe('The new deadline, UTC.'),
    },
    example: {
      status: 'payment_failed',
      actor: 'person',
      reason: 'The customer calls back on Monday.',
      untilUtc: '2026-01-05T09:00:00.000Z',
    },
  },
  'order.parked.v1': {
    summary: 'A step failed technically beyond its retry window and waits for an operator.',
    details: {
      step,
      activity: z.string().min(1).describe('The activity that failed: a forward step or a compensation.'),
      failure: z
        .string()
        .describe(
          'The kind of its last failure, such as `ProviderUnavailable`; what was said is in the audit trail.',
        ),
      budgets: z.int().min(0).describe('Whole retry windows that were used up.'),
    },
    example: {
      step: 'shipping',
      activity: 'generateShipment',
      failure: 'ProviderUnavailable',
      budgets: 1,
    },
  },
  'order.completed.v1': { summary: 'The order was shipped and is done.', details: {}, example: {} },
  'order.cancelled.v1': {
    summary: 'The order was canceled before it shipped, and everything was taken back.',
    details: { actor: z.string().min(1).describe(`Who canceled it: ${actorText}`), reason },
    example: { actor: 'person', reason: 'Ordered by mistake.' },
  },
  'order.failed.v1': {
    summary: 'The order ended without shipping, and everything was taken back.',
    details: { failureType, reason },
    example: { failureType: 'OutOfStock', reason: 'Not enough stock of keyboard-mx.' },
  },
} as const satisfies Record<EventType, EventContract>;
