import { dashboardOf, runbook, traces } from './panels.ts';
import { orZero, perSecond, quantile } from './queries.ts';

export const api = dashboardOf({
  name: 'api',
  title: 'API',
  description: 'Requests, errors, durations; replays of idempotency keys; how full the process is.',
  variables: [{ name: 'route', label: 'Route', metric: 'http_request_duration_seconds_count', of: 'route' }],
  panels: [
    {
      title: 'Requests',
      question: 'Who asks for what?',
      unit: 'ops',
      queries: [
        {
          expr: perSecond('http_request_duration_seconds_count', 'method, route', 'route=~"$route"'),
          legend: '{{method}} {{route}}',
        },
      ],
      link: traces('order-saga-api'),
    },
    {
      title: 'Errors',
      question: 'Which routes answer 5xx, and which are asked wrongly (4xx)?',
      unit: 'ops',
      queries: [
        {
          expr: orZero(
            perSecond(
              'http_request_duration_seconds_count',
              'route, status',
              'route=~"$route", status=~"[45].."',
            ),
          ),
          legend: '{{status}} {{route}}',
        },
      ],
      link: runbook('CheckoutsFail'),
    },
    {
      title: 'Duration, 99th percentile',
      question: 'Which route is slow?',
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'http_request_duration_seconds', 'route', 'route=~"$route"'),
          legend: '{{route}}',
        },
      ],
      link: traces('order-saga-api'),
    },
    {
      title: 'Checkout',
      question: 'How long does a checkout take to be safe? Goal: 47 ms at the 99th percentile.',
      unit: 's',
      redFrom: 0.047,
      queries: [
        { expr: quantile(0.5, 'checkout_duration_seconds', '', 'result="started"'), legend: 'p50' },
        { expr: quantile(0.99, 'checkout_duration_seconds', '', 'result="started"'), legend: 'p99' },
      ],
      link: runbook('CheckoutsSlow'),
    },
    {
      title: 'Checkouts, by result',
      question: 'Are checkouts started, replayed (same key again), in conflict, refused, or not possible?',
      unit: 'ops',
      queries: [{ expr: perSecond('checkouts_total', 'result'), legend: '{{result}}' }],
      link: runbook('CheckoutsFail'),
    },
    {
      title: 'Replays of idempotency keys',
      question: 'Which share of checkouts are repeats? A rise means that answers get lost on the way.',
      unit: 'percentunit',
      queries: [
        {
          expr: `${perSecond('checkouts_total', '', 'result="replayed"')} / ${perSecond('checkouts_total')}`,
          legend: 'replayed',
        },
      ],
      link: traces('order-saga-api'),
    },
    {
      title: 'In flight',
      question: 'How many requests and event streams are open?',
      unit: 'short',
      queries: [
        { expr: 'sum(http_requests_in_flight)', legend: 'requests' },
        { expr: 'sum(event_streams_open)', legend: 'event streams' },
      ],
      link: traces('order-saga-api'),
    },
    {
      title: 'Processor',
      question: 'Which process takes the cores?',
      unit: 'percentunit',
      queries: [
        { expr: 'sum by (job) (rate(process_cpu_seconds_total[$__rate_interval]))', legend: '{{job}}' },
      ],
      link: runbook('CheckoutsSlow'),
    },
    {
      title: 'Event loop lag, 99th percentile',
      question: 'Is a process too busy to answer?',
      unit: 's',
      queries: [{ expr: 'max by (job) (nodejs_eventloop_lag_p99_seconds)', legend: '{{job}}' }],
      link: runbook('CheckoutsSlow'),
    },
    {
      title: 'Memory',
      question: 'Does a process grow without end?',
      unit: 'bytes',
      queries: [
        { expr: 'max by (job) (process_resident_memory_bytes{job=~"api|worker|relay"})', legend: '{{job}}' },
      ],
      link: runbook('CheckoutsSlow'),
    },
  ],
});
