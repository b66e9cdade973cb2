import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connectRabbitmqBroker } from '../../adapters/rabbitmq/rabbitmq-broker.ts';
import { orderId } from '../../domain/ids.ts';
import { createMemoryOutbox } from '../../messaging/memory-outbox.ts';
import { createRelay } from '../../messaging/relay.ts';
import { topology } from '../../messaging/topology.ts';
import type { Broker, Topology } from '../../ports/broker.ts';
import { systemClock } from '../../ports/clock.ts';
import type { OutboxMessage } from '../../ports/store/messages.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { startPrivateBroker, type PrivateBroker } from '../support/private-broker.ts';

const logger = createLogger({ process: 'test', level: process.env['LOG_LEVEL'] ?? 'silent' });
const subscription = 'audit.everything.q';
/** Classic: a quorum queue of RabbitMQ 3.10 that is killed within seconds of its declaration does not come back. */
const withSubscription: Topology = {
  ...topology,
  queues: [...topology.queues, { name: subscription, kind: 'classic', durable: true }],
  bindings: [...topology.bindings, { queue: subscription, exchange: 'orders.exchange', routingKey: '#' }],
};

let server: PrivateBroker;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  server = await startPrivateBroker();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});
afterAll(() => server.remove());

async function connected(): Promise<Broker> {
  const broker = await connectRabbitmqBroker({
    url: server.url,
    topology: withSubscription,
    logger,
    confirmTimeoutMs: 1_000,
    operationTimeoutMs: 1_000,
    maximumReconnectDelayMs: 500,
  });
  closing.push(() => broker.close());
  await expect.poll(() => broker.state(), { timeout: 10_000 }).toBe('connected');
  return broker;
}

const event = (order: number, sequence: number, changes: Partial<OutboxMessage> = {}): OutboxMessage => ({
  id: `o${order}-${sequence}`,
  occurredAtUtc: new Date().toISOString(),
  type: 'order.created.v1',
  payload: JSON.stringify({ order, sequence }),
  destination: 'exchange:orders.exchange',
  orderId: orderId(`o${order}`),
  sequence,
  traceparent: '',
  ...changes,
});

function relaying(broker: Broker) {
  const outbox = createMemoryOutbox();
  const relay = createRelay({
    store: outbox.store,
    publisher: broker,
    bell: { ring() {}, listen: async () => ({ close: async () => {} }) },
    clock: systemClock,
    owner: 'relay',
    logger,
    metrics: createMetrics(),
    timing: { sweepMs: 20, retryMs: 5, maximumRetryMs: 20 },
  });
  closing.push(() => relay.stop());
  return { outbox, relay };
}

/** Sequences by order, as they arrived first. */
async function collect(broker: Broker): Promise<Map<string, number[]>> {
  const firsts = new Map<string, number[]>();
  await broker.consume({
    queue: subscription,
    prefetch: 20,
    handler: async ({ headers, body }) => {
      const id = String(headers['order-id']);
      const { sequence } = body as { sequence: number };
      const sequences = firsts.get(id) ?? [];
      if (!sequences.includes(sequence)) firsts.set(id, [...sequences, sequence]);
      return { status: 'done' };
    },
  });
  return firsts;
}

it('delivers every event in order per order across a SIGKILL and restart of the broker, and blames none', async () => {
  const orders = 60;
  const perOrder = 8;
  const broker = await connected();
  const { outbox, relay } = relaying(broker);
  const firsts = await collect(broker);
  await relay.start();
  for (let sequence = 1; sequence <= perOrder; sequence += 1) {
    for (let order = 0; order < orders; order += 1) outbox.add(event(order, sequence));
    await sleep(40);
    if (sequence === 2) await server.kill();
    if (sequence === 6) await server.start();
  }
  const due = outbox.due();
  expect(due.length).toBeGreaterThan(orders);
  await expect.poll(() => outbox.due().length, { timeout: 20_000 }).toBe(0);
  const all = Array.from({ length: perOrder }, (_, index) => index + 1);
  const expected = new Map(Array.from({ length: orders }, (_, order) => [`o${order}`, all]));
  await expect.poll(() => [...firsts.values()].flat().length, { timeout: 20_000 }).toBe(orders * perOrder);
  expect(firsts).toEqual(expected);
  expect(Math.max(...outbox.rows.map(({ attempts }) => attempts))).toBe(0);
});

it('opens a confirm channel of its own after each recovery', async () => {
  const broker = await connected();
  await server.kill();
  expect(await broker.publish(event(1, 1))).toMatchObject({ status: 'unavailable' });
  await server.start();
  await expect.poll(() => broker.state(), { timeout: 20_000 }).toBe('connected');
  expect(await broker.publish(event(1, 1))).toEqual({ status: 'confirmed' });
});

it('answers in time while the broker hangs, and goes on when it wakes up', async () => {
  const broker = await connected();
  server.freeze();
  const startedAt = performance.now();
  const answers = await Promise.all([1, 2, 3].map((n) => broker.publish(event(2, n))));
  expect(performance.now() - startedAt).toBeLessThan(1_500);
  expect(answers.map(({ status }) => status)).toEqual(['unavailable', 'unavailable', 'unavailable']);
  await sleep(3_000);
  expect(broker.state()).toBe('disconnected');
  server.thaw();
  await expect.poll(() => broker.state(), { timeout: 20_000 }).toBe('connected');
  expect(await broker.publish(event(2, 1))).toEqual({ status: 'confirmed' });
});

it('closes in time while the broker hangs', async () => {
  const broker = await connected();
  server.freeze();
  const startedAt = performance.now();
  await broker.close();
  server.thaw();
  expect(performance.now() - startedAt).toBeLessThan(3_000);
});

it('slows the relay and touches no message while the broker takes none (memory alarm)', async () => {
  const broker = await connected();
  const { outbox, relay } = relaying(broker);
  await server.setMemoryAlarm(true);
  for (let order = 0; order < 5; order += 1) outbox.add(event(order, 1));
  await relay.start();
  await expect.poll(() => broker.state(), { timeout: 10_000 }).toBe('blocked');
  const startedAt = performance.now();
  expect(await broker.publish(event(9, 1))).toEqual({
    status: 'unavailable',
    reason: expect.stringContaining('blocked') as string,
  });
  expect(performance.now() - startedAt).toBeLessThan(200);
  await sleep(1_500);
  expect(outbox.due().length).toBe(5);
  await server.setMemoryAlarm(false);
  await expect.poll(() => outbox.due().length, { timeout: 20_000 }).toBe(0);
  expect(Math.max(...outbox.rows.map(({ attempts }) => attempts))).toBe(0);
});

it('sets a task for a queue that is not there aside after 10 attempts while other orders go on', async () => {
  const broker = await connected();
  const { outbox, relay } = relaying(broker);
  outbox.add(event(1, 0, { destination: 'queue:nobody.q' }));
  outbox.add(event(1, 1));
  for (let order = 2; order < 30; order += 1) outbox.add(event(order, 1));
  await relay.start();
  await expect.poll(() => outbox.due().length, { timeout: 10_000 }).toBe(0);
  expect(outbox.rows[0]).toMatchObject({ attempts: 10, isSetAside: true });
  expect(outbox.rows.filter((row) => row.publishedAtUtc === undefined).map(({ id }) => id)).toEqual([
    'o1-0',
    'o1-1',
  ]);
});
