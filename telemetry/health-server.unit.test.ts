import { afterEach, expect, it } from 'vitest';
import { startHealthServer, type HealthCheck, type HealthServer } from './health-server.ts';
import { createMetrics } from './metrics.ts';

let server: HealthServer | undefined;
afterEach(async () => server?.close());

async function get(path: string, checks: Record<string, HealthCheck> = {}) {
  const { registry } = createMetrics();
  const more = async () => 'temporal_sdk_metric 1\n';
  server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    setting: 'WORKER_PORT',
    checks,
    registry,
    more,
  });
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  return { status: response.status, text: await response.text() };
}

const down = () => Promise.reject(new Error('connection refused'));

it('is healthy while the process runs, whatever its dependencies do', async () => {
  expect(await get('/healthz', { redis: down })).toEqual({ status: 200, text: '{"status":"ok"}' });
});

it('is ready when every dependency is', async () => {
  const { status, text } = await get('/readyz', { redis: () => {}, sql: async () => {} });
  expect([status, JSON.parse(text)]).toEqual([
    200,
    { status: 'ready', checks: { redis: 'up', sql: 'up' }, reasons: {} },
  ]);
});

it('tells facts that do not count', async () => {
  const { registry } = createMetrics();
  const facts = () => ({ providers: { carrier: { state: 'paused' } } });
  server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    setting: 'WORKER_PORT',
    checks: {},
    registry,
    facts,
  });
  const response = await fetch(`http://127.0.0.1:${server.port}/readyz`);
  expect([response.status, await response.json()]).toMatchObject([200, { status: 'ready', ...facts() }]);
});

it('names the dependency that is away and why', async () => {
  const { status, text } = await get('/readyz?x=1', { redis: down, sql: () => {} });
  expect(status).toBe(503);
  expect(JSON.parse(text)).toEqual({
    status: 'not ready',
    checks: { redis: 'down', sql: 'up' },
    reasons: { redis: 'connection refused' },
  });
});

it('does not wait for a check that hangs', async () => {
  const { status, text } = await get('/readyz', { broker: () => new Promise(() => {}) });
  expect(status).toBe(503);
  expect(text).toContain('no answer in 2000 ms');
});

it('shows the metrics of its registry and, on lines of their own, those of others', async () => {
  const { text } = await get('/metrics');
  expect(text).toContain('outbox_unpublished_messages 0\n');
  expect(text).toMatch(/\ntemporal_sdk_metric 1\n/);
});

it('says which paths there are', async () => {
  expect((await get('/')).status).toBe(404);
});

it('names the setting to change when its port is taken', async () => {
  const { registry } = createMetrics();
  const parts = { host: '127.0.0.1', checks: {}, registry, setting: 'RELAY_PORT' };
  server = await startHealthServer({ ...parts, port: 0 });
  await expect(startHealthServer({ ...parts, port: server.port })).rejects.toThrow(
    `Cannot listen on 127.0.0.1:${server.port} (RELAY_PORT): another program listens there; free it, or set RELAY_PORT to another port`,
  );
});
