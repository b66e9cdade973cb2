import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { delayQueueOf } from '../../domain/destinations.ts';
import { eventTypes, type EventType } from '../../domain/events.ts';
import { messageHeaders } from '../../domain/message-headers.ts';
import { delayParts, joinParts, deadLetterParts, subscriptionParts } from '../../messaging/queue-parts.ts';
import { topology } from '../../messaging/topology.ts';
import type { Broker, Delivery, HandlerResult, Topology } from '../../ports/broker.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createVhost, type Vhost } from '../../test/setup/isolation.ts';
import { connectRabbitmqBroker } from './rabbitmq-broker.ts';

const logger = createLogger({ process: 'test', level: 'silent' });
const queue = 'tasks';
const tasks: Topology = joinParts([
  { exchanges: [], queues: [{ name: queue, kind: 'classic', durable: true }], bindings: [] },
  deadLetterParts(queue),
  delayParts(queue, [200, 500]),
]);
let vhost: Vhost;
let connection: ChannelModel;
let channel: Channel;
let broker: Broker;

beforeAll(async () => {
  vhost = await createVhost('retries');
  connection = await connect(vhost.amqpUrl);
});
afterAll(async () => {
  await connection.close();
  await vhost.remove();
});
beforeEach(async () => {
  channel = await connection.createChannel();
  channel.on('error', () => {});
  broker = await connectRabbitmqBroker({ url: vhost.amqpUrl, topology, logger });
  await broker.declare(tasks);
});
afterEach(async () => {
  await broker.close();
  for (const { name } of tasks.queues) await channel.deleteQueue(name);
  await channel.close();
});

const send = (headers: Record<string, unknown> = {}, content = '{}') =>
  channel.sendToQueue(queue, Buffer.from(content), { messageId: randomUUID(), headers });

async function consuming(decide: (delivery: Delivery) => HandlerResult) {
  const seen: (Delivery & { atMs: number })[] = [];
  await broker.consume({
    queue,
    prefetch: 10,
    handler: async (delivery) => {
      seen.push({ ...delivery, atMs: performance.now() });
      return decide(delivery);
    },
  });
  return seen;
}

async function next(name: string) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const got = await channel.get(name, { noAck: true });
    if (got) return got;
    await sleep(50);
  }
  throw new Error(`no message in ${name} within 5 s`);
}

const retry = (delayMs: number, more: { counted?: boolean } = {}): HandlerResult => ({
  status: 'retry',
  delayMs,
  reason: 'timeout',
  error: 'no answer within 10 s',
  ...more,
});

it('gives a message back after its delay, with our own count, and dead-letters it with its whole story', async () => {
  send({ 'order-id': 'order-1', traceparent: 'trace' });
  const seen = await consuming(({ attempt }) =>
    attempt < 3
      ? retry(attempt === 1 ? 200 : 500)
      : { status: 'dead-letter', reason: 'refused', error: '400' },
  );
  const { properties } = await next('tasks.dlq');
  expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  const gaps = seen.slice(1).map(({ atMs }, index) => atMs - (seen[index]?.atMs ?? 0));
  expect(gaps[0]).toBeGreaterThanOrEqual(199);
  expect(gaps[1]).toBeGreaterThanOrEqual(499);
  expect(gaps[0]).toBeLessThan(350);
  expect(gaps[1]).toBeLessThan(750);
  const headers = properties.headers ?? {};
  expect(headers).toMatchObject({
    [messageHeaders.attempt]: 3,
    [messageHeaders.reason]: 'refused',
    [messageHeaders.error]: '400',
    [messageHeaders.originQueue]: queue,
    [messageHeaders.originalExchange]: '',
    [messageHeaders.originalRoutingKey]: queue,
    'order-id': 'order-1',
    traceparent: 'trace',
  });
  const [first, last] = [headers[messageHeaders.firstFailedAt], headers[messageHeaders.lastFailedAt]];
  expect(Date.parse(last) - Date.parse(first)).toBeGreaterThanOrEqual(650);
});

it('lets a short delay pass a long one: each delay has a queue of its own', async () => {
  send({}, '"long"');
  send({}, '"short"');
  const seen = await consuming(({ attempt, body }) =>
    attempt > 1 ? { status: 'done' } : retry(body === 'long' ? 500 : 200),
  );
  await expect.poll(() => seen.length, { timeout: 3_000 }).toBe(4);
  expect(seen.slice(2).map(({ body }) => body)).toEqual(['short', 'long']);
});

it('does not count an attempt that the handler says is none', async () => {
  send();
  const seen = await consuming(() => (seen.length < 3 ? retry(200, { counted: false }) : { status: 'done' }));
  await expect.poll(() => seen.length, { timeout: 3_000 }).toBe(3);
  expect(seen.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
});

it.each([
  ['a count on a message that no retry sent', { 'x-attempt': 900 }],
  ['a count of another queue', { 'x-attempt': 900, 'x-origin-queue': 'email-queue' }],
  ['a count below one', { 'x-attempt': -5, 'x-origin-queue': queue }],
  ['a count that is no number', { 'x-attempt': 'many', 'x-origin-queue': queue }],
])('takes %s for the first attempt', async (_, headers) => {
  send(headers);
  const seen = await consuming(() => ({ status: 'done' }));
  await expect.poll(() => seen.length).toBe(1);
  expect(seen[0]?.attempt).toBe(1);
});

it('keeps a message whose delay queue was deleted, and puts the queue back', async () => {
  const seen = await consuming(({ attempt }) => (attempt > 1 ? { status: 'done' } : retry(200)));
  await expect.poll(async () => (await channel.checkQueue(queue)).consumerCount).toBe(1);
  await channel.deleteQueue(delayQueueOf(queue, 200));
  send();
  await expect.poll(() => seen.map(({ attempt }) => attempt), { timeout: 5_000 }).toEqual([1, 1, 2]);
});

const declareSubscription = (events: readonly EventType[], ordered = false) =>
  broker.declare(subscriptionParts({ queue: 'loyalty.points.q', events, ordered, delaysMs: [200] }));

const publishEvents = async () => {
  for (const type of eventTypes) {
    const message = { id: randomUUID(), occurredAtUtc: '2026-01-02T03:04:05.678Z', type, payload: '{}' };
    const rest = {
      destination: 'exchange:orders.exchange',
      orderId: 'o' as never,
      sequence: 1,
      traceparent: '',
    };
    expect(await broker.publish({ ...message, ...rest })).toEqual({ status: 'confirmed' });
  }
};

it('binds a subscription to its events alone, also after it gave some up', async () => {
  await declareSubscription(['order.created.v1', 'order.completed.v1']);
  await declareSubscription(['order.completed.v1', 'order.failed.v1']);
  await publishEvents();
  const types = [await next('loyalty.points.q'), await next('loyalty.points.q')].map(
    ({ fields }) => fields.routingKey,
  );
  expect(types).toEqual(['order.completed.v1', 'order.failed.v1']);
  expect((await channel.checkQueue('loyalty.points.q')).messageCount).toBe(0);
  await channel.deleteQueue('loyalty.points.q');
});

it('refuses a subscription that stands with other arguments, says what to do and disturbs nothing', async () => {
  await declareSubscription(['order.created.v1']);
  await expect(declareSubscription(['order.created.v1'], true)).rejects.toThrow(
    /refused to declare loyalty\.points\.q\.dlq, loyalty\.points\.q:.*PRECONDITION.FAILED.*give the subscription a new name/s,
  );
  expect(broker.state()).toBe('connected');
  await channel.deleteQueue('loyalty.points.q');
});

it('dead-letters a message that kills its consumer again and again', async () => {
  await declareSubscription(['order.created.v1']);
  channel.sendToQueue('loyalty.points.q', Buffer.from('{}'), { messageId: 'poison' });
  const deadline = Date.now() + 10_000;
  let deliveries = 0;
  while (Date.now() < deadline && (await channel.checkQueue('loyalty.points.q.dlq')).messageCount === 0) {
    const got = await channel.get('loyalty.points.q');
    if (got) channel.nack(got, false, true);
    if (got) deliveries += 1;
  }
  const dead = await next('loyalty.points.q.dlq');
  expect(dead.properties.messageId).toBe('poison');
  expect(dead.properties.headers?.['x-death']?.[0]).toMatchObject({ reason: 'delivery_limit' });
  expect(deliveries).toBe(21);
  await channel.deleteQueue('loyalty.points.q');
});
