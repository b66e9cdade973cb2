import { technicalFailures } from '../../domain/failures.ts';
import type { MetricFactory } from './metric-factory.ts';

/** Requests to the payment provider and the carrier. */
export const createProviderMetrics = (define: MetricFactory) => ({
  providerRequestDuration: define.histogram({
    name: 'provider_request_duration_seconds',
    help: 'Time of one request to a provider, in seconds, by result: ok, refused (a business answer), or the technical failure.',
    labels: {
      provider: ['stripe', 'easypost'],
      operation: "the provider ports' methods",
      result: ['ok', 'refused', ...technicalFailures],
    },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    shownBy: ['worker'],
  }),
});
