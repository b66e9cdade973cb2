import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { api, easypostFor, startReceiver, stripeFor } from './testing.ts';

const ADDRESS = { name: 'A', street1: '1 Road', city: 'Pune', zip: '411001', country: 'IN' };

let dataDir: string;
const running: ChildProcess[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sandbox-'));
});

const kill = async (child: ChildProcess) => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
};

afterEach(async () => {
  await Promise.all(running.splice(0).map(kill));
  await rm(dataDir, { recursive: true, force: true });
});

/** The sandbox as a process of its own, as `npm start` runs it. */
const startProcess = async (env: Record<string, string> = {}) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts')], {
    env: { ...process.env, SANDBOX_DATA: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { url: string };
    return { url, child };
  }
  throw new Error(`expected the sandbox to print its addresses, it ended with ${child.exitCode}`);
};

describe('after SIGKILL', () => {
  test('money, keys, labels and faults are as they were', async () => {
    const before = await startProcess();
    const params = {
      amount: 1_000,
      currency: 'inr',
      confirm: true,
      payment_method: 'pm_card_visa',
      metadata: { orderId: 'o-1' },
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    } as const;
    const paid = await stripeFor(before).paymentIntents.create(params, { idempotencyKey: 'key-1' });
    const shipment = await easypostFor(before).Shipment.create({
      reference: 'shipment-o-1-1',
      to_address: ADDRESS,
      from_address: ADDRESS,
      parcel: { weight: 5 },
    });
    const bought = await easypostFor(before).Shipment.buy(shipment.id, shipment.lowestRate());
    await api(before, 'POST', '/sandbox/clock', { advanceSeconds: 3_600 });
    await api(before, 'POST', '/sandbox/outage', { provider: 'smtp', seconds: 60 });
    await kill(before.child);

    const after = await startProcess();
    const replayed = await stripeFor(after).paymentIntents.create(params, { idempotencyKey: 'key-1' });
    expect(replayed.id).toBe(paid.id);
    expect(replayed.lastResponse.headers['idempotent-replayed']).toBe('true');
    await expect(easypostFor(after).Shipment.buy(bought.id, shipment.lowestRate())).rejects.toMatchObject({
      code: 'SHIPMENT.POSTAGE.EXISTS',
    });
    expect((await api(after, 'GET', '/sandbox/ledger?orderId=o-1')).body).toMatchObject({
      charged: [{ intent: paid.id }],
      labels: [{ trackingCode: bought.tracking_code }],
    });
    expect((await api(after, 'GET', '/sandbox/faults')).body).toMatchObject({
      rules: [{ provider: 'smtp' }],
    });
    const { body: clock } = await api<{ now: string }>(after, 'GET', '/sandbox/clock');
    expect(Date.parse(clock.now)).toBeGreaterThan(Date.now() + 3_500_000);
  });

  test('webhooks that had not been delivered still are', async () => {
    const receiver = await startReceiver();
    const env = { SANDBOX_WEBHOOK_TARGET: receiver.url };
    const before = await startProcess(env);
    await api(before, 'PATCH', '/sandbox/settings', { webhookMinDelayMs: 1_000, webhookMaxDelayMs: 1_000 });
    await stripeFor(before).paymentIntents.create({
      amount: 1_000,
      currency: 'inr',
      confirm: true,
      payment_method: 'pm_card_visa',
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    });
    await kill(before.child);
    expect(receiver.received).toHaveLength(0);
    await startProcess(env);
    await expect.poll(() => receiver.types(), { timeout: 5_000 }).toEqual(['payment_intent.succeeded']);
    await receiver.close();
  });
});

test('ends by itself on SIGTERM and refuses a configuration it cannot use', async () => {
  const { child } = await startProcess();
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  const wrong = spawn(process.execPath, [join(import.meta.dirname, 'server.ts')], {
    env: { ...process.env, SANDBOX_PORT: 'eighty' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.push(wrong);
  let errors = '';
  wrong.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  expect((await once(wrong, 'exit'))[0]).toBe(1);
  expect(errors).toContain('SANDBOX_PORT');
});
