import { dashboardOf, runbook, traces } from './panels.ts';
import { orZero, perSecond, quantile } from './queries.ts';

export const stores = dashboardOf({
  name: 'stores',
  title: 'Stores',
  description: 'SQL and Redis: how fast, how full, and does anybody wait for them?',
  panels: [
    {
      title: 'Transactions',
      question: 'How many SQL transactions a second become durable?',
      unit: 'ops',
      queries: [{ expr: perSecond('store_transaction_duration_seconds_count', 'job'), legend: '{{job}}' }],
      link: traces('order-saga-worker'),
    },
    {
      title: 'Time of a transaction',
      question: 'How long until a step’s rows are durable?',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'store_transaction_duration_seconds', 'job'), legend: 'p50 {{job}}' },
        { expr: quantile(0.99, 'store_transaction_duration_seconds', 'job'), legend: 'p99 {{job}}' },
      ],
      link: runbook('SqlPoolWaits'),
    },
    {
      title: 'Connections',
      question: 'How many SQL connections are open, in use, and waited for?',
      unit: 'short',
      queries: [{ expr: 'sum by (job, state) (store_connections)', legend: '{{job}} {{state}}' }],
      link: runbook('SqlPoolWaits'),
    },
    {
      title: 'Wait for a connection, 99th percentile',
      question: 'Do callers wait for a SQL connection?',
      unit: 's',
      queries: [{ expr: quantile(0.99, 'store_connection_wait_seconds', 'job'), legend: '{{job}}' }],
      link: runbook('SqlPoolWaits'),
    },
    {
      title: 'Statements that take most of the time',
      question: 'Which SQL statement costs most in all?',
      unit: 'percentunit',
      queries: [
        {
          expr: 'topk(10, sum by (statement) (rate(store_statement_duration_seconds_sum[$__rate_interval])))',
          legend: '{{statement}}',
        },
      ],
      link: traces('order-saga-worker'),
    },
    {
      title: 'Slowest statements, 99th percentile',
      question: 'Which SQL statement is slow?',
      unit: 's',
      queries: [
        {
          expr: `topk(10, ${quantile(0.99, 'store_statement_duration_seconds', 'statement')})`,
          legend: '{{statement}}',
        },
      ],
      link: traces('order-saga-worker'),
    },
    {
      title: 'Redis reachable',
      question: 'Is Redis there? Without it everything goes on, only less exclusively.',
      unit: 'short',
      redBelow: 1,
      queries: [{ expr: 'min by (job) (redis_up)', legend: '{{job}}' }],
      link: runbook('RedisDegraded'),
    },
    {
      title: 'Answered without Redis',
      question: 'How often was Redis asked in vain?',
      unit: 'ops',
      queries: [{ expr: orZero(perSecond('redis_degraded_total', 'call')), legend: '{{call}}' }],
      link: runbook('RedisDegraded'),
    },
    {
      title: 'Redis calls, 99th percentile',
      question: 'Is Redis slow?',
      unit: 's',
      queries: [{ expr: quantile(0.99, 'redis_call_duration_seconds', 'call'), legend: '{{call}}' }],
      link: runbook('RedisDegraded'),
    },
  ],
});
