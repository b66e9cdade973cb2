import type { ConsumeMessage, Options } from 'amqplib';
import { parseDestination } from '../../domain/destinations.ts';
import { messageHeaders } from '../../domain/message-headers.ts';
import type { Delivery } from '../../ports/broker.ts';
import type { OutboxMessage } from '../../ports/store/messages.ts';
import { attemptOf, firstRouteOf, textOf } from './retry-headers.ts';

/** A message as the broker takes it. */
export interface WireMessage {
  exchange: string;
  routingKey: string;
  content: Buffer;
  properties: Options.Publish;
}

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
        [messageHeaders.eventType]: message.type,
        [messageHeaders.source]: 'order-saga',
        [messageHeaders.orderId]: message.orderId,
        ...(message.traceparent === '' ? {} : { [messageHeaders.traceparent]: message.traceparent }),
      },
    },
  };
}

/** What a consumer sees. The body is decoded strictly: a broken character is a parse error, never a replacement. */
export function deliveryOf(queue: string, message: ConsumeMessage, signal: AbortSignal): Delivery {
  const { properties, content, fields } = message;
  const headers = properties.headers ?? {};
  return {
    messageId: textOf(properties.messageId),
    type: textOf(properties.type ?? headers[messageHeaders.eventType]),
    ...parsed(content),
    headers,
    redelivered: fields.redelivered,
    queue,
    content,
    attempt: attemptOf(queue, message),
    ...sentAt(properties.timestamp),
    ...firstRouteOf(queue, message),
    signal,
  };
}

const sentAt = (seconds: unknown): { sentAtUtc?: string } =>
  typeof seconds === 'number' && seconds > 0 && seconds < 1e11
    ? { sentAtUtc: new Date(seconds * 1_000).toISOString() }
    : {};

function parsed(content: Buffer): { body: unknown; parseError?: string } {
  try {
    return { body: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content)) as unknown };
  } catch (error) {
    return { body: undefined, parseError: (error as Error).message };
  }
}
