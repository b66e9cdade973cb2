import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { orderId } from '../../domain/ids.ts';
import { topology, unroutedQueue } from '../../messaging/topology.ts';
import type { Broker, Delivery, HandlerResult } from '../../ports/broker.ts';
import type { OutboxMessage } from '../../ports/store/messages.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createVhost, type Vhost } from '../../test/setup/isolation.ts';
import { connectRabbitmqBroker } from './rabbitmq-broker.ts';
import type { RabbitmqOptions } from './rabbitmq-connection.ts';

const logger = createLogger({ process: 'test', level: 'silent' });
let vhost: Vhost;
let connection: ChannelModel;
let channel: Channel;
const brokers: Broker[] = [];

beforeAll(async () => {
  vhost = await createVhost('broker');
  connection = await connect(vhost.amqpUrl);
});
afterAll(async () => {
  await connection.close();
  await vhost.remove();
});
beforeEach(async () => {
  channel = await connection.createChannel();
  channel.on('error', () => {});
});
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
  for (const { name } of topology.queues) await channel.deleteQueue(name);
  await channel.close();
});

async function broker(changes: Partial<RabbitmqOptions> = {}): Promise<Broker> {
  const made = await connectRabbitmqBroker({ url: vhost.amqpUrl, topology, logger, ...changes });
  brokers.push(made);
  await expect.poll(() => made.state(), { timeout: 5_000 }).toBe('connected');
  return made;
}

const message = (changes: Partial<OutboxMessage> = {}): OutboxMessage => ({
  id: randomUUID(),
  occurredAtUtc: '2026-01-02T03:04:05.678Z',
  type: 'email.order-confirmation.v1',
  payload: '{"hello":"wörld"}',
  destination: 'queue:email-queue',
  orderId: orderId('11111111-1111-5111-8111-111111111111'),
  sequence: 0,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  priority: 9,
  ...changes,
});

/** The next message of the queue, acknowledged. */
async function next(queue: string) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const got = await channel.get(queue, { noAck: true });
    if (got) return got;
    await sleep(50);
  }
  throw new Error(`no message in ${queue} within 5 s`);
}

const depth = async (queue: string) => (await channel.checkQueue(queue)).messageCount;

it('publishes a task with its facts in the AMQP properties', async () => {
  const task = message();
  expect(await (await broker()).publish(task)).toEqual({ status: 'confirmed' });
  const { properties, content } = await next('email-queue');
  expect(content.toString()).toBe(task.payload);
  expect(properties).toMatchObject({
    messageId: task.id,
    type: task.type,
    correlationId: task.orderId,
    timestamp: 1767323045,
    contentType: 'application/json',
    deliveryMode: 2,
    priority: 9,
    headers: {
      traceparent: task.traceparent,
      'event-type': task.type,
      source: 'order-saga',
      'order-id': task.orderId,
    },
  });
});

it('does not take a confirm for a route: a task for a queue that is not there is unroutable', async () => {
  const answer = await (await broker()).publish(message({ destination: 'queue:nobody.q' }));
  expect(answer).toEqual({ status: 'unroutable', reason: 'NO_ROUTE' });
});

it('matches returns to their own message among pipelined ones', async () => {
  const publisher = await broker();
  const answers = await Promise.all(
    Array.from({ length: 300 }, (_, n) =>
      publisher.publish(message(n % 3 === 0 ? { destination: 'queue:nobody.q' } : {})),
    ),
  );
  const expected = answers.map((_, n) => (n % 3 === 0 ? 'unroutable' : 'confirmed'));
  expect(answers.map(({ status }) => status)).toEqual(expected);
  expect(await depth('email-queue')).toBe(200);
});

it('keeps an event that nobody subscribes to and calls it confirmed', async () => {
  const event = message({ destination: 'exchange:orders.exchange', type: 'order.archived.v1' });
  expect(await (await broker()).publish(event)).toEqual({ status: 'confirmed' });
  expect((await next(unroutedQueue)).fields.routingKey).toBe('order.archived.v1');
});

it('routes an event to a subscription by its type and not to the queue of the unrouted', async () => {
  const publisher = await broker();
  const { queue } = await channel.assertQueue('', { autoDelete: true, durable: false });
  await channel.bindQueue(queue, 'orders.exchange', 'order.created.v1');
  await publisher.publish(message({ destination: 'exchange:orders.exchange', type: 'order.created.v1' }));
  expect((await next(queue)).fields.exchange).toBe('orders.exchange');
  expect(await depth(unroutedQueue)).toBe(0);
  await channel.deleteQueue(queue);
});

it('declares a deleted queue of its topology again, so that the next attempt gets through', async () => {
  const publisher = await broker();
  await channel.deleteQueue('email-queue');
  expect(await publisher.publish(message())).toMatchObject({ status: 'unroutable' });
  expect(await publisher.publish(message())).toEqual({ status: 'confirmed' });
});

it('never blames an event when the alternate route was deleted', async () => {
  const publisher = await broker();
  await channel.deleteQueue(unroutedQueue);
  const event = message({ destination: 'exchange:orders.exchange', type: 'order.archived.v1' });
  expect(await publisher.publish(event)).toMatchObject({ status: 'unavailable' });
  expect(await publisher.publish(event)).toEqual({ status: 'confirmed' });
});

it.each([
  ['a destination that is none', { destination: 'orders.exchange' }],
  ['an exchange outside the topology', { destination: 'exchange:typo' }],
  ['a type that fits no routing key', { type: 'x'.repeat(300), destination: 'exchange:orders.exchange' }],
  ['headers over 64 KiB', { traceparent: 'x'.repeat(70_000) }],
  ['a body over 16 MiB', { payload: 'x'.repeat(16 * 1024 * 1024 + 1) }],
])('refuses %s without disturbing its neighbours', async (_, changes) => {
  const publisher = await broker();
  const [refused, neighbour] = await Promise.all([
    publisher.publish(message(changes)),
    publisher.publish(message()),
  ]);
  expect([refused.status, neighbour.status]).toEqual(['refused', 'confirmed']);
});

it('starts degraded when the broker is away and answers at once', async () => {
  const away = await connectRabbitmqBroker({ url: 'amqp://127.0.0.1:1', topology, logger });
  brokers.push(away);
  expect(away.state()).toBe('disconnected');
  expect(await away.publish(message())).toMatchObject({ status: 'unavailable' });
});

it('dead-letters what expires, through the exchange and with the explicit routing key', async () => {
  const queues = topology.queues.map((queue) =>
    queue.name === 'email-queue' ? { ...queue, messageTtlMs: 100 } : queue,
  );
  const task = message();
  await (await broker({ topology: { ...topology, queues } })).publish(task);
  const { properties } = await next('email-queue.dlq');
  expect(properties.messageId).toBe(task.id);
  expect(properties.headers?.['x-death']?.[0]).toMatchObject({ reason: 'expired', queue: 'email-queue' });
});

it('dead-letters a message that a foreign consumer rejects', async () => {
  const task = message();
  await (await broker()).publish(task);
  const got = await channel.get('email-queue');
  if (got) channel.nack(got, false, false);
  expect((await next('email-queue.dlq')).properties.messageId).toBe(task.id);
});

async function consuming(
  on: Broker,
  handler: (delivery: Delivery) => Promise<HandlerResult>,
  prefetch = 5,
): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  await on.consume({
    queue: 'email-queue',
    prefetch,
    handler: async (delivery) => {
      deliveries.push(delivery);
      return handler(delivery);
    },
  });
  return deliveries;
}

const done = async (): Promise<HandlerResult> => ({ status: 'done' });

it('delivers by priority and acknowledges what is done', async () => {
  const publisher = await broker();
  await publisher.publish(message({ priority: 5, payload: '"shipped"' }));
  await publisher.publish(message({ priority: 9, payload: '"confirmed"' }));
  const deliveries = await consuming(publisher, done, 1);
  await expect.poll(() => deliveries.map(({ body }) => body)).toEqual(['confirmed', 'shipped']);
  await expect.poll(() => depth('email-queue')).toBe(0);
});

it('stores a dead letter with its reason before it acknowledges', async () => {
  const publisher = await broker();
  const task = message();
  await publisher.publish(task);
  await consuming(publisher, async () => ({
    status: 'dead-letter',
    reason: 'refused',
    error: '550 no such user',
  }));
  const { properties, content } = await next('email-queue.dlq');
  expect(content.toString()).toBe(task.payload);
  expect(properties).toMatchObject({ messageId: task.id, type: task.type, deliveryMode: 2, priority: 9 });
  expect(properties.headers).toMatchObject({
    'x-reason': 'refused',
    'x-error': '550 no such user',
    'x-attempt': 1,
    'x-origin-queue': 'email-queue',
    'x-original-exchange': '',
    'x-original-routing-key': 'email-queue',
    'order-id': task.orderId,
    traceparent: task.traceparent,
  });
  expect(properties.headers?.['x-first-failed-at']).toBe(properties.headers?.['x-last-failed-at']);
  await expect.poll(() => depth('email-queue')).toBe(0);
});

it('keeps a message whose dead letter cannot be stored, and stores it once the queue is back', async () => {
  const publisher = await broker();
  await publisher.publish(message());
  let handled = 0;
  await publisher.consume({
    queue: 'email-queue',
    prefetch: 1,
    handler: async () => {
      handled += 1;
      if (handled === 1) await channel.deleteQueue('email-queue.dlq');
      return { status: 'dead-letter', reason: 'refused', error: 'no' };
    },
  });
  await expect.poll(() => handled, { timeout: 5_000 }).toBe(2);
  await next('email-queue.dlq');
});

it('dead-letters a message whose headers leave no room for the reason', async () => {
  const publisher = await broker();
  channel.sendToQueue('email-queue', Buffer.from('{}'), { headers: { big: 'x'.repeat(65_000) } });
  await consuming(publisher, async () => ({
    status: 'dead-letter',
    reason: 'bad',
    error: 'e'.repeat(5_000),
  }));
  const { properties } = await next('email-queue.dlq');
  expect(properties.headers).toMatchObject({ 'x-reason': 'bad', 'x-headers-dropped': true });
});

it('does not let a foreign message smuggle copies of its dead letter into other queues', async () => {
  const publisher = await broker();
  await channel.assertQueue('victim.q', { durable: false, autoDelete: true });
  channel.sendToQueue('email-queue', Buffer.from('{}'), { CC: ['victim.q'] });
  await next('victim.q');
  await consuming(publisher, async () => ({ status: 'dead-letter', reason: 'bad', error: 'bad' }));
  await next('email-queue.dlq');
  expect(await depth('victim.q')).toBe(0);
  await channel.deleteQueue('victim.q');
});

it.each([
  ['no JSON', Buffer.from('{"cut')],
  ['broken UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ['an empty body', Buffer.alloc(0)],
])('gives %s to the handler with a parse error', async (_, content) => {
  const consumer = await broker();
  channel.sendToQueue('email-queue', content, { messageId: 'm' });
  const deliveries = await consuming(consumer, done);
  await expect.poll(() => deliveries.length).toBe(1);
  expect(deliveries[0]).toMatchObject({ body: undefined, parseError: expect.any(String), messageId: 'm' });
});

it('gives a paused delivery back, stops consuming and comes back after the pause', async () => {
  const publisher = await broker();
  await publisher.publish(message({ payload: '"first"' }));
  await publisher.publish(message({ payload: '"second"' }));
  const times: number[] = [];
  let away = true;
  const deliveries = await consuming(
    publisher,
    async () => {
      times.push(Date.now());
      if (!away) return { status: 'done' };
      away = false;
      return { status: 'pause', ms: 400, reason: 'mail server away' };
    },
    1,
  );
  await expect.poll(() => deliveries.map(({ body }) => body)).toEqual(['first', 'first', 'second']);
  expect(deliveries[1]?.redelivered).toBe(true);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(390);
});

it('delivers again after a handler that throws', async () => {
  const publisher = await broker();
  await publisher.publish(message());
  let calls = 0;
  const deliveries = await consuming(publisher, async () => {
    calls += 1;
    if (calls === 1) throw new Error('bug');
    return { status: 'done' };
  });
  await expect.poll(() => deliveries.length, { timeout: 5_000 }).toBe(2);
  await expect.poll(() => depth('email-queue')).toBe(0);
});

it('survives the deletion of its queue (a null delivery) and consumes from the one declared again', async () => {
  const publisher = await broker();
  const deliveries = await consuming(publisher, done);
  await expect.poll(async () => (await channel.checkQueue('email-queue')).consumerCount).toBe(1);
  await channel.deleteQueue('email-queue');
  await expect
    .poll(async () => (await publisher.publish(message())).status, { timeout: 5_000 })
    .toBe('confirmed');
  await expect.poll(() => deliveries.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(1);
});

it('waits on close for handlers at work and loses no acknowledgement', async () => {
  const publisher = await broker();
  await publisher.publish(message());
  let finished = false;
  const deliveries = await consuming(publisher, async () => {
    await sleep(300);
    finished = true;
    return { status: 'done' };
  });
  await expect.poll(() => deliveries.length).toBe(1);
  await publisher.close();
  expect(finished).toBe(true);
  await sleep(100);
  expect(await depth('email-queue')).toBe(0);
});
