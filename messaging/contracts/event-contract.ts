import { z } from 'zod';
import { versionOf } from '../../domain/events.ts';

/** What one event type promises: the source of its JSON Schema, its TypeScript type, its example and its documentation. */
export interface EventContract {
  /** When it is published, in one sentence. */
  summary: string;
  /** Facts of this event type beside the order's. */
  details: Record<string, z.ZodType>;
  /** `details` of an order that might be. */
  example: Record<string, unknown>;
}

const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  .meta({ format: 'uuid' });

/** ISO 8601 in UTC with milliseconds. */
export const utcTime = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  .meta({ format: 'date-time' });

/** What every event says about its order. */
export const orderFacts = {
  orderId: uuid.describe('The order.'),
  customerId: z.string().min(1).max(64).describe("The shop's own customer id; the only personal reference."),
  totalAmount: z
    .number()
    .nullable()
    .describe('Decimal in `currency`; null when the order could not be priced.'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .describe('ISO 4217.'),
  items: z
    .array(
      z.looseObject({
        productId: z.string().min(1).max(64),
        qty: z.int().min(1).max(1_000).describe('Whole units.'),
      }),
    )
    .min(1)
    .describe('What was ordered.'),
};

/**
 * Schema of a whole event. Objects are open: `.v1` may gain fields, and consumers must ignore those they do not know.
 */
export const eventSchemaOf = (eventType: string, contract: EventContract) =>
  z
    .looseObject({
      eventId: uuid.describe('Unique; a duplicate carries the same. The AMQP messageId.'),
      eventType: z.literal(eventType).describe('The AMQP type and the routing key.'),
      occurredAtUtc: utcTime.describe('When it happened, UTC.'),
      payload: z.looseObject({ ...orderFacts, ...contract.details }),
      metadata: z.looseObject({
        traceId: z
          .string()
          .describe("Trace of the order: the caller's where the checkout came with a `traceparent`."),
        correlationId: z.string().min(1).describe('The order id: everything about one order correlates.'),
        causationId: z
          .string()
          .min(1)
          .describe("Id of the order's previous event; the workflow id for the first."),
        producer: z.literal('order-saga'),
        schemaVersion: z.literal(versionOf(eventType)),
        sequence: z
          .int()
          .min(1)
          .describe("Counts the order's events without a gap; tells their order when delivery does not."),
      }),
    })
    .meta({ title: eventType, description: contract.summary });

/** The published JSON Schema (draft 2020-12) of an event type. */
export function jsonSchemaOf(eventType: string, contract: EventContract): JsonSchema {
  const schema = z.toJSONSchema(eventSchemaOf(eventType, contract), {
    target: 'draft-2020-12',
  }) as JsonSchema;
  return {
    $id: `urn:order-saga:${eventType}`,
    ...schema,
    examples: [exampleOf(eventType, contract)],
  };
}

/** The part of JSON Schema that these contracts use. */
export interface JsonSchema {
  $schema?: string;
  $id?: string;
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  format?: string;
  enum?: string[];
  const?: string | number;
  description?: string;
  examples?: unknown[];
  [keyword: string]: unknown;
}

const exampleOrder = '0d1c6c4e-7a54-5a3e-9f0b-2f5f6f0a9b11';

/** A whole event of an order that might be. */
export const exampleOf = (eventType: string, contract: EventContract) => ({
  eventId: '6f1e9a52-3c1b-4a7e-8f66-0f2f6f0c1d2e',
  eventType,
  occurredAtUtc: '2026-01-02T03:04:05.678Z',
  payload: {
    orderId: exampleOrder,
    customerId: 'customer-1',
    totalAmount: 1499,
    currency: 'INR',
    items: [{ productId: 'keyboard-mx', qty: 2 }],
    ...contract.example,
  },
  metadata: {
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    correlationId: exampleOrder,
    causationId: `order-${exampleOrder}`,
    producer: 'order-saga',
    schemaVersion: versionOf(eventType),
    sequence: 1,
  },
});
