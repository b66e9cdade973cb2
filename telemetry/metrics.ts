import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** One registry per process; `/metrics` prints it. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    httpRequestDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time to answer an HTTP request, in seconds.',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: [0.005, 0.01, 0.025, 0.047, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    checkouts: new Counter({
      name: 'checkouts_total',
      help: 'Checkouts by result: started, replayed, conflict, refused, unavailable.',
      labelNames: ['result'] as const,
      registers,
    }),
    paymentWebhooks: new Counter({
      name: 'payment_webhooks_total',
      help: "The payment provider's webhooks by result: signalled, duplicate, ignored, refused.",
      labelNames: ['result'] as const,
      registers,
    }),
    eventStreams: new Gauge({
      name: 'event_streams_open',
      help: 'Open streams of server-sent events.',
      registers,
    }),
    storeTransactionDuration: new Histogram({
      name: 'store_transaction_duration_seconds',
      help: 'Time of one SQL transaction from being asked for to being durable, in seconds.',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1],
      registers,
    }),
    storeConnections: new Gauge({
      name: 'store_connections',
      help: 'SQL Server connections by state: size (the most there may be), in_use, waiting (callers without one).',
      labelNames: ['state'] as const,
      registers,
    }),
    storeConnectionWait: new Histogram({
      name: 'store_connection_wait_seconds',
      help: 'Time a caller waited for a free SQL Server connection, by result: acquired, refused. In seconds.',
      labelNames: ['result'] as const,
      buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5],
      registers,
    }),
    redisDegraded: new Counter({
      name: 'redis_degraded_total',
      help: 'Redis calls that were answered without Redis, by call.',
      labelNames: ['call'] as const,
      registers,
    }),
    providerRequestDuration: new Histogram({
      name: 'provider_request_duration_seconds',
      help: 'Time of one request to a provider, in seconds.',
      labelNames: ['provider', 'operation', 'result'] as const,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
      registers,
    }),
    outboxUnpublished: new Gauge({
      name: 'outbox_unpublished_messages',
      help: 'Outbox rows that are not published yet.',
      registers,
    }),
    outboxSetAside: new Gauge({
      name: 'outbox_set_aside_messages',
      help: 'Outbox rows set aside after too many attempts.',
      registers,
    }),
    outboxOldestAge: new Gauge({
      name: 'outbox_oldest_age_seconds',
      help: 'Age of the oldest unpublished outbox row, in seconds; 0 when there is none.',
      registers,
    }),
    messagesPublished: new Counter({
      name: 'messages_published_total',
      help: 'Publications by result: confirmed, unroutable, refused, unavailable.',
      labelNames: ['result'] as const,
      registers,
    }),
    webhookDeliveries: new Counter({
      name: 'webhook_deliveries_total',
      help: 'Webhook deliveries by result (delivered, failed, postponed, duplicate, dead-letter) and state of the endpoint (enabled, circuit-open, disabled, deleted).',
      labelNames: ['result', 'endpoint_state'] as const,
      registers,
    }),
    webhookAttemptDuration: new Histogram({
      name: 'webhook_attempt_duration_seconds',
      help: 'Time of one request to a partner, in seconds, by result: delivered, failed.',
      labelNames: ['result'] as const,
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10.5],
      registers,
    }),
    webhookEndpoints: new Gauge({
      name: 'webhook_endpoints',
      help: 'Registered webhook endpoints by state: enabled, disabled.',
      labelNames: ['state'] as const,
      registers,
    }),
    webhookCircuitsOpen: new Gauge({
      name: 'webhook_circuits_open',
      help: 'Webhook endpoints that this process gives no first attempts now, since attempts failed slowly in a row.',
      registers,
    }),
    messagesConsumed: new Counter({
      name: 'messages_consumed_total',
      help: 'Deliveries handled, by queue and result: done, retry, dead-letter, pause, duplicate.',
      labelNames: ['queue', 'result'] as const,
      registers,
    }),
    analyticsEvents: new Counter({
      name: 'analytics_events_total',
      help: 'Events for analytics by result: written, dropped, failed (tried again).',
      labelNames: ['result'] as const,
      registers,
    }),
    messagesDeadLettered: new Counter({
      name: 'messages_dead_lettered_total',
      help: 'Messages that a consumer gave up, by queue and reason.',
      labelNames: ['queue', 'reason'] as const,
      registers,
    }),
    messageHandlingDuration: new Histogram({
      name: 'message_handling_duration_seconds',
      help: 'Time to handle one delivery, in seconds; with retries in place each attempt counts.',
      labelNames: ['queue'] as const,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
      registers,
    }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
