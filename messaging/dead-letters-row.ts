import { createHash } from 'node:crypto';
import {
  normalizedError,
  outboxDeadLetters,
  type DeadLetterSummary,
  type KeptMessage,
} from '../domain/dead-letters.ts';
import { messageHeaders as names } from '../domain/message-headers.ts';
import type { NewDeadLetter, QueuedMessage } from '../ports/dead-letters.ts';
import type { SetAsideMessage } from '../ports/store/messages.ts';
import { parseDestination } from '../domain/destinations.ts';

const deathHeaders = /^x-(first-death|last-death|death)/;

const hexOf = (parts: readonly string[], length: number): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, length);

/**
 * Identity of a message in a dead-letter queue, the same at each sweep. Copies of one failed delivery are one: same
 * queue, message id and dead letter that it is a replay of. Messages without an id are one each: `occurrence` counts
 * those that look alike within one sweep.
 */
export function identityOf(message: QueuedMessage, occurrence: (look: string) => number): MessageIdentity {
  const { headers, properties } = message;
  const queue = originOf(message);
  const { messageId } = properties;
  if (messageId !== undefined) {
    const base = hexOf([queue, messageId, textOf(headers[names.replayOf])], 32);
    return { base, isNamed: true, failedAtUtc: statedFailureOf(headers) };
  }
  const body = createHash('sha256').update(message.content).digest('hex');
  const look = hexOf([queue, body, JSON.stringify([properties, headers, message.sentAtUtc])], 64);
  const base = hexOf([look, String(occurrence(look))], 32);
  return { base, isNamed: false, failedAtUtc: statedFailureOf(headers) };
}

export interface MessageIdentity {
  base: string;
  /** Whether the message has an id of its own. */
  isNamed: boolean;
  /** Undefined where the message does not say when it failed. */
  failedAtUtc: string | undefined;
}

/** Id of the nth dead letter of one identity: a settled one that fails once more is another. */
export const nthId = ({ base }: MessageIdentity, n: number): string =>
  n === 0 ? base : hexOf([base, String(n)], 32);

/** The dead letter that a message in a dead-letter queue is. */
export function deadLetterOfMessage(message: QueuedMessage, id: string, nowUtc: string): NewDeadLetter {
  const { headers, properties } = message;
  const queue = originOf(message);
  const death = deathOf(headers);
  const reason = textOf(headers[names.reason]) || death?.reason || 'unknown';
  const error = withoutAddresses(textOf(headers[names.error]) || death?.error || '');
  const lastFailedAtUtc = statedFailureOf(headers) ?? nowUtc;
  return {
    id,
    queue,
    messageId: properties.messageId ?? '',
    type: properties.type ?? textOf(headers[names.eventType]),
    orderId: textOf(headers[names.orderId]),
    traceId: /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(textOf(headers[names.traceparent]))?.[1] ?? '',
    reason,
    error,
    fingerprint: fingerprintOf(reason, error),
    attempts: attemptsOf(headers),
    firstFailedAtUtc: timeOf(headers[names.firstFailedAt]) ?? lastFailedAtUtc,
    lastFailedAtUtc,
    indexedAtUtc: nowUtc,
    message: { content: message.content, properties, headers: withoutDeaths(headers) },
  };
}

/** The dead letter that a set-aside row of the outbox is; setting it aside again makes another one. */
export function deadLetterOfOutbox(row: SetAsideMessage, nowUtc: string): NewDeadLetter {
  const reason = /^(unroutable|refused)/.exec(row.lastError)?.[1] ?? 'not-published';
  const destination = parseDestination(row.destination);
  return {
    id: hexOf([outboxDeadLetters, row.id, row.setAsideAtUtc], 32),
    queue: outboxDeadLetters,
    messageId: row.id,
    type: row.type,
    orderId: row.orderId,
    traceId: row.traceparent.split('-')[1] ?? '',
    reason,
    error: withoutAddresses(row.lastError),
    fingerprint: fingerprintOf(reason, row.lastError),
    attempts: row.attempts,
    firstFailedAtUtc: row.occurredAtUtc,
    lastFailedAtUtc: row.setAsideAtUtc,
    indexedAtUtc: nowUtc,
    message: {
      content: Buffer.from(row.payload),
      properties: {
        messageId: row.id,
        type: row.type,
        correlationId: row.orderId,
        contentType: 'application/json',
        ...(row.priority !== undefined && { priority: row.priority }),
      },
      headers: {
        [names.orderId]: row.orderId,
        [names.eventType]: row.type,
        ...(destination && { destination: `${destination.kind}:${destination.name}` }),
      },
    },
  };
}

/**
 * What a replay of a dead letter publishes: the message as it was, its first attempt again, marked with the dead
 * letter it is made of. It keeps its message id, by which consumers know duplicates.
 */
export function replayOf(
  letter: DeadLetterSummary & { message: KeptMessage },
  content: Uint8Array,
): KeptMessage {
  const dropped = new Set<string>([
    names.reason,
    names.error,
    names.firstFailedAt,
    names.lastFailedAt,
    names.attempt,
  ]);
  const kept = Object.entries(letter.message.headers).filter(([name]) => !dropped.has(name));
  return {
    content,
    properties: letter.message.properties,
    headers: { ...Object.fromEntries(kept), [names.originQueue]: letter.queue, [names.replayOf]: letter.id },
  };
}

const statedFailureOf = (headers: Record<string, unknown>): string | undefined =>
  timeOf(headers[names.lastFailedAt]) ?? deathOf(headers)?.atUtc;

/** The queue it failed in: the one whose dead-letter queue this is. */
const originOf = ({ queue }: QueuedMessage): string => queue.replace(/\.dlq$/, '');

const fingerprintOf = (reason: string, error: string): string => hexOf([reason, normalizedError(error)], 12);

/** Mail addresses are personal data, and servers like to repeat them. */
const withoutAddresses = (error: string): string =>
  error.replace(/[^\s@<>,;"']+@[^\s@<>,;"']+/g, '<address>').slice(0, 1_000);

function attemptsOf(headers: Record<string, unknown>): number {
  const attempt = headers[names.attempt];
  return typeof attempt === 'number' && Number.isInteger(attempt) && attempt >= 1
    ? Math.min(attempt, 1_000)
    : 1;
}

interface Death {
  reason: string;
  error: string;
  atUtc: string;
}

const deathReasons: Record<string, Omit<Death, 'atUtc'>> = {
  expired: { reason: 'expired', error: 'Nobody took it before its time ran out.' },
  delivery_limit: { reason: 'delivery-limit', error: 'Its consumer died or gave it back again and again.' },
  maxlen: { reason: 'queue-full', error: 'The queue was full.' },
  rejected: { reason: 'rejected', error: 'A consumer rejected it without a reason.' },
};

/** The broker's own words for the newest death. Its times have whole seconds: the end of the second is on the safe side of a cutoff. */
function deathOf(headers: Record<string, unknown>): Death | undefined {
  const deaths: unknown = headers['x-death'];
  const newest: unknown = Array.isArray(deaths) ? deaths[0] : undefined;
  if (typeof newest !== 'object' || newest === null) return undefined;
  const { reason, time } = newest as { reason?: unknown; time?: { value?: unknown } };
  const seconds = time?.value;
  if (typeof reason !== 'string' || typeof seconds !== 'number') return undefined;
  const words = deathReasons[reason] ?? { reason: 'rejected', error: `The broker says: ${reason}.` };
  return { ...words, atUtc: new Date(seconds * 1_000 + 999).toISOString() };
}

function withoutDeaths(headers: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !deathHeaders.test(name)));
}

function timeOf(value: unknown): string | undefined {
  const text = textOf(value);
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text) && !Number.isNaN(Date.parse(text))
    ? new Date(text).toISOString()
    : undefined;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
