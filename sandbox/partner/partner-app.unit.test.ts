import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../start-sandbox.ts';
import { api, putFaults, quickSandbox } from '../testing.ts';

describe('a partner', () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await quickSandbox();
  });
  afterAll(() => sandbox.close());

  const deliver = (name: string, body = '{"eventId":"e-1"}') =>
    fetch(`${sandbox.url}/partner/${name}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'webhook-id': 'e-1' },
    });

  const deliveries = async (name: string) =>
    (await api<{ deliveries: unknown[] }>(sandbox, 'GET', `/partner/${name}/deliveries`)).body.deliveries;

  test('remembers what it received, byte for byte and with headers', async () => {
    const body = '{ "eventId": "e-1",  "name": "Zoë" }';
    expect((await deliver('acme', body)).status).toBe(200);
    await deliver('other');
    expect(await deliveries('acme')).toMatchObject([
      { partner: 'acme', body, headers: { 'webhook-id': 'e-1' }, status: 200 },
    ]);
  });

  test('answers as it is told to', async () => {
    const settings = { status: 429, retryAfter: 7, delayMs: 50 };
    expect((await api(sandbox, 'PUT', '/partner/slow/settings', settings)).status).toBe(200);
    const startedMs = Date.now();
    const response = await deliver('slow');
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(45);
    expect((await api(sandbox, 'PUT', '/partner/slow/settings', { status: 42 })).status).toBe(422);
  });

  test('receives, but its answer can get lost', async () => {
    await putFaults(sandbox, {
      provider: 'partner',
      kind: 'reply-lost',
      times: 1,
      match: { recipient: 'flaky' },
    });
    await expect(deliver('flaky')).rejects.toThrow('fetch failed');
    expect(await deliveries('flaky')).toHaveLength(1);
    expect((await deliver('flaky')).status).toBe(200);
  });

  test('has a plain name', async () => {
    expect((await deliver('no%20spaces')).status).toBe(404);
  });
});
