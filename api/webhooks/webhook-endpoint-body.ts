import { z } from '@hono/zod-openapi';
import { eventTypes } from '../../domain/events.ts';
import type { WebhookAttempt, WebhookEndpoint } from '../../domain/webhooks.ts';
import { oneLine, optionalReasonField, reasonField } from '../http/fields.ts';

const MAX_OVERLAP_SECONDS = 7 * 24 * 3_600;
export const DEFAULT_OVERLAP_SECONDS = 24 * 3_600;

const url = z.string().max(2_048, 'expected at most 2048 characters').openapi({
  format: 'uri',
  description: 'https, without user name and fragment, not a private address.',
  example: 'https://partner.example/hooks/orders',
});
const events = z
  .array(z.enum(eventTypes, 'expected an event type'))
  .min(1, 'expected at least 1 event type')
  .max(eventTypes.length, `expected at most ${eventTypes.length}`)
  .transform((types) => [...new Set(types)].sort());
/* May be empty, unlike the text fields of orders. */
const description = z
  .union([z.literal(''), reasonField])
  .openapi({ type: 'string', maxLength: 500, pattern: oneLine });

const registration = {
  url: 'https://partner.example/hooks/orders',
  events: ['order.completed.v1' as const, 'shipment.generated.v1' as const],
  description: 'Acme fulfillment',
};

export const registrationBody = z
  .strictObject({ url, events, description: description.optional() })
  .openapi('WebhookEndpointRegistration', { example: registration });

export const changeBody = z
  .strictObject({
    url: url.optional(),
    events: events.optional(),
    description: description.optional(),
    state: z.enum(['enabled', 'disabled'], 'expected enabled or disabled').optional(),
    reason: optionalReasonField.openapi({ description: 'Ends up in the audit trail.' }),
  })
  .refine(
    ({ url: to, events: types, description: text, state }) =>
      [to, types, text, state].some((value) => value !== undefined),
    'expected something to change',
  )
  .openapi('WebhookEndpointChange', {
    anyOf: ['url', 'events', 'description', 'state'].map((field) => ({ required: [field] })),
    example: { url: 'https://partner.example/v2/hooks', reason: 'The partner has moved' },
  });

export const rotationBody = z
  .strictObject({
    overlapSeconds: z
      .int('expected a whole number')
      .min(0, 'expected at least 0')
      .max(MAX_OVERLAP_SECONDS, `expected at most ${MAX_OVERLAP_SECONDS}`)
      .optional()
      .openapi({
        description: `How long the former secret signs as well; default ${DEFAULT_OVERLAP_SECONDS} s, 0 for a secret that leaked.`,
      }),
    reason: optionalReasonField,
  })
  .openapi('WebhookSecretRotation', { example: { overlapSeconds: 3_600 } });

const time = z.string().openapi({ format: 'date-time' });

const shown = {
  ...registration,
  endpointId: 'we_0b9d1f6e2a435c1c8e7f6f1f1d6f0a11',
  state: 'enabled' as const,
  secrets: [{ createdAt: '2026-01-02T03:04:05.678Z' }],
  createdAt: '2026-01-02T03:04:05.678Z',
  updatedAt: '2026-01-02T03:04:05.678Z',
};

const fields = {
  endpointId: z.string().openapi({ pattern: '^we_[0-9a-f]{32}$' }),
  url: z.string(),
  events: z.array(z.string()),
  description: z.string(),
  state: z.enum(['enabled', 'disabled']),
  disabledReason: z.string().optional(),
  secrets: z
    .array(z.object({ createdAt: time, expiresAt: time.optional() }))
    .openapi({ description: 'The secrets that sign, newest first; never the secrets themselves.' }),
  createdAt: time,
  updatedAt: time,
};

export const endpointBody = z.object(fields).openapi('WebhookEndpoint', { example: shown });
export const endpointsBody = z
  .object({ endpoints: z.array(endpointBody) })
  .openapi('WebhookEndpoints', { example: { endpoints: [shown] } });
export const endpointWithSecretBody = z
  .object({
    ...fields,
    secret: z.string().openapi({ description: 'Signs from now on. Shown in this answer and never again.' }),
  })
  .openapi('WebhookEndpointWithSecret', {
    example: { ...shown, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
  });

export const testBody = z
  .object({ webhookId: z.string().openapi({ description: 'The webhook-id that the delivery carries.' }) })
  .openapi('WebhookTest', {
    example: {
      webhookId: '4b7c1f0e-6d2a-4e57-9f2b-0d5e6a1c2b7d_we_0b9d1f6e2a435c1c8e7f6f1f1d6f0a11',
    },
  });

const attempt = {
  webhookId: '4b7c1f0e-6d2a-4e57-9f2b-0d5e6a1c2b7d_we_0b9d1f6e2a435c1c8e7f6f1f1d6f0a11',
  eventId: '4b7c1f0e-6d2a-4e57-9f2b-0d5e6a1c2b7d',
  eventType: 'order.completed.v1',
  attempt: 1,
  attemptedAt: '2026-01-02T03:04:05.678Z',
  durationMs: 84,
  result: 'failed' as const,
  httpStatus: 503,
  reason: 'http-503',
  answer: 'maintenance until noon',
};

export const deliveriesBody = z
  .object({
    deliveries: z.array(
      z.object({
        webhookId: z.string(),
        eventId: z.string(),
        eventType: z.string(),
        attempt: z.int(),
        attemptedAt: time,
        durationMs: z.int(),
        result: z.enum(['delivered', 'failed']),
        httpStatus: z.int().optional().openapi({ description: 'Absent when there was no answer.' }),
        reason: z.string().openapi({ description: 'Why it failed, in one word.' }),
        answer: z.string().openapi({ description: 'First bytes of the answer, or what went wrong.' }),
      }),
    ),
    nextCursor: z.string().optional().openapi({ description: 'Absent on the last page.' }),
  })
  .openapi('WebhookDeliveries', { example: { deliveries: [attempt], nextCursor: '1041' } });

export const toEndpointBody = (endpoint: WebhookEndpoint, signing: WebhookEndpoint['secrets']) => ({
  endpointId: endpoint.endpointId,
  url: endpoint.url,
  events: endpoint.events,
  description: endpoint.description,
  state: endpoint.state,
  ...(endpoint.disabledReason !== '' && { disabledReason: endpoint.disabledReason }),
  secrets: signing.map(({ createdAtUtc, expiresAtUtc }) => ({
    createdAt: createdAtUtc,
    ...(expiresAtUtc !== undefined && { expiresAt: expiresAtUtc }),
  })),
  createdAt: endpoint.createdAtUtc,
  updatedAt: endpoint.updatedAtUtc,
});

export const toDeliveryBody = (row: WebhookAttempt) => ({
  webhookId: row.webhookId,
  eventId: row.eventId,
  eventType: row.eventType,
  attempt: row.attempt,
  attemptedAt: row.attemptedAtUtc,
  durationMs: row.durationMs,
  result: row.result,
  ...(row.httpStatus !== undefined && { httpStatus: row.httpStatus }),
  reason: row.reason,
  answer: row.answer,
});
