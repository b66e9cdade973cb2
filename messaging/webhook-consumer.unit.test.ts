import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventTypes } from '../domain/events.ts';
import { TechnicalFailure } from '../domain/failures.ts';
import { webhookDeliveryType, type WebhookAttempt, type WebhookEndpoint } from '../domain/webhooks.ts';
import type { Broker, Delivery, HandlerResult, PublishAnswer } from '../ports/broker.ts';
import type { Store } from '../ports/store.ts';
import type { WebhookAnswer } from '../ports/webhooks.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { startWebhookConsumer, type WebhookSettings } from './webhook-consumer.ts';
import { webhookGateDefaults } from './webhook-gate.ts';
import type { OutboxMessage } from '../ports/store/messages.ts';

const endpointId = `we_${'a'.repeat(32)}` as const;
const answered = (httpStatus: number, retryAfterMs?: number): WebhookAnswer => ({
  status: 'answered',
  httpStatus,
  body: '',
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

/** A consumer whose broker, store and partner do what the test says. */
async function build(settings: Partial<WebhookSettings> = {}) {
  const world = {
    state: 'connected' as ReturnType<Broker['state']>,
    publishing: [] as PublishAnswer[],
    answer: answered(200),
    posts: 0,
    /** Errors of the next transactions. */
    failures: [] as Error[],
    canOpen: true,
    attempts: [] as WebhookAttempt[],
    published: [] as OutboxMessage[],
  };
  const endpoint: WebhookEndpoint = {
    endpointId,
    url: 'https://partner.example/',
    events: ['order.created.v1'],
    description: '',
    state: 'enabled',
    disabledReason: '',
    secrets: [{ sealed: 's', createdAtUtc: '2026-01-01T00:00:00.000Z' }],
    createdAtUtc: '2026-01-01T00:00:00.000Z',
    updatedAtUtc: '2026-01-01T00:00:00.000Z',
  };
  let handler: ((delivery: Delivery) => Promise<HandlerResult>) | undefined;
  const declared: string[] = [];
  const broker: Pick<Broker, 'consume' | 'declare' | 'publish' | 'state'> = {
    state: () => world.state,
    declare: async ({ queues }) => void declared.push(...queues.map(({ name }) => name)),
    async publish(message) {
      world.published.push(message);
      return world.publishing.shift() ?? { status: 'confirmed' };
    },
    async consume(input) {
      handler = input.handler;
      return { close: async () => {} };
    },
  };
  const store = {
    read: {
      webhooks: {
        find: async () => endpoint,
        subscribers: async () => [endpointId, `we_${'b'.repeat(32)}`],
        delivered: async (id: string) =>
          world.attempts.some(({ webhookId, result }) => webhookId === id && result === 'delivered'),
      },
    },
    async transaction(work: (tx: unknown) => Promise<unknown>) {
      const failure = world.failures.shift();
      if (failure) throw failure;
      return work({ webhooks: { record: async (attempt: WebhookAttempt) => world.attempts.push(attempt) } });
    },
  } as unknown as Store;
  startWebhookConsumer({
    broker,
    store,
    sender: {
      async post() {
        world.posts += 1;
        return world.answer;
      },
    },
    secrets: {
      create: () => ({ secret: '', sealed: '' }),
      open() {
        if (!world.canOpen) throw new Error('WEBHOOK_SECRET_KEY is not the key');
        return 'whsec_AAAA';
      },
    },
    clock: { nowUtc: () => '2026-01-02T03:04:05.678Z' },
    logger: createLogger({ process: 'test', level: 'silent' }),
    metrics: createMetrics(),
    settings,
  });
  await expect.poll(() => handler).toBeDefined();
  const handle = (delivery: Delivery): Promise<HandlerResult> =>
    handler ? handler(delivery) : Promise.reject(new Error('not consuming'));
  return { world, handle, declared };
}

function deliveryOf(type: string, body: unknown, changes: Partial<Delivery> = {}): Delivery {
  return {
    messageId: randomUUID(),
    type,
    body,
    headers: {},
    redelivered: false,
    queue: 'webhook-queue',
    content: new Uint8Array(),
    attempt: 1,
    exchange: '',
    routingKey: 'webhook-queue',
    signal: new AbortController().signal,
    ...changes,
  };
}

const newEvent = (eventType = 'order.created.v1') => ({
  eventId: randomUUID(),
  eventType,
  occurredAtUtc: '2026-01-02T03:04:05.678Z',
});
const newDelivery = (changes: Partial<Delivery> = {}) =>
  deliveryOf(webhookDeliveryType, { endpointId, event: newEvent() }, changes);

describe('the webhook consumer', () => {
  it('declares the promised tiers and the overflow, one queue each', async () => {
    const { declared } = await build();
    expect(declared.toSorted()).toEqual(
      [125_000, 25_000, 250, 5_000].map((ms) => `webhook-queue.delay.${ms}ms`).toSorted(),
    );
  });

  it('does not send again what SQL could not be told', async () => {
    const { world, handle } = await build();
    const delivery = newDelivery();
    world.failures = [new TechnicalFailure('StoreUnavailable', 'disk full')];
    expect(await handle(delivery)).toMatchObject({ status: 'pause' });
    expect(await handle(delivery)).toEqual({ status: 'done' });
    expect([world.posts, world.attempts.length]).toEqual([1, 1]);
  });

  it('sends nothing while the broker could not take the failure', async () => {
    const { world, handle } = await build();
    world.state = 'blocked';
    expect(await handle(newDelivery())).toMatchObject({ status: 'pause' });
    expect(world.posts).toBe(0);
  });

  it('lets an error of ours run through the tiers of its message and stops no other', async () => {
    const { world, handle } = await build();
    world.canOpen = false;
    expect(await handle(newDelivery())).toMatchObject({
      status: 'retry',
      delayMs: 5_000,
      reason: 'internal-error',
    });
    expect(await handle(newDelivery({ attempt: 4 }))).toMatchObject({
      status: 'dead-letter',
      reason: 'internal-error',
      error: expect.stringContaining('WEBHOOK_SECRET_KEY') as string,
    });
  });

  it.each([
    [1, undefined, 5_000],
    [2, undefined, 25_000],
    [3, undefined, 125_000],
    [1, 0, 5_000],
    [1, 5_000, 5_000],
    [1, 5_001, 25_000],
    [1, 26_000, 125_000],
    [2, 1_000, 25_000],
    [1, 3_600_000, 125_000],
  ])('after attempt %i and Retry-After %s comes back in %i ms', async (attempt, retryAfterMs, delayMs) => {
    const { world, handle } = await build();
    world.answer = answered(503, retryAfterMs);
    expect(await handle(newDelivery({ attempt }))).toMatchObject({
      status: 'retry',
      delayMs,
      reason: 'http-503',
    });
  });

  it('goes through slow tiers after the others, and dead-letters after the last', async () => {
    const { world, handle } = await build({ delaysMs: [5_000, 25_000, 125_000, 3_600_000] });
    world.answer = answered(500);
    expect(await handle(newDelivery({ attempt: 4 }))).toMatchObject({ status: 'retry', delayMs: 3_600_000 });
    expect(await handle(newDelivery({ attempt: 5 }))).toMatchObject({
      status: 'dead-letter',
      reason: 'http-500',
    });
  });

  it('counts no attempt while an endpoint asked for a pause, also for what is due again', async () => {
    const { world, handle } = await build({
      gate: { ...webhookGateDefaults, overflowMs: { short: 1, long: 2 } },
    });
    world.answer = answered(429, 60_000);
    await handle(newDelivery());
    for (const attempt of [1, 3])
      expect(await handle(newDelivery({ attempt }))).toEqual({
        status: 'retry',
        delayMs: 2,
        reason: 'retry-after',
        error: `no turn at ${endpointId}: retry-after`,
        counted: false,
      });
    expect(world.posts).toBe(1);
  });
});

describe('the fan-out', () => {
  it('makes one delivery per endpoint, under the same id whenever it is made again', async () => {
    const { world, handle } = await build();
    const event = newEvent();
    const headers = { 'order-id': 'order-1', traceparent: 'trace' };
    for (let time = 0; time < 2; time += 1)
      expect(await handle(deliveryOf('order.created.v1', event, { headers }))).toEqual({ status: 'done' });
    const ids = world.published.map(({ id }) => id);
    expect(ids).toEqual([...ids.slice(0, 2), ...ids.slice(0, 2)]);
    expect(new Set(ids).size).toBe(2);
    expect(world.published[0]).toMatchObject({
      type: 'webhook.delivery.v1',
      destination: 'queue:webhook-queue',
      orderId: 'order-1',
      traceparent: 'trace',
      payload: JSON.stringify({ endpointId, event }),
    });
    expect(world.posts).toBe(0);
  });

  it.each<[PublishAnswer, Partial<HandlerResult>]>([
    [{ status: 'unavailable', reason: 'no confirm' }, { status: 'pause' }],
    [{ status: 'unroutable', reason: 'NO_ROUTE' }, { status: 'pause' }],
    [
      { status: 'refused', reason: 'too large' },
      { status: 'dead-letter', reason: 'fan-out-refused' },
    ],
  ])('keeps the event when a delivery is %j', async (answer, expected) => {
    const { world, handle } = await build();
    world.publishing = [{ status: 'confirmed' }, answer];
    expect(await handle(deliveryOf('order.created.v1', newEvent()))).toMatchObject(expected);
  });

  it('takes every event type there is, and no other', async () => {
    const { handle } = await build();
    for (const type of eventTypes)
      expect([type, await handle(deliveryOf(type, newEvent(type)))]).toEqual([type, { status: 'done' }]);
    expect(await handle(deliveryOf('order.created.v2', newEvent('order.created.v2')))).toMatchObject({
      status: 'dead-letter',
      reason: 'unknown-type',
    });
  });
});
