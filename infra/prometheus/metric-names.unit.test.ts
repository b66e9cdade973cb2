import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { foreignMetrics } from '../../telemetry/metrics/foreign-metrics.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { metricNames, rules } from './read-rules.ts';

const folder = new URL('../../dashboards/', import.meta.url);
const dashboards = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => readFileSync(new URL(file, folder), 'utf8'));
const panels = dashboards.flatMap((text) =>
  [...text.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(([, json]) => JSON.parse(json ?? '""') as string),
);
const ours = createMetrics().specs.map(({ name }) => name);
const foreign = Object.values(foreignMetrics).flatMap(({ metrics }) => Object.keys(metrics));
const recorded = rules().flatMap(({ record }) => record ?? []);
const read = new Set([...panels, ...rules().map(({ expr }) => expr)].flatMap(metricNames));

/** Metrics that no panel and no alert reads, and why they are there. */
const unread: Readonly<Record<string, string>> = {
  analytics_events_total: 'analytics is best effort; asked when somebody misses events there',
  order_duration_seconds: 'for reports; the objective is about shipping',
  orders_held_total: 'for reports; panels show who is held now',
  orders_parked_total: 'for reports; panels and alerts show who is parked now',
  refunds_undecided: 'for reports; the alert is about how long the oldest waits',
  webhook_attempt_duration_seconds: "a partner's own speed; panels show the delay that partners see",
};

it('defines every metric that dashboards and rules read', () => {
  const known = new Set([...ours, ...foreign, ...recorded]);
  expect(panels.length).toBeGreaterThan(40);
  expect([...read].filter((name) => !known.has(name))).toEqual([]);
});

it('reads every metric that is defined, but for those listed with a reason', () => {
  const unused = [...ours, ...foreign].filter((name) => !read.has(name));
  expect(new Set(unused)).toEqual(new Set(Object.keys(unread)));
});

it('has every metric in the documentation, and no other', () => {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const listed = [...page.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  expect(new Set(listed)).toEqual(new Set([...ours, ...foreign]));
});
