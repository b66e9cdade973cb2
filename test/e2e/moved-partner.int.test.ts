import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRedis } from '../../adapters/redis/connect-redis.ts';
import { createTargetPolicy } from '../../adapters/webhook-http/target-policy.ts';
import { createWebhookSecrets } from '../../adapters/webhook-http/webhook-secrets.ts';
import { connectWebhookSender } from '../../adapters/webhook-http/webhook-sender.ts';
import { createApp } from '../../api/app.ts';
import { createDeadLetterWorkflows } from '../../adapters/temporal/dead-letters.ts';
import { fakeDeps, operatorKey, send } from '../../api/testing/fake-deps.ts';
import { bulkSubject, deadLetterSubject } from '../../domain/dead-letters.ts';
import { eventsDestination } from '../../domain/destinations.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { orderId } from '../../domain/ids.ts';
import { webhookIdOf, webhookSubject, type WebhookEndpointId } from '../../domain/webhooks.ts';
import { editedContent } from '../../messaging/dead-letters-edit.ts';
import { createRelay } from '../../messaging/relay.ts';
import { startWebhookConsumer } from '../../messaging/webhook-consumer.ts';
import { systemClock } from '../../ports/clock.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { until } from '../setup/saga-environment.ts';
import { startDeadLetterFixture, type DeadLetterFixture } from '../support/dead-letter-fixture.ts';
import {
  startScriptedServer,
  type ScriptedRequest,
  type ScriptedServer,
} from '../support/scripted-server.ts';
import { newEvent, quickSettings, webhookSecretKey } from '../support/webhook-fixture.ts';

const tiersMs = [300, 600, 1_200];
const eventCount = 20;
const dlq = 'webhook-queue.dlq';
const patchReason = 'the partner moved';
const replayReason = 'the address is corrected';

let fixture: DeadLetterFixture;
let partners: ScriptedServer;
let delivering: Awaited<ReturnType<typeof startDelivering>>;
beforeAll(async () => {
  [fixture, partners] = await Promise.all([startDeadLetterFixture(), startScriptedServer()]);
  delivering = await startDelivering();
});
afterAll(async () => {
  await delivering?.close();
  await Promise.all([fixture?.close(), partners?.close()]);
});

/** Relay, webhook consumer and API on the fixture's store, broker, Redis and Temporal, with quick tiers. */
async function startDelivering() {
  const { store, broker, env } = fixture;
  const logger = createLogger({ process: 'test', level: process.env['LOG_LEVEL'] ?? 'silent' });
  const metrics = createMetrics();
  const secrets = createWebhookSecrets({ key: webhookSecretKey });
  const redis = await connectRedis({
    url: env.REDIS_URL,
    keyPrefix: `${env.TASK_QUEUE_PREFIX}:`,
    onDegraded: (call) => metrics.redisDegraded.inc({ call }),
  });
  const shared = { store, clock: systemClock, logger, metrics };
  const relay = createRelay({
    ...shared,
    store: store.outbox,
    publisher: broker,
    bell: redis.bell,
    owner: randomUUID(),
  });
  await relay.start();
  const sender = connectWebhookSender({ allowPrivate: ['127.0.0.1/32'], timeoutMs: 2_000 });
  const settings = { ...quickSettings, delaysMs: tiersMs };
  const consumer = startWebhookConsumer({ ...shared, broker, sender, secrets, settings });
  const app = createApp(
    fakeDeps({
      ...shared,
      seen: redis.seen,
      webhooks: { targets: createTargetPolicy({ allowPrivate: ['127.0.0.1/32'] }), secrets },
      deadLetters: {
        workflows: createDeadLetterWorkflows(fixture.client, fixture.taskQueue),
        editRefusal(letter, patch) {
          const edited = editedContent(letter, patch);
          return edited.ok ? undefined : edited.reason;
        },
      },
    }),
  );

  return {
    metrics,
    /** As an operator does; any answer but success fails the test. */
    async call<T>(method: string, path: string, body?: unknown): Promise<T> {
      const response = await send(app, method, path, { body, key: operatorKey });
      expect(response.ok, `${method} ${path} answered ${response.status}`).toBe(true);
      return (await response.json()) as T;
    },
    /** Events of as many orders, written to the outbox in one transaction, as a step writes its own. */
    async happen(count: number): Promise<DomainEvent[]> {
      const events = Array.from({ length: count }, () => newEvent('order.created.v1'));
      await store.transaction(async (tx) => {
        for (const event of events)
          await tx.messages.add({
            id: event.eventId,
            occurredAtUtc: event.occurredAtUtc,
            type: event.eventType,
            payload: JSON.stringify(event),
            destination: eventsDestination,
            orderId: orderId(event.payload.orderId),
            sequence: event.metadata.sequence,
            traceparent: '',
          });
      });
      redis.bell.ring();
      return events;
    },
    async close() {
      await Promise.all([relay.stop(), consumer.close()]);
      await sender.close();
      await redis.close();
    },
  };
}

interface DeadLetterList {
  total: number;
  groups: { queue: string; fingerprint: string; reason: string; open: number }[];
  messages: { id: string; messageId: string; attempts: number }[];
}

const listed = () => delivering.call<DeadLetterList>('GET', '/dead-letters?queue=webhook-queue&limit=100');

/** Requests that came to one path. */
const at = (path: string) => partners.requests.filter(({ url }) => url === path);

async function register(path: string) {
  const body = { url: `${partners.url}${path}`, events: ['order.created.v1'] };
  return delivering.call<{ endpointId: WebhookEndpointId; secret: string }>(
    'POST',
    '/webhook-endpoints',
    body,
  );
}

const verified = ({ body, headers }: ScriptedRequest, secret: string) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as DomainEvent;

/** Milliseconds between one attempt and the next of each event. */
async function gapsOf(endpointId: WebhookEndpointId): Promise<number[][]> {
  const attempts = await fixture.store.read.webhooks.attempts({ endpointId, limit: 1_000 });
  const byEvent = Map.groupBy(attempts, ({ eventId }) => eventId);
  return [...byEvent.values()].map((made) => {
    const times = made.map(({ attemptedAtUtc }) => Date.parse(attemptedAtUtc)).toSorted((a, b) => a - b);
    return times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
  });
}

it('keeps what a partner who moved did not get, and delivers it once and signed when an operator has corrected the address', async () => {
  partners.answerWith((response, { url }) => {
    const moved = url === '/old';
    response.writeHead(moved ? 404 : 204).end(moved ? `no such hook, request ${randomUUID()}` : '');
  });
  const { endpointId, secret } = await register('/old');
  const steady = await register('/steady');
  const events = await delivering.happen(eventCount);
  const webhookIds = new Set(events.map(({ eventId }) => webhookIdOf({ eventId, endpointId })));

  // All tiers fail at their distances, and everything ends as one kind of dead letter.
  await fixture.indexed(eventCount);
  expect(at('/old')).toHaveLength(4 * eventCount);
  const gaps = await gapsOf(endpointId);
  expect(gaps.map(({ length }) => length)).toEqual(Array(eventCount).fill(tiersMs.length));
  tiersMs.forEach((tier, index) => {
    const distances = gaps.map((each) => each[index] ?? Number.NaN);
    expect(Math.min(...distances)).toBeGreaterThanOrEqual(tier - 5);
    expect(Math.max(...distances)).toBeLessThan(tier + 1_000);
  });
  const before = await listed();
  expect(before).toMatchObject({
    total: eventCount,
    groups: [{ queue: 'webhook-queue', reason: 'http-404', open: eventCount }],
  });
  expect(new Set(before.messages.map(({ messageId }) => messageId))).toEqual(webhookIds);
  expect(before.messages.every(({ attempts }) => attempts === 4)).toBe(true);
  expect((await delivering.metrics.messagesDeadLettered.get()).values).toMatchObject([
    { labels: { queue: 'webhook-queue', reason: 'http-404' }, value: eventCount },
  ]);
  await until(
    () => fixture.depth(dlq),
    (depth) => depth === eventCount,
  );

  // The operator corrects the address and replays the whole kind.
  await delivering.call('PATCH', `/webhook-endpoints/${endpointId}`, {
    url: `${partners.url}/new`,
    reason: patchReason,
  });
  const fingerprint = before.groups[0]?.fingerprint ?? '';
  const act = { queue: 'webhook-queue', fingerprint, actor: 'ada', reason: replayReason };
  const replay = (body: object) =>
    delivering.call<{ replayId: string; count: number }>('POST', '/dead-letters/replay', body);
  expect(await replay({ ...act, dryRun: true })).toMatchObject({ count: eventCount, refused: [] });
  const { replayId } = await replay(act);
  const progress = () => delivering.call<{ status: string }>('GET', `/dead-letters/replays/${replayId}`);
  const end = await until(progress, ({ status }) => status === 'completed');
  expect(end).toMatchObject({ settled: eventCount, left: 0, toGo: 0 });
  await until(
    async () => at('/new').length,
    (count) => count >= eventCount,
  );
  await until(
    async () => (await fixture.depth(dlq)) + (await fixture.depth('webhook-queue')) + (await listed()).total,
    (left) => left === 0,
  );
  expect(await replay({ ...act, dryRun: true })).toMatchObject({ count: 0 });
  // Long enough for the first tier: a second delivery on its way would have come.
  await sleep((tiersMs[0] ?? 0) + 200);

  // Each once, signed, under the id of the failed attempts; nothing to the old address, nothing twice to others.
  expect(at('/new')).toHaveLength(eventCount);
  const byId = (one: { eventId: string }, other: { eventId: string }) =>
    one.eventId.localeCompare(other.eventId);
  const delivered = at('/new').map((request) => verified(request, secret));
  expect(delivered.toSorted(byId)).toEqual(events.toSorted(byId));
  expect(() => at('/new').map((request) => verified(request, steady.secret))).toThrow(
    'No matching signature',
  );
  expect(new Set(at('/new').map(({ headers }) => headers['webhook-id']))).toEqual(webhookIds);
  expect([at('/old').length, at('/steady').length]).toEqual([4 * eventCount, eventCount]);

  // Who did it, and why.
  const audit = fixture.store.read.audit;
  const [, patched] = await audit(webhookSubject(endpointId));
  expect(patched).toMatchObject({ actor: 'help-desk', step: 'webhook-endpoint', reason: patchReason });
  const actor = 'ada (help-desk)';
  expect(await audit(bulkSubject(replayId))).toMatchObject([
    { actor, to: 'running', reason: expect.stringContaining(fingerprint) as string },
    { actor, to: `completed: ${eventCount} replayed, 0 left` },
  ]);
  for (const { id, messageId } of before.messages)
    expect(await audit(deadLetterSubject(id))).toMatchObject([
      {
        actor,
        step: 'replay',
        from: 'open',
        to: 'replayed',
        reason: replayReason,
        causingEventId: messageId,
      },
    ]);
});
