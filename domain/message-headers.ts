/**
 * Headers of messages, made in this one place. What travels with every message: `order-id`, `event-type`, `source`,
 * `traceparent` (W3C Trace Context). What a failure adds, on the way through delay queues and in a dead letter: the rest.
 */
export const messageHeaders = {
  orderId: 'order-id',
  eventType: 'event-type',
  source: 'source',
  traceparent: 'traceparent',
  /**
   * Number of the attempt that this delivery is, from 1. Our own count: the broker's `x-death` loses its count when a
   * client publishes a message again. Believed only on a message that was sent to this queue alone and says so in
   * `x-origin-queue`: anybody may publish a header.
   */
  attempt: 'x-attempt',
  /** Why the last attempt failed: a short word, the same for the same kind of failure. */
  reason: 'x-reason',
  /** What the last attempt said, at most 1,000 characters. */
  error: 'x-error',
  /** ISO 8601, UTC. */
  firstFailedAt: 'x-first-failed-at',
  lastFailedAt: 'x-last-failed-at',
  /** The queue whose consumer failed: where a retry or replay goes. */
  originQueue: 'x-origin-queue',
  /** How the message first reached the origin queue; an empty exchange is the default one. */
  originalExchange: 'x-original-exchange',
  originalRoutingKey: 'x-original-routing-key',
  /** On a replay: message id of the dead letter it was made of. */
  replayOf: 'x-replay-of',
  /** True when the message's own headers left no room for these and were dropped. */
  headersDropped: 'x-headers-dropped',
} as const;
