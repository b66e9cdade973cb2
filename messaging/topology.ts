import { deadLetterQueueOf, emailQueue, eventsExchange, webhookQueue } from '../domain/destinations.ts';
import { eventTypes } from '../domain/events.ts';
import type { Topology } from '../ports/broker.ts';
import { emailTtlMs } from './email-consumer.ts';
import { deadLetterExchange, deadLetterParts } from './queue-parts.ts';

const HOUR_MS = 3_600_000;

/** Takes events that no queue is bound for. */
const unroutedExchange = 'unrouted.exchange';
/** The newest events without a subscriber; bounded, so that it never fills a disk. */
export const unroutedQueue = 'unrouted.q';

/**
 * Everything the product declares at the broker. Other arguments for a queue that exists close the channel
 * (PRECONDITION_FAILED): such a change needs a new queue name or a migration.
 *
 * Each queue that dead-letters names its routing key: without one a dead letter keeps the key it came with, and a
 * direct exchange drops it without a word.
 */
export const topology: Topology = {
  exchanges: [
    { name: unroutedExchange, type: 'fanout' },
    { name: eventsExchange, type: 'topic', alternateExchange: unroutedExchange },
    { name: deadLetterExchange, type: 'direct' },
  ],
  queues: [
    { name: unroutedQueue, kind: 'classic', durable: true, maxLength: 10_000, overflow: 'drop-head' },
    ...deadLetterParts(emailQueue).queues,
    {
      // Priorities exist on classic queues only.
      name: emailQueue,
      kind: 'classic',
      durable: true,
      maxPriority: 10,
      messageTtlMs: emailTtlMs,
      deadLetter: { exchange: deadLetterExchange, routingKey: deadLetterQueueOf(emailQueue) },
    },
    ...deadLetterParts(webhookQueue).queues,
    {
      // Classic: a consumer that pauses while SQL is away gives messages back, and that uses up no delivery limit.
      name: webhookQueue,
      kind: 'classic',
      durable: true,
      messageTtlMs: HOUR_MS,
      deadLetter: { exchange: deadLetterExchange, routingKey: deadLetterQueueOf(webhookQueue) },
    },
  ],
  bindings: [
    { queue: unroutedQueue, exchange: unroutedExchange, routingKey: '' },
    ...deadLetterParts(emailQueue).bindings,
    ...deadLetterParts(webhookQueue).bindings,
    ...eventTypes.map((type) => ({ queue: webhookQueue, exchange: eventsExchange, routingKey: type })),
  ],
};
