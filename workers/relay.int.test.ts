import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'amqplib';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { emailDestination, eventsDestination } from '../domain/destinations.ts';
import type { EmailTask } from '../domain/email-task.ts';
import { orderId } from '../domain/ids.ts';
import { startProcess, type OwnedProcess } from '../infra/processes.ts';
import type { Store } from '../ports/store.ts';
import { startSandbox } from '../sandbox/server.ts';
import { createVhost, freePort, uniqueName, type Vhost } from '../test/setup/isolation.ts';
import { connectStore } from '../compose/connect-store.ts';
import type { OutboxMessage } from '../ports/store/messages.ts';

let folder: string;
let vhost: Vhost;
let sandbox: Awaited<ReturnType<typeof startSandbox>>;
let store: Store;
let relay: OwnedProcess;
let base: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'order-saga-relay-'));
  vhost = await createVhost('relay');
  sandbox = await startSandbox();
  const SQL_URL = `sqlite:${join(folder, 'orders.sqlite')}`;
  store = await connectStore({ SQL_URL });
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  relay = await startProcess({
    name: 'relay',
    command: process.execPath,
    args: [fileURLToPath(new URL('./relay.ts', import.meta.url))],
    output: { onLine: () => {} },
    env: {
      PATH: process.env['PATH'],
      TASK_QUEUE_PREFIX: uniqueName('relay'),
      SQL_URL,
      AMQP_URL: vhost.amqpUrl,
      REDIS_URL: inject('redisUrl'),
      SMTP_URL: `smtp://127.0.0.1:${sandbox.smtpPort}`,
      RELAY_PORT: String(port),
      ANALYTICS_SINK: `ndjson:${join(folder, 'analytics')}`,
    },
  });
});
afterAll(async () => {
  await relay.stop();
  await store.close();
  await sandbox.close();
  await vhost.remove();
  await rm(folder, { recursive: true, force: true });
});

const add = (message: OutboxMessage) => store.transaction((tx) => tx.messages.add(message));

const facts = () => ({
  id: randomUUID(),
  occurredAtUtc: new Date().toISOString(),
  orderId: orderId(randomUUID()),
  traceparent: '',
});

const readiness = async () => {
  const response = await fetch(`${base}/readyz`);
  return { status: response.status, body: await response.json() };
};

it('becomes ready and says so for each dependency', async () => {
  await expect
    .poll(() => readiness().catch((error: Error) => error.message), { timeout: 20_000 })
    .toEqual({
      status: 200,
      body: { status: 'ready', checks: { sql: 'up', redis: 'up', rabbitmq: 'up' }, reasons: {} },
    });
});

it('carries an email task from the outbox to the inbox', async () => {
  const task: EmailTask = {
    taskId: randomUUID(),
    template: 'order-confirmation',
    to: `${uniqueName('ada')}@example.com`,
    orderId: randomUUID(),
    customerName: 'Ada',
    items: [],
    total: { amountMinor: 149_900, currency: 'INR' },
  };
  const payload = JSON.stringify({ ...task, items: [{ productId: 'desk-mat', quantity: 1 }] });
  const type = 'email.order-confirmation.v1';
  await add({ ...facts(), type, payload, destination: emailDestination, sequence: 0, priority: 9 });
  const inbox = async () => {
    const response = await fetch(`${sandbox.url}/inbox.json?to=${encodeURIComponent(task.to)}`);
    return ((await response.json()) as { mails: { text: string }[] }).mails.map(({ text }) => text);
  };
  await expect
    .poll(inbox, { timeout: 10_000 })
    .toEqual([expect.stringContaining('Total paid: 1499.00 INR') as string]);
});

it('carries events to a queue that is bound for them and counts them', async () => {
  const connection = await connect(vhost.amqpUrl);
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'orders.exchange', 'order.*.v1');
  const event = { ...facts(), type: 'order.created.v1', payload: '{"eventId":"x"}', sequence: 1 };
  await add({ ...event, destination: eventsDestination });
  const got: string[] = [];
  await channel.consume(queue, (message) => void (message && got.push(String(message.properties.messageId))));
  await expect.poll(() => got, { timeout: 10_000 }).toEqual([event.id]);
  const metrics = await (await fetch(`${base}/metrics`)).text();
  expect(metrics).toMatch(/messages_published_total\{result="confirmed"\} [1-9]/);
  await connection.close();
});

it('ends by itself on SIGTERM and gives its partitions back', async () => {
  process.kill(relay.pid, 'SIGTERM');
  expect(await relay.exited).toEqual({ code: 0, signal: null });
  const free = await store.outbox.lease({
    owner: 'next',
    nowUtc: new Date().toISOString(),
    leaseMs: 1_000,
  });
  expect(free.length).toBe(16);
});
