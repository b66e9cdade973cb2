import { deadLetterQueueOf, delayQueueOf, eventsExchange } from '../domain/destinations.ts';
import { eventTypes, type EventType } from '../domain/events.ts';
import type { QueueDeclaration, Topology } from '../ports/broker.ts';

const SECOND = 1_000;

/** Where dead letters are routed; direct, the routing key is the dead-letter queue's name. */
export const deadLetterExchange = 'dlx';

/** Pauses before the second, third and fourth attempt, milliseconds. */
export const retryDelaysMs: readonly number[] = [5 * SECOND, 25 * SECOND, 125 * SECOND];

/** A consumer that dies with a message over and over gives it up after so many deliveries. */
const deliveryLimit = 20;

/**
 * The dead-letter queue of `queue`, bound by its own name. Classic: reading it and putting back never uses up a
 * delivery limit, which newer brokers give every quorum queue.
 */
export function deadLetterParts(queue: string): Topology {
  const name = deadLetterQueueOf(queue);
  return {
    exchanges: [],
    queues: [{ name, kind: 'classic', durable: true }],
    bindings: [{ queue: name, exchange: deadLetterExchange, routingKey: name }],
  };
}

/**
 * Delay queues of `queue`, one per delay, since a queue expires at its head only. They give each message back to
 * `queue` by name (the default exchange and an explicit routing key) and drop none before the queue has it.
 */
export function delayParts(queue: string, delaysMs: readonly number[]): Topology {
  const queues = [...new Set(delaysMs)].map((delayMs): QueueDeclaration => ({
    name: delayQueueOf(queue, delayMs),
    kind: 'quorum',
    durable: true,
    messageTtlMs: delayMs,
    // At-least-once dead-lettering works with reject-publish only.
    overflow: 'reject-publish',
    deliveryLimit,
    deadLetter: { exchange: '', routingKey: queue, strategy: 'at-least-once' },
  }));
  return { exchanges: [], queues, bindings: [] };
}

/** One subscription: its quorum queue bound to its events and to no others, its dead letters, its delays unless `ordered`. */
export function subscriptionParts(input: {
  queue: string;
  events: readonly EventType[];
  ordered: boolean;
  delaysMs: readonly number[];
}): Topology {
  const { queue, events, ordered, delaysMs } = input;
  const own: QueueDeclaration = {
    name: queue,
    kind: 'quorum',
    durable: true,
    deliveryLimit,
    overflow: 'reject-publish',
    deadLetter: {
      exchange: deadLetterExchange,
      routingKey: deadLetterQueueOf(queue),
      strategy: 'at-least-once',
    },
    ...(ordered ? { singleActiveConsumer: true } : {}),
  };
  const bind = (routingKey: string) => ({ queue, exchange: eventsExchange, routingKey });
  const dropped = eventTypes.filter((type) => !events.includes(type));
  const parts = [deadLetterParts(queue), ordered ? noParts : delayParts(queue, delaysMs)];
  return {
    ...joinParts([...parts, { exchanges: [], queues: [own], bindings: events.map(bind) }]),
    unbindings: dropped.map(bind),
  };
}

const noParts: Topology = { exchanges: [], queues: [], bindings: [] };

/** Everything of several parts, in their order. */
export const joinParts = (parts: readonly Topology[]): Topology => ({
  exchanges: parts.flatMap(({ exchanges }) => exchanges),
  queues: parts.flatMap(({ queues }) => queues),
  bindings: parts.flatMap(({ bindings }) => bindings),
});
