import { technicalFailures } from '../../domain/failures.ts';
import type { MetricFactory } from './metric-factory.ts';

const shownBy = ['worker'] as const;
const provider = ['payments', 'carrier'] as const;

/** The payment provider and the carrier: requests, circuits and pauses. */
export const createProviderMetrics = (define: MetricFactory) => ({
  providerRequestDuration: define.histogram({
    name: 'provider_request_duration_seconds',
    help: 'Time of one request to a provider, in seconds, by result: ok, refused (a business answer), or the technical failure.',
    labels: {
      provider,
      operation: "the provider ports' methods",
      result: ['ok', 'refused', ...technicalFailures],
    },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    shownBy,
  }),
  providerCircuitState: define.gauge({
    name: 'provider_circuit_state',
    help: "State of this process's circuit to a provider: 1 for the one it is in; open lets no request through, half-open one at a time.",
    labels: { provider, state: ['closed', 'open', 'half-open'] },
    shownBy,
  }),
  providerKeyRefused: define.gauge({
    name: 'provider_key_refused',
    help: '1 while this process has its circuit open since the provider refuses our key (401), else 0.',
    labels: { provider },
    shownBy,
  }),
  providerPaused: define.gauge({
    name: 'provider_paused',
    help: '1 while an operator has paused the provider, else 0.',
    labels: { provider },
    shownBy,
  }),
  providerRequestsRefused: define.counter({
    name: 'provider_requests_refused_total',
    help: 'Requests that were not made because the circuit to the provider is open.',
    labels: { provider },
    shownBy,
  }),
});
