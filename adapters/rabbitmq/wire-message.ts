import type { ConsumeMessage, Options } from 'amqplib';
import { deadLetterQueueOf, parseDestination } from '../../domain/destinations.ts';
import type { Delivery } from '../../ports/broker.ts';
import type { OutboxMessage } from '../../ports/store.ts';

/** A message as the broker takes it. */
export interface WireMessage {
  exchange: string;
  routingKey: string;
  content: Buffer;
  properties: Options.Publish;
}

const errorHeaderLength = 1_000;

/**
 * AMQP properties carry the facts of the body, so that consumers and people can read them without parsing it.
 * Undefined when the destination is neither an exchange nor a queue.
 */
export function wireMessageOf(message: OutboxMessage): WireMessage | undefined {
  const destination = parseDestination(message.destination);
  if (destination === undefined) return undefined;
  const toQueue = destination.kind === 'queue';
  return {
    exchange: toQueue ? '' : destination.name,
    routingKey: toQueue ? destination.name : message.type,
    content: Buffer.from(message.payload),
    properties: {
      messageId: message.id,
      type: message.type,
      correlationId: message.orderId,
      timestamp: Math.floor(Date.parse(message.occurredAtUtc) / 1_000),
      contentType: 'application/json',
      persistent: true,
      ...(message.priority === undefined ? {} : { priority: message.priority }),
      headers: {
        'event-type': message.type,
        source: 'order-saga',
        'order-id': message.orderId,
        ...(message.traceparent === '' ? {} : { traceparent: message.traceparent }),
      },
    },
  };
}

/** What a consumer sees. The body is decoded strictly: a broken character is a parse error, never a replacement. */
export function deliveryOf(queue: string, message: ConsumeMessage): Delivery {
  const { properties, content, fields } = message;
  const headers = properties.headers ?? {};
  return {
    messageId: textOf(properties.messageId),
    type: textOf(properties.type ?? headers['event-type']),
    ...parsed(content),
    headers,
    redelivered: fields.redelivered,
    queue,
    content,
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function parsed(content: Buffer): { body: unknown; parseError?: string } {
  try {
    return { body: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content)) as unknown };
  } catch (error) {
    return { body: undefined, parseError: (error as Error).message };
  }
}

/** Why and when a delivery became a dead letter. */
export interface DeadLetterFacts {
  queue: string;
  reason: string;
  error: string;
  failedAtUtc: string;
}

/**
 * The delivery as its dead letter: content and properties as they came, and headers that say where it failed, why and
 * when. `x-attempt` is our own count (1 when the message has none): the broker's `x-death` cannot be relied on.
 */
export function deadLetterOf(message: ConsumeMessage, facts: DeadLetterFacts): WireMessage {
  const { headers = {}, ...properties } = message.properties;
  return {
    exchange: '',
    routingKey: deadLetterQueueOf(facts.queue),
    content: message.content,
    properties: {
      ...definedOnly(properties),
      persistent: true,
      headers: { ...carriedHeaders(headers), ...failureHeaders(message, facts) },
    },
  };
}

/** The same without the headers it came with, for a message whose headers leave no room for ours (64 KiB in all). */
export function bareDeadLetterOf(message: ConsumeMessage, facts: DeadLetterFacts): WireMessage {
  const full = deadLetterOf(message, facts);
  const headers = { ...failureHeaders(message, facts), 'x-headers-dropped': true };
  return { ...full, properties: { ...full.properties, headers } };
}

function failureHeaders(message: ConsumeMessage, facts: DeadLetterFacts): Record<string, unknown> {
  const headers = message.properties.headers ?? {};
  return {
    'x-reason': facts.reason,
    'x-error': facts.error.slice(0, errorHeaderLength),
    'x-attempt': Number.isSafeInteger(headers['x-attempt']) ? headers['x-attempt'] : 1,
    'x-first-failed-at': textOf(headers['x-first-failed-at']) || facts.failedAtUtc,
    'x-failed-at': facts.failedAtUtc,
    'x-origin-queue': facts.queue,
    'x-origin-exchange': message.fields.exchange,
    'x-origin-routing-key': message.fields.routingKey,
  };
}

/** CC and BCC would make the broker send copies elsewhere. */
function carriedHeaders(headers: Record<string, unknown>): Record<string, unknown> {
  const { CC: _cc, BCC: _bcc, ...carried } = headers;
  return carried;
}

/** Without the message's own expiry (a dead letter waits for a person) and user id (the broker checks it against ours). */
function definedOnly(properties: Record<string, unknown>): Options.Publish {
  const { expiration: _expiration, userId: _userId, deliveryMode: _mode, ...kept } = properties;
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
}
