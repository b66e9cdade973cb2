import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { startProcess, type OwnedProcess } from '../../infra/processes.ts';
import { startSandbox, type Sandbox } from '../../sandbox/start-sandbox.ts';
import { freePort, uniqueName } from '../setup/isolation.ts';
import { startWebhookWorld, webhookSecretKey, type WebhookWorld } from '../support/webhook-fixture.ts';

let world: WebhookWorld;
let sandbox: Sandbox;
let relay: OwnedProcess;

beforeAll(async () => {
  [world, sandbox] = await Promise.all([startWebhookWorld(), startSandbox()]);
  relay = await startRelay();
});
afterAll(async () => {
  await relay?.stop();
  await Promise.all([world.close(), sandbox.close()]);
});

/** The relay process as `npm start` runs it, with its real tiers; ready when this resolves. */
async function startRelay(): Promise<OwnedProcess> {
  const port = await freePort();
  const started = await startProcess({
    name: 'relay',
    command: process.execPath,
    args: [fileURLToPath(new URL('../../workers/relay.ts', import.meta.url))],
    output: { onLine: () => {} },
    env: {
      PATH: process.env['PATH'],
      TASK_QUEUE_PREFIX: uniqueName('relay'),
      SQL_URL: world.sqlUrl,
      AMQP_URL: world.vhost.amqpUrl,
      REDIS_URL: inject('redisUrl'),
      SMTP_URL: `smtp://127.0.0.1:${sandbox.smtpPort}`,
      WEBHOOK_ALLOW_PRIVATE: '127.0.0.1/32',
      WEBHOOK_SECRET_KEY: webhookSecretKey,
      RELAY_PORT: String(port),
    },
  });
  await vi.waitFor(
    async () => {
      const { ok, status } = await fetch(`http://127.0.0.1:${port}/readyz`);
      if (!ok) throw new Error(`The relay is not ready: ${status}`);
    },
    { timeout: 30_000, interval: 50 },
  );
  return started;
}

it('is tried again 5 s, 25 s and 125 s later, each within 10 %, while the worker is killed and started again in between', async () => {
  const settings = { status: 500, body: 'the URL has changed' };
  await fetch(`${sandbox.url}/partner/moved/settings`, {
    method: 'PUT',
    body: JSON.stringify(settings),
    headers: { 'content-type': 'application/json' },
  });
  const { endpointId } = await world.register(`${sandbox.url}/partner/moved`);
  const events = [await world.publish(), await world.publish(), await world.publish()];
  for (const attempts of [1, 2, 3]) {
    const made = async () => (await world.attempts(endpointId)).length;
    await expect.poll(made, { timeout: 140_000, interval: 100 }).toBe(attempts * events.length);
    // The failed messages are in their delay queue once the broker has confirmed them.
    await sleep(200);
    process.kill(relay.pid, 'SIGKILL');
    await relay.exited;
    relay = await startRelay();
  }
  await expect
    .poll(async () => (await world.attempts(endpointId)).length, { timeout: 140_000, interval: 500 })
    .toBe(4 * events.length);
  const attempts = await world.attempts(endpointId);
  for (const { eventId } of events) {
    const times = attempts
      .filter((attempt) => attempt.eventId === eventId)
      .map(({ attemptedAtUtc }) => Date.parse(attemptedAtUtc));
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    console.log(`${eventId}: retries after ${gaps.join(', ')} ms`);
    expect(gaps).toHaveLength(3);
    [5_000, 25_000, 125_000].forEach((tier, index) => {
      expect(gaps[index]).toBeGreaterThanOrEqual(tier * 0.9);
      expect(gaps[index]).toBeLessThanOrEqual(tier * 1.1);
    });
  }
  await sleep(3_000);
  expect(await world.attempts(endpointId)).toHaveLength(12);
});
