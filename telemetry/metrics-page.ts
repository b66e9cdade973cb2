import { foreignMetrics } from './metrics/foreign-metrics.ts';
import type { MetricSpec } from './metrics/metric-factory.ts';

/** docs/metrics.md: every metric of the product and those of others that dashboards and alerts read. */
export const metricsPage = (specs: readonly MetricSpec[]): string =>
  [
    '# Metrics',
    '',
    'Generated from telemetry/metrics by `npm run generate`.',
    '',
    'Each process serves one `/metrics` with everything it knows: what is in this table, Node (prom-client’s `process_*` ' +
      'and `nodejs_*`), and in the worker the metrics of Temporal’s SDK. Money is in major units of its currency, ' +
      'everything else in base units. Labels are bounded: never an order, a customer, an address or a text.',
    '',
    'Gauges that describe the whole installation (`orders_*`, `outbox_*`, `stock_*`, `dead_letter_*`, `task_queue_*`) are ' +
      'said by every relay or API alike: take their `max`, not their `sum`.',
    '',
    '| metric | type | labels | shown by | says |',
    '| --- | --- | --- | --- | --- |',
    ...[...specs].sort((a, b) => (a.name < b.name ? -1 : 1)).map(rowOf),
    '',
    ...Object.entries(foreignMetrics).flatMap(([name, { shownBy, metrics }]) => [
      `## ${name}`,
      '',
      `In ${shownBy}; those that dashboards and alerts read.`,
      '',
      '| metric | says |',
      '| --- | --- |',
      ...Object.entries(metrics).map(([metric, says]) => `| \`${metric}\` | ${says} |`),
      '',
    ]),
  ].join('\n');

function rowOf({ name, type, labels, shownBy, help }: MetricSpec): string {
  const named = Object.entries(labels).map(
    ([label, values]) => `\`${label}\`: ${typeof values === 'string' ? values : values.join(', ')}`,
  );
  return `| \`${name}\` | ${type} | ${named.join('; ')} | ${shownBy.join(', ')} | ${help} |`;
}
