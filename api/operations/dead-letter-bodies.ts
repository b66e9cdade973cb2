import { z } from '@hono/zod-openapi';
import type { DeadLetter, DeadLetterSummary } from '../../domain/dead-letters.ts';
import { actorField as actor, reasonField, textField } from '../http/fields.ts';
import { mask, maskText } from '../http/mask.ts';

const MAX_IDS = 1_000;
const MAX_SHOWN = 16_384;

const id = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits');
const time = z.iso
  .datetime('expected an ISO 8601 time in UTC, such as 2026-01-02T03:04:05Z')
  .openapi({ pattern: 'Z$' });
const exampleId = '5f1d7a84db00d2fce00b31a7fc73224f';
const exampleTime = '2026-01-02T03:04:05.678Z';

const queueName = textField(255);
const fingerprint = z.string().regex(/^[0-9a-f]{12}$/, 'expected 12 hexadecimal digits');

const filters = {
  queue: queueName.optional().openapi({ example: 'email-queue' }),
  fingerprint: fingerprint.optional().openapi({ example: '1b4f0e985197' }),
  orderId: textField(64).optional(),
  failedUntil: time.optional().openapi({ description: 'Failed last at this time or before.' }),
};

export const listQuery = z.strictObject({
  ...filters,
  state: z.enum(['open', 'replaying', 'replayed', 'discarded']).optional().openapi({ default: 'open' }),
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'expected a whole number from 1 to 100')
    .optional()
    .openapi({ type: 'integer', minimum: 1, maximum: 100, default: 20, example: 20 }),
  cursor: z.string().max(200).optional().openapi({ description: 'nextCursor of the page before.' }),
});

const summary = z
  .object({
    id,
    queue: z.string().openapi({ description: 'Where it failed and a replay goes; `outbox` never left.' }),
    messageId: z.string(),
    type: z.string(),
    orderId: z.string(),
    traceId: z.string(),
    reason: z.string(),
    error: z.string(),
    fingerprint: z.string().openapi({ description: 'The same for the same kind of failure.' }),
    attempts: z.int(),
    firstFailedAtUtc: z.string(),
    lastFailedAtUtc: z.string(),
    indexedAtUtc: z.string(),
    state: z.enum(['open', 'replaying', 'replayed', 'discarded']),
    replayId: z.string().optional(),
    replayError: z.string().optional(),
    settledAtUtc: z.string().optional(),
  })
  .openapi('DeadLetterSummary');

const exampleSummary = {
  id: exampleId,
  queue: 'email-queue',
  messageId: '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11',
  type: 'email.order-confirmation.v1',
  orderId: '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  reason: 'mail-refused',
  error: '550 5.1.1 <address>: user unknown',
  fingerprint: '1b4f0e985197',
  attempts: 1,
  firstFailedAtUtc: exampleTime,
  lastFailedAtUtc: exampleTime,
  indexedAtUtc: exampleTime,
  state: 'open' as const,
};

export const listBody = z
  .object({
    total: z.int().openapi({ description: 'Open ones that match.' }),
    groups: z.array(
      z.object({
        queue: z.string(),
        fingerprint: z.string(),
        reason: z.string(),
        error: z.string().openapi({ description: 'Error of one of them.' }),
        open: z.int(),
        replaying: z.int(),
        oldestUtc: z.string(),
        newestUtc: z.string(),
        oldestAgeSeconds: z.int(),
      }),
    ),
    messages: z.array(summary).openapi({ description: 'Oldest failure first.' }),
    nextCursor: z.string().optional().openapi({ description: 'Absent on the last page.' }),
  })
  .openapi('DeadLetterList', {
    example: {
      total: 1,
      groups: [
        {
          queue: 'email-queue',
          fingerprint: '1b4f0e985197',
          reason: 'mail-refused',
          error: exampleSummary.error,
          open: 1,
          replaying: 0,
          oldestUtc: exampleTime,
          newestUtc: exampleTime,
          oldestAgeSeconds: 60,
        },
      ],
      messages: [exampleSummary],
    },
  });

export const letterBody = summary
  .extend({
    headers: z.record(z.string(), z.unknown()),
    properties: z.record(z.string(), z.unknown()),
    body: z
      .unknown()
      .openapi({ description: 'As JSON where it is JSON, else as text of at most 16,384 characters.' }),
    size: z.int().openapi({ description: 'Bytes of the body.' }),
  })
  .openapi('DeadLetter', {
    description: 'Secrets and personal data are masked as `***`.',
    example: { ...exampleSummary, headers: {}, properties: { priority: 9 }, body: { to: '***' }, size: 321 },
  });

const patch = z
  .record(z.string(), z.unknown())
  .optional()
  .openapi({ description: 'JSON Merge Patch (RFC 7396) for the body, for example a corrected `url`.' });
const dryRun = z.boolean().optional().openapi({ description: 'Only says what would be done.' });

export const replayOneBody = z
  .strictObject({ reason: reasonField, patch, actor, dryRun })
  .openapi('DeadLetterReplay', {
    example: { reason: 'The partner is back', patch: { url: 'https://new.example' } },
  });

const many = {
  ids: z.array(id).min(1).max(MAX_IDS).optional(),
  ...filters,
  all: z.literal(true).optional().openapi({ description: 'Needed where nothing else narrows the choice.' }),
  reason: reasonField,
  actor,
  dryRun,
  ratePerSecond: z.int().min(1).max(10_000).optional().openapi({ description: 'Most messages a second.' }),
};

/** Nobody takes all of them by leaving something out. */
const narrowed = {
  anyOf: ['ids', ...Object.keys(filters), 'all'].map((field) => ({ required: [field] })),
};

export const replayManyBody = z.strictObject({ ...many, patch }).openapi('DeadLettersReplay', {
  ...narrowed,
  example: { queue: 'email-queue', reason: 'The mail server is mended' },
});

export const discardManyBody = z.strictObject(many).openapi('DeadLettersDiscard', {
  ...narrowed,
  example: { fingerprint: '1b4f0e985197', reason: 'Test data' },
});

export const discardQuery = z.strictObject({ reason: reasonField, actor });

export const progressBody = z
  .object({
    replayId: z.string(),
    act: z.enum(['replay', 'discard']),
    status: z.enum(['accepted', 'running', 'cancelling', 'cancelled', 'completed']),
    settled: z.int().openapi({ description: 'Replayed or discarded.' }),
    left: z
      .int()
      .openapi({ description: 'Could not be and wait as before; `replayError` of each says why.' }),
    toGo: z.int(),
    links: z.object({ self: z.string() }),
  })
  .openapi('DeadLetterProgress', {
    example: {
      replayId: '8c9b9b3e-2f0a-4a8e-9a56-0c1d2e3f4a5b',
      act: 'replay',
      status: 'completed',
      settled: 1,
      left: 0,
      toGo: 0,
      links: { self: '/dead-letters/replays/8c9b9b3e-2f0a-4a8e-9a56-0c1d2e3f4a5b' },
    },
  });

export const dryRunBody = z
  .object({
    dryRun: z.literal(true),
    count: z.int().openapi({ description: 'Open ones that would be taken.' }),
    refused: z
      .array(z.object({ id, reason: z.string() }))
      .openapi({ description: 'Those of the first 100 that the edit does not fit.' }),
  })
  .openapi('DeadLetterDryRun', { example: { dryRun: true, count: 12, refused: [] } });

/** Texts that servers and people wrote may repeat secrets. */
export const summaryOf = (letter: DeadLetterSummary): DeadLetterSummary => ({
  ...letter,
  error: maskText(letter.error),
  ...(letter.replayError === undefined ? {} : { replayError: maskText(letter.replayError) }),
});

export function letterOf({ message, patch: _patch, ...letter }: DeadLetter) {
  return {
    ...summaryOf(letter),
    headers: mask(message.headers),
    properties: mask(message.properties),
    body: bodyOf(message.content),
    size: message.content.length,
  };
}

function bodyOf(content: Uint8Array): unknown {
  const text = new TextDecoder().decode(content);
  try {
    return mask(JSON.parse(text));
  } catch {
    return maskText(text.slice(0, MAX_SHOWN));
  }
}
