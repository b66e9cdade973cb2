import type { MetricFactory } from './metric-factory.ts';

const shownBy = ['relay'] as const;

/** Deliveries of events to partners. */
export const createWebhookMetrics = (define: MetricFactory) => ({
  webhookDeliveries: define.counter({
    name: 'webhook_deliveries_total',
    help: 'Webhook deliveries by result and state of the endpoint.',
    labels: {
      result: ['delivered', 'failed', 'postponed', 'duplicate', 'dead-letter'],
      endpoint_state: ['enabled', 'circuit-open', 'disabled', 'deleted'],
    },
    shownBy,
  }),
  webhookAttemptDuration: define.histogram({
    name: 'webhook_attempt_duration_seconds',
    help: 'Time of one request to a partner, in seconds, by result.',
    labels: { result: ['delivered', 'failed'] },
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10.5],
    shownBy,
  }),
  webhookDeliveryDelay: define.histogram({
    name: 'webhook_delivery_delay_seconds',
    help: 'Time from an event until a partner took it, in seconds. Goal: 30.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600, 3_600],
    shownBy,
  }),
  webhookEndpoints: define.gauge({
    name: 'webhook_endpoints',
    help: 'Registered webhook endpoints by state.',
    labels: { state: ['enabled', 'disabled'] },
    shownBy,
  }),
  webhookCircuitsOpen: define.gauge({
    name: 'webhook_circuits_open',
    help: 'Webhook endpoints that this process gives no first attempts now, since attempts failed slowly in a row.',
    shownBy,
  }),
});
