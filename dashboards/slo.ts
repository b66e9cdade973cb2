import { dashboardOf, runbook, type PanelSpec } from './panels.ts';
import { quantile } from './queries.ts';

/* The promises and their numbers are rules of infra/prometheus/rules.yml, which the alerts read as well. */
const promises = [
  {
    slo: 'checkout-availability',
    kept: 'Checkouts taken',
    question: 'Which share of checkouts was not turned away by us? Promise: 99.9 %.',
    promised: 0.999,
    alert: 'CheckoutsFail',
  },
  {
    slo: 'checkout-latency',
    kept: 'Checkouts within 47 ms',
    question: 'Which share of checkouts was safe within 47 ms? Promise: 99 %.',
    promised: 0.99,
    alert: 'CheckoutsSlow',
  },
  {
    slo: 'shipped-in-time',
    kept: 'Orders shipped within a minute',
    question: 'Which share of orders that nobody had to mend had a label within a minute? Promise: 99 %.',
    promised: 0.99,
    alert: 'OrdersShipLate',
  },
  {
    slo: 'event-delivery',
    kept: 'Events delivered within 5 s',
    question: 'Which share of events was at the broker within 5 s? Promise: 99.9 %.',
    promised: 0.999,
    alert: 'EventsDelayed',
  },
];

const keptPanels: readonly PanelSpec[] = promises.map(({ slo, kept, question, promised, alert }) => ({
  title: kept,
  question,
  unit: 'percentunit',
  shape: 'number',
  redBelow: promised,
  queries: [{ expr: `1 - slo:errors:ratio_rate6h{slo="${slo}"}`, legend: 'last six hours' }],
  link: runbook(alert),
}));

const burnPanels: readonly PanelSpec[] = promises.map(({ slo, kept, alert }) => ({
  title: `${kept}: budget burnt`,
  question:
    'How many times faster than allowed is the budget of errors used up? It pages above 14.4 (5 m and 1 h) and above 6 (30 m and 6 h).',
  unit: 'short',
  redFrom: 14.4,
  queries: ['5m', '1h', '6h', '3d'].map((window) => ({
    expr: `slo:errors:ratio_rate${window}{slo="${slo}"} / (1 - slo:objective:ratio{slo="${slo}"})`,
    legend: window,
  })),
  link: runbook(alert),
}));

export const slo = dashboardOf({
  name: 'slo',
  title: 'SLO',
  description: 'What is promised, whether it is kept, and how fast the budget of errors burns.',
  panels: [
    ...keptPanels,
    ...burnPanels,
    {
      title: 'Time until partners have an event',
      question: 'How long after it happened does a partner have an event? Goal: 30 s.',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'webhook_delivery_delay_seconds'), legend: 'p50' },
        { expr: quantile(0.99, 'webhook_delivery_delay_seconds'), legend: 'p99' },
      ],
      link: runbook('PartnerUnreachable'),
    },
  ],
});
