import type { MetricFactory } from './metric-factory.ts';

const shownBy = ['relay'] as const;
const queue = "the consumers' queues";

/** From the outbox over the broker to whoever consumes. */
export const createMessageMetrics = (define: MetricFactory) => ({
  outboxUnpublished: define.gauge({
    name: 'outbox_unpublished_messages',
    help: 'Outbox rows that are not published yet.',
    shownBy,
  }),
  outboxSetAside: define.gauge({
    name: 'outbox_set_aside_messages',
    help: 'Outbox rows set aside after too many attempts; later messages of their orders wait.',
    shownBy,
  }),
  outboxOldestAge: define.gauge({
    name: 'outbox_oldest_age_seconds',
    help: 'Age of the oldest unpublished outbox row, in seconds; 0 when there is none.',
    shownBy,
  }),
  messagesPublished: define.counter({
    name: 'messages_published_total',
    help: 'Publications from the outbox by result.',
    labels: { result: ['confirmed', 'unroutable', 'refused', 'unavailable'] },
    shownBy,
  }),
  messagePublishDuration: define.histogram({
    name: 'message_publish_duration_seconds',
    help: 'Time from handing a message to the broker until its confirm, in seconds, by result as in messages_published_total.',
    labels: { result: ['confirmed', 'unroutable', 'refused', 'unavailable'] },
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    shownBy,
  }),
  outboxPublishDelay: define.histogram({
    name: 'outbox_publish_delay_seconds',
    help: 'Time from what a message tells of until the broker has confirmed it, in seconds. Goal: 5.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30, 120, 600, 3_600],
    shownBy,
  }),
  messagesConsumed: define.counter({
    name: 'messages_consumed_total',
    help: 'Deliveries handled, by queue and result; duplicates are dropped.',
    labels: { queue, result: ['done', 'retry', 'dead-letter', 'pause', 'duplicate'] },
    shownBy,
  }),
  messagesDeadLettered: define.counter({
    name: 'messages_dead_lettered_total',
    help: 'Messages that a consumer gave up, by queue and reason; what the broker let expire shows in dead_letter_queue_messages.',
    labels: { queue, reason: "the consumers' words, or http-<status>" },
    shownBy,
  }),
  messageHandlingDuration: define.histogram({
    name: 'message_handling_duration_seconds',
    help: 'Time to handle one delivery, in seconds; with retries in place each attempt counts.',
    labels: { queue },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    shownBy,
  }),
  deadLetterMessages: define.gauge({
    name: 'dead_letter_queue_messages',
    help: 'Messages in a dead-letter queue at the broker. The best-effort analytics queue has none.',
    labels: { queue: 'dead-letter queues' },
    shownBy,
  }),
  deadLetterOldestAge: define.gauge({
    name: 'dead_letter_oldest_age_seconds',
    help: 'Time since the first failure of the oldest message that lies in a dead-letter queue, in seconds; 0 when it is empty.',
    labels: { queue: 'dead-letter queues' },
    shownBy,
  }),
  unroutedMessages: define.gauge({
    name: 'unrouted_messages',
    help: 'Events that no queue was bound for, at most the newest 10,000.',
    shownBy,
  }),
  analyticsEvents: define.counter({
    name: 'analytics_events_total',
    help: 'Events for analytics by result; failed ones are tried again.',
    labels: { result: ['written', 'dropped', 'failed'] },
    shownBy,
  }),
  brokerState: define.gauge({
    name: 'broker_state',
    help: 'State of the connection to RabbitMQ: 1 for the one it is in; blocked is a memory or disk alarm at the broker.',
    labels: { state: ['connected', 'blocked', 'disconnected'] },
    shownBy,
  }),
});
