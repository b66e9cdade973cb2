import type { ConsumeMessage, Options } from 'amqplib';
import { deadLetterQueueOf, delayQueueOf } from '../../domain/destinations.ts';
import { messageHeaders as names } from '../../domain/message-headers.ts';
import type { HandlerResult } from '../../ports/broker.ts';
import { attemptOf, firstRouteOf, textOf } from './retry-headers.ts';
import type { WireMessage } from './wire-message.ts';

/** What a handler decided about a delivery it could not finish. */
export type Failure = Extract<HandlerResult, { status: 'retry' | 'dead-letter' }>;

export interface FailureFacts {
  queue: string;
  failure: Failure;
  failedAtUtc: string;
}

const errorHeaderLength = 1_000;
const keptHeaderLength = 256;
const keptHeaders = [names.orderId, names.eventType, names.source, names.traceparent, names.replayOf];

/**
 * The delivery on its way to a delay queue or to the dead-letter queue: content and properties as they came, and
 * headers that say where it failed, why, when and how often.
 */
export function failedMessageOf(message: ConsumeMessage, facts: FailureFacts): WireMessage {
  const { headers = {}, ...properties } = message.properties;
  return {
    exchange: '',
    routingKey: targetOf(facts),
    content: message.content,
    properties: {
      ...passedOn(properties),
      persistent: true,
      headers: { ...carriedHeaders(headers), ...failureHeaders(message, facts) },
    },
  };
}

/** The same with few of its own headers, for a message whose headers leave no room for ours (64 KiB in all). */
export function bareFailedMessageOf(message: ConsumeMessage, facts: FailureFacts): WireMessage {
  const full = failedMessageOf(message, facts);
  const own = message.properties.headers ?? {};
  const short = keptHeaders.map((name) => [name, textOf(own[name])] as const);
  const kept = short.filter(([, value]) => value !== '' && value.length <= keptHeaderLength);
  const headers = {
    ...Object.fromEntries(kept),
    ...failureHeaders(message, facts),
    [names.headersDropped]: true,
  };
  return { ...full, properties: { ...full.properties, headers } };
}

const targetOf = ({ queue, failure }: FailureFacts): string =>
  failure.status === 'retry' ? delayQueueOf(queue, failure.delayMs) : deadLetterQueueOf(queue);

function failureHeaders(message: ConsumeMessage, facts: FailureFacts): Record<string, unknown> {
  const { queue, failure, failedAtUtc } = facts;
  const headers = message.properties.headers ?? {};
  const route = firstRouteOf(queue, message);
  return {
    [names.attempt]: nextCount(attemptOf(queue, message), failure),
    [names.reason]: failure.reason,
    [names.error]: failure.error.slice(0, errorHeaderLength),
    [names.firstFailedAt]: textOf(headers[names.firstFailedAt]).slice(0, keptHeaderLength) || failedAtUtc,
    [names.lastFailedAt]: failedAtUtc,
    [names.originQueue]: queue,
    [names.originalExchange]: route.exchange,
    [names.originalRoutingKey]: route.routingKey,
  };
}

function nextCount(attempt: number, failure: Failure): number {
  if (failure.status === 'retry') return failure.counted === false ? attempt : attempt + 1;
  return failure.attempt ?? attempt;
}

/** CC and BCC would make the broker send copies elsewhere. */
function carriedHeaders(headers: Record<string, unknown>): Record<string, unknown> {
  const { CC: _cc, BCC: _bcc, ...carried } = headers;
  return carried;
}

/** Without the message's own expiry (a dead letter waits for a person) and user id (the broker checks it against ours). */
function passedOn(properties: Record<string, unknown>): Options.Publish {
  const { expiration: _expiration, userId: _userId, deliveryMode: _mode, ...kept } = properties;
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
}
