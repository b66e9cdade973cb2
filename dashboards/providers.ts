import { dashboardOf, runbook, temporalOrders, traces } from './panels.ts';
import { ofAll, orZero, perSecond, quantile } from './queries.ts';

export const providers = dashboardOf({
  name: 'providers',
  title: 'Providers',
  description: 'Do payment provider and carrier answer, how fast, and are they being spared?',
  variables: [
    {
      name: 'provider',
      label: 'Provider',
      metric: 'provider_request_duration_seconds_count',
      of: 'provider',
    },
  ],
  panels: [
    {
      title: 'Share of requests that failed technically',
      question: 'Is a provider down? Declined cards and refused addresses do not count.',
      unit: 'percentunit',
      redFrom: 0.5,
      queries: [
        {
          expr: `${perSecond('provider_request_duration_seconds_count', 'provider', 'provider=~"$provider", result!~"ok|refused"')} / ${perSecond('provider_request_duration_seconds_count', 'provider', 'provider=~"$provider"')} or 0 * ${perSecond('provider_request_duration_seconds_count', 'provider', 'provider=~"$provider"')}`,
          legend: '{{provider}}',
        },
      ],
      link: runbook('CircuitOpen'),
    },
    {
      title: 'Circuits',
      question: 'Is a circuit open, so that no requests are sent but probes?',
      unit: 'short',
      queries: [
        {
          expr: ofAll('provider_circuit_state', 'provider, state', 'provider=~"$provider"'),
          legend: '{{provider}} {{state}}',
        },
      ],
      link: runbook('CircuitOpen'),
    },
    {
      title: 'Key refused',
      question: 'Does a provider refuse our key (401)?',
      unit: 'short',
      redFrom: 1,
      queries: [
        { expr: ofAll('provider_key_refused', 'provider', 'provider=~"$provider"'), legend: '{{provider}}' },
      ],
      link: runbook('ProviderKeyRefused'),
    },
    {
      title: 'Paused by an operator',
      question: 'Did somebody pause a provider?',
      unit: 'short',
      redFrom: 1,
      queries: [
        { expr: ofAll('provider_paused', 'provider', 'provider=~"$provider"'), legend: '{{provider}}' },
      ],
      link: runbook('ProviderPaused'),
    },
    {
      title: 'Requests refused without being sent',
      question: 'How many requests does the open circuit keep from the provider?',
      unit: 'ops',
      queries: [
        {
          expr: orZero(perSecond('provider_requests_refused_total', 'provider', 'provider=~"$provider"')),
          legend: '{{provider}}',
        },
      ],
      link: runbook('CircuitOpen'),
    },
    {
      title: 'Requests, by operation',
      question: 'What is asked of the providers?',
      unit: 'ops',
      queries: [
        {
          expr: perSecond(
            'provider_request_duration_seconds_count',
            'provider, operation',
            'provider=~"$provider"',
          ),
          legend: '{{provider}} {{operation}}',
        },
      ],
      link: traces('order-saga-worker'),
    },
    {
      title: 'Requests, by result',
      question: 'What do the providers answer?',
      unit: 'ops',
      queries: [
        {
          expr: perSecond(
            'provider_request_duration_seconds_count',
            'provider, result',
            'provider=~"$provider"',
          ),
          legend: '{{provider}} {{result}}',
        },
      ],
      link: temporalOrders('parked', "SagaState='parked'"),
    },
    {
      title: 'Latency, 99th percentile',
      question: 'Which operation of which provider is slow?',
      unit: 's',
      queries: [
        {
          expr: quantile(
            0.99,
            'provider_request_duration_seconds',
            'provider, operation',
            'provider=~"$provider"',
          ),
          legend: '{{provider}} {{operation}}',
        },
      ],
      link: traces('order-saga-worker'),
    },
    {
      title: 'Latency, median',
      question: 'What is usual?',
      unit: 's',
      queries: [
        {
          expr: quantile(
            0.5,
            'provider_request_duration_seconds',
            'provider, operation',
            'provider=~"$provider"',
          ),
          legend: '{{provider}} {{operation}}',
        },
      ],
      link: traces('order-saga-worker'),
    },
    {
      title: 'Payment provider’s webhooks',
      question: 'Do Stripe’s webhooks arrive, and are their signatures right?',
      unit: 'ops',
      queries: [{ expr: orZero(perSecond('payment_webhooks_total', 'result')), legend: '{{result}}' }],
      link: traces('order-saga-api'),
    },
  ],
});
