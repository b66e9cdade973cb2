import { z } from 'zod';
import { webhookDestination } from '../domain/destinations.ts';
import { eventTypes, type EventType } from '../domain/events.ts';
import { orderId } from '../domain/ids.ts';
import {
  isWebhookEndpointId,
  webhookDeliveryType,
  webhookIdOf,
  type WebhookEndpointId,
} from '../domain/webhooks.ts';
import type { OutboxMessage } from '../ports/store/messages.ts';

/** What a delivery needs to know of an event; everything else of it is passed on as it is. */
const eventSchema = z.looseObject({
  eventId: z.uuid(),
  eventType: z.string().min(1).max(255),
  occurredAtUtc: z.iso.datetime(),
});

const deliverySchema = z.strictObject({
  endpointId: z.custom<WebhookEndpointId>(
    (value) => typeof value === 'string' && isWebhookEndpointId(value),
    'expected we_ and 32 hexadecimal digits',
  ),
  event: eventSchema,
});

export type WebhookEvent = z.infer<typeof eventSchema>;

/**
 * Body of a `webhook.delivery.v1` message: one event for one endpoint. The address and the secrets are not in it: they
 * are read when it is delivered, so that a replay goes to the endpoint's address of that day.
 */
export type WebhookDelivery = z.infer<typeof deliverySchema>;

type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string };

export const parseWebhookDelivery = (body: unknown): Parsed<WebhookDelivery> => parsed(deliverySchema, body);

/** An event of a type that endpoints can subscribe to. */
export function parseWebhookEvent(
  body: unknown,
): Parsed<WebhookEvent & { eventType: EventType }> | { ok: false; reason: string; isUnknownType: true } {
  const event = parsed(eventSchema, body);
  if (!event.ok) return event;
  const known: readonly string[] = eventTypes;
  if (known.includes(event.value.eventType))
    return { ok: true, value: event.value as WebhookEvent & { eventType: EventType } };
  return {
    ok: false,
    isUnknownType: true,
    reason: `eventType: "${event.value.eventType}" is not known here`,
  };
}

/** The message that takes an event to one endpoint; its id is the `webhook-id`, the same whenever it is made again. */
export function webhookDeliveryMessage(input: {
  endpointId: WebhookEndpointId;
  event: WebhookEvent;
  /** The order, or whatever stands for it where the event belongs to none. */
  subject: string;
  traceparent: string;
}): OutboxMessage {
  const { endpointId, event, subject, traceparent } = input;
  const delivery: WebhookDelivery = { endpointId, event };
  return {
    id: webhookIdOf({ eventId: event.eventId, endpointId }),
    occurredAtUtc: event.occurredAtUtc,
    type: webhookDeliveryType,
    payload: JSON.stringify(delivery),
    destination: webhookDestination,
    orderId: orderId(subject),
    sequence: 0,
    traceparent,
  };
}

function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown): Parsed<z.output<Schema>> {
  const result = schema.safeParse(body);
  if (result.success) return { ok: true, value: result.data };
  const [issue] = result.error.issues;
  return { ok: false, reason: `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'does not fit'}` };
}
