import type { ConsumeMessage } from 'amqplib';
import { messageHeaders as names } from '../../domain/message-headers.ts';

const maximumAttempt = 1_000;

/**
 * Which attempt this delivery is. The header counts only where our own retry set it: on a message that came to this
 * queue alone, through the default exchange, and names it as its origin. A forged or broken count is attempt 1.
 */
export function attemptOf(queue: string, message: ConsumeMessage): number {
  const attempt: unknown = message.properties.headers?.[names.attempt];
  const isCount = typeof attempt === 'number' && Number.isInteger(attempt) && attempt >= 1;
  return isCount && isRetry(queue, message) ? Math.min(attempt, maximumAttempt) : 1;
}

/** Exchange and routing key by which the message first reached the queue. */
export function firstRouteOf(
  queue: string,
  message: ConsumeMessage,
): { exchange: string; routingKey: string } {
  const headers = message.properties.headers ?? {};
  const { exchange, routingKey } = message.fields;
  const original = headers[names.originalExchange];
  if (!isRetry(queue, message) || typeof original !== 'string') return { exchange, routingKey };
  return { exchange: original, routingKey: textOf(headers[names.originalRoutingKey]) };
}

const isRetry = (queue: string, { fields, properties }: ConsumeMessage): boolean =>
  fields.exchange === '' && properties.headers?.[names.originQueue] === queue;

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
