import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

const { specs } = createMetrics();
const exposed = async (process: Parameters<typeof createMetrics>[0]) => {
  const { registry } = createMetrics(process);
  return registry.metrics();
};

describe('names after the conventions of Prometheus', () => {
  it.each(specs)('$name', ({ name, type, help, labels, buckets }) => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes|ratio)$/);
    if (name.endsWith('_seconds')) expect(help).toMatch(/in seconds/);
    expect(name).not.toMatch(/_(ms|milliseconds|minutes|hours|count|sum|bucket|info)$/);
    expect(help).toMatch(/^[A-Z01].*\.$/s);
    expect(buckets ?? []).toEqual([...(buckets ?? [])].sort((a, b) => a - b));
    for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z][a-z_]*$/);
  });

  it('defines each name once', () => {
    const names = specs.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });
});

it('labels nothing by an id, an address or a text', () => {
  const labels = specs.flatMap(({ labels: one }) => Object.keys(one));
  const unbounded = /(^|_)(id|order|customer|key|url|email|trace|message|error|path|user)($|_)/;
  expect(labels.filter((label) => unbounded.test(label))).toEqual([]);
});

it("has a bucket at the checkout's goal of 47 ms and at shipping's of a minute", () => {
  const bucketsOf = (name: string) => specs.find((spec) => spec.name === name)?.buckets;
  expect(bucketsOf('checkout_duration_seconds')).toContain(0.047);
  expect(bucketsOf('http_request_duration_seconds')).toContain(0.047);
  expect(bucketsOf('order_time_to_ship_seconds')).toContain(60);
  expect(bucketsOf('outbox_publish_delay_seconds')).toContain(5);
  expect(bucketsOf('webhook_delivery_delay_seconds')).toContain(30);
});

it('shows each process what it knows of and nothing else', async () => {
  expect(await exposed('relay')).toContain('outbox_unpublished_messages');
  expect(await exposed('api')).not.toContain('outbox_unpublished_messages');
  expect(await exposed('api')).toContain('checkouts_total{result="replayed"} 0');
  expect(await exposed('worker')).not.toContain('checkouts_total');
  expect(await exposed('worker')).toContain('nodejs_eventloop_lag_seconds');
});

it('begins listed label values at 0, so that the first occurrence is an increase', async () => {
  const { registry } = createMetrics();
  expect(await registry.metrics()).toContain(
    'webhook_deliveries_total{result="dead-letter",endpoint_state="deleted"} 0',
  );
});
