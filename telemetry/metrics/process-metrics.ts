import type { MetricFactory } from './metric-factory.ts';

/** What concerns a process as a whole; prom-client's own metrics of Node come on top. */
export const createProcessMetrics = (define: MetricFactory) => ({
  certificateExpiry: define.gauge({
    name: 'tls_certificate_expiry_timestamp_seconds',
    help: 'When a TLS certificate ends, Unix time in seconds: those of the servers that are reached over TLS, and the client certificate that Temporal is shown.',
    labels: { certificate: 'temporal, temporal-client, rabbitmq, redis' },
    shownBy: ['worker'],
  }),
});
