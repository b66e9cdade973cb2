import { dashboardOf, runbook } from './panels.ts';
import { quantile, shareWithin } from './queries.ts';

const taken = (window: string): string =>
  `1 - sum(rate(checkouts_total{result="unavailable"}[${window}])) / sum(rate(checkouts_total[${window}]))`;

export const slo = dashboardOf({
  name: 'slo',
  title: 'SLO',
  description: 'What is promised, whether it is kept, and how fast the budget of errors burns.',
  panels: [
    {
      title: 'Checkouts taken',
      question: 'Which share of checkouts was not turned away by us? Promise: 99.9 %.',
      unit: 'percentunit',
      shape: 'number',
      redBelow: 0.999,
      queries: [{ expr: taken('$__range'), legend: 'taken' }],
      link: runbook('CheckoutAvailability'),
    },
    {
      title: 'Checkouts within 47 ms',
      question: 'Which share of checkouts was safe within 47 ms? Promise: 99 %.',
      unit: 'percentunit',
      shape: 'number',
      redBelow: 0.99,
      queries: [
        {
          expr: shareWithin('0.047', 'checkout_duration_seconds', '$__range', 'result="started"'),
          legend: 'within 47 ms',
        },
      ],
      link: runbook('CheckoutLatency'),
    },
    {
      title: 'Orders shipped within a minute',
      question: 'Which share of orders that nobody had to mend had a label within a minute? Promise: 99 %.',
      unit: 'percentunit',
      shape: 'number',
      redBelow: 0.99,
      queries: [
        { expr: shareWithin('60', 'order_time_to_ship_seconds', '$__range', 'held="no"'), legend: 'in time' },
      ],
      link: runbook('OrdersShipTooLate'),
    },
    {
      title: 'Events delivered within 10 s',
      question: 'Which share of events was at the broker within 10 s? Promise: 99 %.',
      unit: 'percentunit',
      shape: 'number',
      redBelow: 0.99,
      queries: [{ expr: shareWithin('10', 'outbox_publish_delay_seconds', '$__range'), legend: 'in time' }],
      link: runbook('EventDeliveryDelay'),
    },
    {
      title: 'Checkout availability: budget burnt',
      question: 'How many times faster than allowed is the error budget used up? Above 14.4 it pages.',
      unit: 'short',
      redFrom: 14.4,
      queries: ['5m', '1h', '6h'].map((window) => ({
        expr: `(1 - (${taken(window)})) / 0.001`,
        legend: window,
      })),
      link: runbook('CheckoutAvailability'),
    },
    {
      title: 'Checkout latency: budget burnt',
      question: 'How many times faster than allowed are slow checkouts using up their budget?',
      unit: 'short',
      redFrom: 14.4,
      queries: ['5m', '1h', '6h'].map((window) => ({
        expr: `(1 - (${shareWithin('0.047', 'checkout_duration_seconds', window, 'result="started"')})) / 0.01`,
        legend: window,
      })),
      link: runbook('CheckoutLatency'),
    },
    {
      title: 'Shipping: budget burnt',
      question: 'How many times faster than allowed are late labels using up their budget?',
      unit: 'short',
      redFrom: 14.4,
      queries: ['5m', '1h', '6h'].map((window) => ({
        expr: `(1 - (${shareWithin('60', 'order_time_to_ship_seconds', window, 'held="no"')})) / 0.01`,
        legend: window,
      })),
      link: runbook('OrdersShipTooLate'),
    },
    {
      title: 'Event delivery: budget burnt',
      question: 'How many times faster than allowed are late events using up their budget?',
      unit: 'short',
      redFrom: 14.4,
      queries: ['5m', '1h', '6h'].map((window) => ({
        expr: `(1 - (${shareWithin('10', 'outbox_publish_delay_seconds', window)})) / 0.01`,
        legend: window,
      })),
      link: runbook('EventDeliveryDelay'),
    },
    {
      title: 'Time until partners have an event',
      question: 'How long after it happened does a partner have an event? Goal: 30 s.',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'webhook_delivery_delay_seconds'), legend: 'p50' },
        { expr: quantile(0.99, 'webhook_delivery_delay_seconds'), legend: 'p99' },
      ],
      link: runbook('WebhooksFailing'),
    },
  ],
});
