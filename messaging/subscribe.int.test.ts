import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Channel, type ChannelModel, type GetMessage } from 'amqplib';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { connectRabbitmqBroker } from '../adapters/rabbitmq/rabbitmq-broker.ts';
import { connectRedis } from '../adapters/redis/connect-redis.ts';
import {
  connectSubscriberStore,
  type SubscriberStore,
  type SubscriberTransaction,
} from '../adapters/sqlite/subscriber-store.ts';
import type { EventType } from '../domain/events.ts';
import { TechnicalFailure } from '../domain/failures.ts';
import { systemClock } from '../ports/clock.ts';
import type { Broker } from '../ports/broker.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createVhost, uniqueName, type Vhost } from '../test/setup/isolation.ts';
import { exampleOf } from './contracts/event-contract.ts';
import { eventContracts } from './contracts/event-contracts.ts';
import { createSubscribe } from './subscribe.ts';
import { topology } from './topology.ts';
import type { EventContext, Rejection, SubscriberDeps, SubscriptionInput } from './subscription.ts';

type Tx = SubscriberTransaction;

const logger = createLogger({ process: 'test', level: process.env['LOG_LEVEL'] ?? 'silent' });
const quick = [60, 120, 180];
let vhost: Vhost;
let redis: Awaited<ReturnType<typeof connectRedis>>;
let folder: string;
let connection: ChannelModel;
let channel: Channel;
let broker: Broker;
let store: SubscriberStore;
let metrics: ReturnType<typeof createMetrics>;
let service: string;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  vhost = await createVhost('subscribe');
  redis = await connectRedis({
    url: inject('redisUrl'),
    keyPrefix: `${uniqueName('kit')}:`,
    onDegraded() {},
  });
  folder = await mkdtemp(join(tmpdir(), 'order-saga-subscribe-'));
  connection = await connect(vhost.amqpUrl);
});
afterAll(async () => {
  await connection.close();
  await redis.close();
  await vhost.remove();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  service = uniqueName('s');
  channel = await connection.createChannel();
  metrics = createMetrics();
  store = connectSubscriberStore({
    path: join(folder, `${service}.sqlite`),
    schema: 'CREATE TABLE IF NOT EXISTS Effects (EventId TEXT NOT NULL) STRICT;',
  });
  broker = await another();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await store.close();
  await channel.close();
});

async function another(): Promise<Broker> {
  const made = await connectRabbitmqBroker({
    url: vhost.amqpUrl,
    topology: { exchanges: topology.exchanges, queues: [], bindings: [] },
    logger,
  });
  closing.push(() => made.close());
  return made;
}

const subscribing = (changes: Partial<SubscriberDeps<Tx>> = {}) =>
  createSubscribe<Tx>({ broker, seen: redis.seen, store, clock: systemClock, logger, metrics, ...changes });

interface Seen {
  orderId: string;
  sequence: number;
  attempt: number;
  context: EventContext<Tx>;
}

/** Subscribes to `order.created.v1` and notes what the handler sees; `act` may throw. */
async function seeing(
  act: (seen: Seen) => unknown = () => {},
  input: Partial<SubscriptionInput<'order.created.v1', Tx>> = {},
  deps: Partial<SubscriberDeps<Tx>> = {},
) {
  const seen: Seen[] = [];
  const subscription = await subscribing(deps)({
    service,
    events: ['order.created.v1'],
    retryDelaysMs: quick,
    ...input,
    async handler({ payload, metadata }, context) {
      const now = {
        orderId: payload.orderId,
        sequence: metadata.sequence,
        attempt: context.attempt,
        context,
      };
      seen.push(now);
      return (await act(now)) as Rejection | undefined;
    },
  });
  return { seen, ...subscription };
}

function eventOf(sequence = 1, type: EventType = 'order.created.v1') {
  const example = exampleOf(type, eventContracts[type]);
  const orderId = randomUUID();
  return {
    ...example,
    eventId: randomUUID(),
    payload: { ...example.payload, orderId },
    metadata: { ...example.metadata, correlationId: orderId, sequence },
  };
}

function publish(
  body: ReturnType<typeof eventOf> | string | object,
  headers: Record<string, unknown> = {},
): void {
  const content = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const id = (body as { eventId?: string }).eventId ?? 'none';
  channel.publish('orders.exchange', 'order.created.v1', content, { messageId: id, headers });
}

async function deadLetters(count: number): Promise<GetMessage[]> {
  const got: GetMessage[] = [];
  for (let attempt = 0; attempt < 100 && got.length < count; attempt += 1) {
    const message = await channel.get(`${service}.events.q.dlq`, { noAck: true });
    if (message) got.push(message);
    else await sleep(50);
  }
  return got;
}

const counts = async () =>
  Object.fromEntries(
    (await metrics.messagesConsumed.get()).values.map(({ labels, value }) => [labels.result, value]),
  );

const isIdle = async () => (await channel.checkQueue(`${service}.events.q`)).messageCount === 0;

it('delivers at least once: an event whose handler failed comes again, with the next attempt number', async () => {
  const { seen } = await seeing(({ attempt }) => {
    if (attempt < 3) throw new Error('not yet');
  });
  publish(eventOf());
  await expect.poll(() => seen.map(({ attempt }) => attempt), { timeout: 5_000 }).toEqual([1, 2, 3]);
  await expect.poll(counts).toEqual({ retry: 2, done: 1 });
  expect(await isIdle()).toBe(true);
});

it('handles a duplicate, which carries the same eventId, once', async () => {
  const { seen } = await seeing();
  const event = eventOf();
  publish(event);
  await expect.poll(counts).toEqual({ done: 1 });
  publish(event);
  await expect.poll(counts).toEqual({ done: 1, duplicate: 1 });
  expect(seen.length).toBe(1);
});

it('applies an effect once also without Redis: the mark is in the same transaction', async () => {
  const blind = { seen: async () => 'unavailable' as const, remember: async () => {} };
  const { seen } = await seeing(apply, {}, { seen: blind });
  const event = eventOf();
  publish(event);
  publish(event);
  await expect.poll(counts).toEqual({ done: 1, duplicate: 1 });
  expect([seen.length, effects()]).toEqual([2, 1]);
});

it('keeps neither effect nor mark of an attempt that fails', async () => {
  await seeing(({ attempt, context }) =>
    context.once(({ sql }) => {
      sql.run('INSERT INTO Effects (EventId) VALUES (?)', `attempt ${attempt}`);
      if (attempt === 1) throw new Error('after the effect, before the commit');
    }),
  );
  publish(eventOf());
  await expect.poll(counts, { timeout: 5_000 }).toEqual({ retry: 1, done: 1 });
  expect(store.read.all('SELECT EventId FROM Effects')).toEqual([{ EventId: 'attempt 2' }]);
});

const apply = ({ context }: Seen): Promise<unknown> =>
  context.once(({ sql }) => void sql.run("INSERT INTO Effects (EventId) VALUES ('x')"));
const effects = () => store.read.get<{ n: number }>('SELECT COUNT(*) AS n FROM Effects')?.n;

it('hands out events in the order they were first published', async () => {
  const { seen } = await seeing();
  for (let sequence = 1; sequence <= 50; sequence += 1) publish(eventOf(sequence));
  await expect.poll(() => seen.length).toBe(50);
  expect(seen.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
});

it('takes no more events at a time than its prefetch, and leaves the others with the broker', async () => {
  const free = Promise.withResolvers<void>();
  const { seen } = await seeing(() => free.promise, { prefetch: 3 });
  for (let sequence = 1; sequence <= 9; sequence += 1) publish(eventOf(sequence));
  await expect.poll(() => seen.length).toBe(3);
  await sleep(200);
  expect(seen.length).toBe(3);
  expect((await channel.checkQueue(`${service}.events.q`)).messageCount).toBe(6);
  free.resolve();
  await expect.poll(counts).toEqual({ done: 9 });
});

const failFirstOfSequence1 = ({ sequence, attempt }: Seen) => {
  if (sequence === 1 && attempt === 1) throw new Error('not yet');
};

it('by default lets later events pass one that is retried, and sequence tells', async () => {
  const { seen } = await seeing(failFirstOfSequence1);
  publish(eventOf(1));
  publish(eventOf(2));
  await expect.poll(() => seen.length, { timeout: 5_000 }).toBe(3);
  expect(seen.map(({ sequence }) => sequence)).toEqual([1, 2, 1]);
});

it('ordered: retries in place, and nothing passes', async () => {
  const { seen } = await seeing(failFirstOfSequence1, { ordered: true });
  publish(eventOf(1));
  publish(eventOf(2));
  await expect.poll(() => seen.length, { timeout: 5_000 }).toBe(3);
  expect(seen.map(({ sequence, attempt }) => [sequence, attempt])).toEqual([
    [1, 1],
    [1, 2],
    [2, 1],
  ]);
});

it('ordered: has one active consumer among its instances, and the next takes over where it ends', async () => {
  const first = await seeing(undefined, { ordered: true });
  const second = await seeing(undefined, { ordered: true }, { broker: await another() });
  for (let sequence = 1; sequence <= 10; sequence += 1) publish(eventOf(sequence));
  await expect.poll(() => first.seen.length).toBe(10);
  await first.close();
  publish(eventOf(11));
  await expect.poll(() => second.seen.map(({ sequence }) => sequence)).toEqual([11]);
  expect(first.seen.length).toBe(10);
});

it('ordered: gives an event back at once when it is closed while that event waits', async () => {
  const fails = () => {
    throw new Error('no');
  };
  const first = await seeing(fails, { ordered: true, retryDelaysMs: [60_000] });
  const second = await seeing(undefined, { ordered: true }, { broker: await another() });
  publish(eventOf(1));
  publish(eventOf(2));
  await expect.poll(() => first.seen.length).toBe(1);
  const startedAt = performance.now();
  await first.close();
  await expect.poll(() => second.seen.map(({ sequence }) => sequence)).toEqual([1, 2]);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

it.each([{ ordered: false }, { ordered: true }])(
  'dead-letters after the last attempt with the whole story, and blocks nothing (ordered: $ordered)',
  async ({ ordered }) => {
    const { seen } = await seeing(
      ({ sequence }) => {
        if (sequence === 1) throw new Error('never');
      },
      { ordered },
    );
    const event = eventOf(1);
    publish(event, { 'order-id': event.payload.orderId, traceparent: 'trace' });
    publish(eventOf(2));
    const [dead] = await deadLetters(1);
    expect(dead?.content.toString()).toBe(JSON.stringify(event));
    expect(dead?.properties.headers).toMatchObject({
      'x-reason': 'retries-exhausted',
      'x-error': 'Error: never',
      'x-attempt': 4,
      'x-origin-queue': `${service}.events.q`,
      'x-original-exchange': 'orders.exchange',
      'x-original-routing-key': 'order.created.v1',
      'order-id': event.payload.orderId,
      traceparent: 'trace',
    });
    await expect.poll(() => seen.filter(({ sequence }) => sequence === 2).length).toBe(1);
    expect((await metrics.messagesDeadLettered.get()).values).toEqual([
      { labels: { queue: `${service}.events.q`, reason: 'retries-exhausted' }, value: 1 },
    ]);
  },
);

it('dead-letters at once what the handler rejects', async () => {
  const { seen } = await seeing(() => ({ reject: 'unknown-customer', error: 'customer-1 has no account' }));
  publish(eventOf());
  const [dead] = await deadLetters(1);
  expect(dead?.properties.headers).toMatchObject({ 'x-reason': 'unknown-customer', 'x-attempt': 1 });
  expect(seen.length).toBe(1);
});

it('waits for a store that is away without using up attempts', async () => {
  let away = 6;
  const transaction: SubscriberStore['transaction'] = (work) =>
    (away -= 1) < 0
      ? store.transaction(work)
      : Promise.reject(new TechnicalFailure('StoreUnavailable', 'SQL is away'));
  const { seen } = await seeing(apply, {}, { store: { transaction } });
  publish(eventOf());
  await expect.poll(counts, { timeout: 5_000 }).toEqual({ retry: 6, done: 1 });
  expect(new Set(seen.map(({ attempt }) => attempt))).toEqual(new Set([1]));
  expect(effects()).toBe(1);
});

const newer = () => ({ ...eventOf(), eventType: 'order.created.v2' });
const withoutId = () => ({ ...eventOf(), eventId: undefined });

it.each<[string, () => string | object, string]>([
  ['no JSON', () => '{"cut', 'invalid-json'],
  ['a list', () => '[]', 'missing-id'],
  ['null', () => 'null', 'missing-id'],
  ['no eventId', withoutId, 'missing-id'],
  ['a newer version', newer, 'unknown-version'],
  ['an unknown type', () => ({ ...eventOf(), eventType: 'order.eaten.v1' }), 'unknown-type'],
  ['a missing payload', () => ({ ...eventOf(), payload: undefined }), 'invalid-event'],
  [
    'a newer schema version',
    () => ({ ...eventOf(), metadata: { ...eventOf().metadata, schemaVersion: 2 } }),
    'invalid-event',
  ],
])('dead-letters %s with a clear reason, and the next event is handled', async (_, body, reason) => {
  const { seen } = await seeing();
  publish(body());
  publish(eventOf(2));
  const [dead] = await deadLetters(1);
  expect(dead?.properties.headers).toMatchObject({ 'x-reason': reason, 'x-attempt': 1 });
  expect(dead?.properties.headers?.['x-error'].length).toBeGreaterThan(5);
  await expect.poll(() => seen.map(({ sequence }) => sequence)).toEqual([2]);
});

it('dead-letters the same eventId with another body: nobody may miss that', async () => {
  const { seen } = await seeing();
  const event = eventOf(1);
  publish(event);
  await expect.poll(counts).toEqual({ done: 1 });
  publish({ ...event, payload: { ...event.payload, totalAmount: 1 } });
  const [dead] = await deadLetters(1);
  expect(dead?.properties.headers).toMatchObject({ 'x-reason': 'conflicting-duplicate' });
  expect(seen.length).toBe(1);
});

it('takes a forged attempt count for what it is', async () => {
  const { seen } = await seeing(({ attempt }) => {
    if (attempt === 1) throw new Error('not yet');
  });
  publish(eventOf(), { 'x-attempt': 99, 'x-origin-queue': `${service}.events.q` });
  await expect.poll(() => seen.map(({ attempt }) => attempt), { timeout: 5_000 }).toEqual([1, 2]);
});

it('carries 1 MB of payload through retry and dead letter', async () => {
  await seeing(
    () => {
      throw new Error('no');
    },
    { retryDelaysMs: [60] },
  );
  const event = { ...eventOf(), more: 'x'.repeat(1_048_576) };
  publish(event);
  const [dead] = await deadLetters(1);
  expect(dead?.content.equals(Buffer.from(JSON.stringify(event)))).toBe(true);
});

it('retries and dead-letters a message whose headers are over 64 KiB, without those', async () => {
  const { seen } = await seeing(
    () => {
      throw new Error('no');
    },
    { retryDelaysMs: [60] },
  );
  const event = eventOf();
  await publishByManagement(event, { big: 'x'.repeat(70_000), 'order-id': event.payload.orderId });
  const [dead] = await deadLetters(1);
  expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2]);
  expect(dead?.properties.headers).toMatchObject({
    'x-reason': 'retries-exhausted',
    'x-headers-dropped': true,
    'order-id': event.payload.orderId,
  });
  expect(dead?.content.toString()).toBe(JSON.stringify(event));
});

/** Our own client library cannot write headers of that size; others can. */
async function publishByManagement(body: object, headers: Record<string, string>): Promise<void> {
  const { origin, username, password } = new URL(inject('amqpManagementUrl'));
  const response = await fetch(`${origin}/api/exchanges/${vhost.name}/orders.exchange/publish`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
    body: JSON.stringify({
      routing_key: 'order.created.v1',
      payload: JSON.stringify(body),
      payload_encoding: 'string',
      properties: { headers },
    }),
  });
  expect(await response.json()).toEqual({ routed: true });
}

it.each([
  [
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  ],
  ['anything else', undefined],
])('continues the trace of the publisher: %s', async (header, expected) => {
  const { seen } = await seeing();
  publish(eventOf(), { traceparent: header });
  await expect.poll(() => seen.length).toBe(1);
  expect(seen[0]?.context.traceparent).toBe(expected);
});

it('lets .v2 stand beside .v1: each subscriber gets the version it asked for', async () => {
  const v2 = 'order.created.v2';
  const contracts = { ...eventContracts, [v2]: eventContracts['order.created.v1'] };
  const old = await seeing();
  const newSeen: string[] = [];
  await subscribing({ contracts })({
    service,
    subscription: 'newer',
    events: [v2 as EventType],
    handler: async ({ eventType }) => void newSeen.push(eventType),
  });
  const event = { ...eventOf(), eventType: v2 };
  const content = JSON.stringify({ ...event, metadata: { ...event.metadata, schemaVersion: 2 } });
  channel.publish('orders.exchange', v2, Buffer.from(content));
  publish(eventOf(1));
  await expect.poll(() => [newSeen, old.seen.length]).toEqual([[v2], 1]);
  expect(await deadLetters(0)).toEqual([]);
});

it.each([
  [{ events: [] }, /at least one event type/],
  [{ events: ['order.eaten.v1' as 'order.created.v1'] }, /expected event types among order\.created\.v1/],
  [{ service: 'Big Letters' }, /lower-case/],
  [{ retryDelaysMs: [0] }, /retry delays/],
  [{ ordered: true, retryDelaysMs: [3_600_000] }, /retry delays of 1 to 300000/],
  [{ prefetch: 0 }, /a prefetch/],
])('refuses %j', async (input, reason) => {
  await expect(seeing(undefined, input)).rejects.toThrow(reason);
});

it('says that once needs a store', async () => {
  const { store: _none, ...deps } = { broker, seen: redis.seen, store, clock: systemClock, logger, metrics };
  await createSubscribe(deps)({
    service,
    events: ['order.created.v1'],
    retryDelaysMs: [],
    handler: async (_event, { once }) => void (await once(() => {})),
  });
  publish(eventOf());
  const [dead] = await deadLetters(1);
  expect(dead?.properties.headers?.['x-error']).toMatch(/once\(\) needs a store/);
});
