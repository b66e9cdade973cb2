import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTargetPolicy } from '../adapters/webhook-http/target-policy.ts';
import { createWebhookSecrets } from '../adapters/webhook-http/webhook-secrets.ts';
import { createApp } from '../api/app.ts';
import { fakeDeps, operatorKey, send } from '../api/testing/fake-deps.ts';
import { webhookIdOf, webhookSubject } from '../domain/webhooks.ts';
import { systemClock } from '../ports/clock.ts';
import { api, quickSandbox } from '../sandbox/testing.ts';
import { startScriptedServer, type Script, type ScriptedServer } from '../test/support/scripted-server.ts';
import {
  quickSettings,
  startWebhookWorld,
  webhookSecretKey,
  type WebhookWorld,
} from '../test/support/webhook-fixture.ts';
import { webhookGateDefaults } from './webhook-gate.ts';

let world: WebhookWorld;
let sandbox: Awaited<ReturnType<typeof quickSandbox>>;
let scripted: ScriptedServer;
let consumer: ReturnType<WebhookWorld['consume']>;
let partners = 0;

beforeAll(async () => {
  [world, sandbox, scripted] = await Promise.all([
    startWebhookWorld(),
    quickSandbox(),
    startScriptedServer(),
  ]);
});
afterAll(async () => {
  await Promise.all([world.close(), sandbox.close(), scripted.close()]);
});
beforeEach(() => {
  consumer = world.consume();
});
afterEach(async () => {
  await consumer.close();
  for (const { endpointId } of await world.store.read.webhooks.list())
    await world.store.transaction((tx) => tx.webhooks.remove(endpointId));
  await world.channel.purgeQueue('webhook-queue');
  await world.channel.purgeQueue('webhook-queue.dlq');
});

interface Received {
  headers: Record<string, string>;
  body: string;
  receivedMs: number;
}

/** A partner of the sandbox, with an endpoint registered for it. */
async function newPartner(settings: Record<string, unknown> = {}) {
  const name = `partner-${(partners += 1)}`;
  const set = (change: Record<string, unknown>) => api(sandbox, 'PUT', `/partner/${name}/settings`, change);
  await set(settings);
  const { endpointId, secret } = await world.register(`${sandbox.url}/partner/${name}`);
  const received = async () => {
    const { body } = await api<{ deliveries: Received[] }>(
      sandbox,
      'GET',
      `/partner/${name}/deliveries?limit=1000`,
    );
    return body.deliveries.toSorted((one, other) => one.receivedMs - other.receivedMs);
  };
  const got = async (count: number, timeout = 10_000): Promise<void> => {
    await expect.poll(async () => (await received()).length, { timeout, interval: 50 }).toBe(count);
  };
  return { endpointId, secret, set, received, got };
}

const verified = ({ body, headers }: Received, secret: string): unknown =>
  new Webhook(secret).verify(body, headers);

const retryAfter =
  (status: number, value: string): Script =>
  (response) =>
    void response.writeHead(status, { 'retry-after': value }).end();

const status =
  (code: number, headers: Record<string, string> = {}): Script =>
  (response) =>
    void response.writeHead(code, headers).end('answer');

describe('a webhook delivery', () => {
  it('reaches every endpoint of its event type, signed so that a partner can verify it', async () => {
    const [one, two] = [await newPartner(), await newPartner()];
    await world.change(two.endpointId, { events: ['order.failed.v1'] });
    const created = await world.publish('order.created.v1');
    const failed = await world.publish('order.failed.v1');
    await one.got(1);
    await two.got(1);
    const [first] = (await one.received()) as [Received];
    const [second] = (await two.received()) as [Received];
    expect(verified(first, one.secret)).toEqual(created);
    expect(verified(second, two.secret)).toEqual(failed);
    expect(() => verified(first, two.secret)).toThrow('No matching signature found');
    expect(() => verified({ ...first, body: `${first.body} ` }, one.secret)).toThrow('No matching signature');
    const { endpointId } = one;
    expect(first.headers['webhook-id']).toBe(webhookIdOf({ eventId: created.eventId, endpointId }));
    expect(await world.attempts(endpointId)).toMatchObject([
      {
        result: 'delivered',
        httpStatus: 200,
        attempt: 1,
        eventType: 'order.created.v1',
        answer: '{"ok":true}',
      },
    ]);
  });

  it('carries a signature of each secret during a rotation, then of the new one alone', async () => {
    const partner = await newPartner();
    const next = await world.rotate(partner.endpointId, 1);
    await world.publish();
    await partner.got(1);
    const [during] = (await partner.received()) as [Received];
    expect(during.headers['webhook-signature']?.split(' ')).toHaveLength(2);
    expect([verified(during, partner.secret), verified(during, next)]).toHaveLength(2);
    await sleep(1_050);
    await world.publish();
    await partner.got(2);
    const after = (await partner.received())[1] as Received;
    expect(verified(after, next)).toBeTruthy();
    expect(() => verified(after, partner.secret)).toThrow('No matching signature');
  });

  it('is tried again after each tier, with one id and one body, and then dead-lettered with its story', async () => {
    const partner = await newPartner({ status: 503, body: 'maintenance' });
    const event = await world.publish();
    const [dead] = await world.deadLetters(1);
    const received = await partner.received();
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    received.forEach((delivery) => verified(delivery, partner.secret));
    const gaps = received
      .slice(1)
      .map(({ receivedMs }, index) => receivedMs - (received[index]?.receivedMs ?? 0));
    expect(gaps).toHaveLength(3);
    [300, 600, 1_200].forEach((tier, index) => {
      expect(gaps[index]).toBeGreaterThanOrEqual(tier - 5);
      expect(gaps[index]).toBeLessThan(tier + 250);
    });
    expect(dead?.properties.headers).toMatchObject({
      'x-attempt': 4,
      'x-reason': 'http-503',
      'x-error': expect.stringContaining('"maintenance"') as string,
      'x-origin-queue': 'webhook-queue',
      'order-id': event.payload.orderId,
    });
    expect(JSON.parse(String(dead?.content))).toEqual({ endpointId: partner.endpointId, event });
    expect(
      (await world.attempts(partner.endpointId)).map(({ attempt, reason }) => [attempt, reason]),
    ).toEqual([1, 2, 3, 4].map((attempt) => [attempt, 'http-503']));
  });

  it('goes once and signed to the corrected address when its dead letter is sent again', async () => {
    const partner = await newPartner();
    await world.change(partner.endpointId, { url: `${scripted.url}/moved` });
    scripted.answerWith(status(404));
    const events = await Promise.all(Array.from({ length: 20 }, () => world.publish()));
    const dead = await world.deadLetters(20, 15_000);
    expect(scripted.requests).toHaveLength(80);
    await world.change(partner.endpointId, { url: `${sandbox.url}/partner/partner-${partners}` });
    for (const { content, properties } of [...dead, ...dead])
      world.channel.sendToQueue('webhook-queue', content, {
        type: properties.type as string,
        persistent: true,
      });
    await partner.got(20);
    await expect.poll(() => world.depth('webhook-queue')).toBe(0);
    const received = await partner.received();
    const ids = received.map(
      (delivery) => (verified(delivery, partner.secret) as { eventId: string }).eventId,
    );
    expect(new Set(ids)).toEqual(new Set(events.map(({ eventId }) => eventId)));
    expect(received).toHaveLength(20);
  });

  it('waits as long as Retry-After asks, rounded up to the next tier, and so do others of that endpoint', async () => {
    const { endpointId } = await world.register(`${scripted.url}/busy`);
    scripted.answerWith(retryAfter(429, '1'), status(200));
    const startedMs = performance.now();
    await world.publish();
    await expect.poll(() => scripted.requests.length).toBe(1);
    const meanwhile = await world.publish();
    await expect.poll(() => scripted.requests.length, { timeout: 5_000 }).toBe(3);
    expect(performance.now() - startedMs).toBeGreaterThan(950);
    await expect.poll(async () => (await world.attempts(endpointId)).length).toBe(3);
    const attempts = await world.attempts(endpointId);
    const [first, again] = attempts.filter(({ eventId }) => eventId !== meanwhile.eventId);
    const pauseMs = Date.parse(again?.attemptedAtUtc ?? '') - Date.parse(first?.attemptedAtUtc ?? '');
    expect(pauseMs).toBeGreaterThanOrEqual(1_195);
    expect(pauseMs).toBeLessThan(1_600);
    expect(attempts.find(({ eventId }) => eventId === meanwhile.eventId)?.attempt).toBe(1);
  });

  it('disables the endpoint on 410 and keeps what it did not get', async () => {
    const { endpointId } = await world.register(`${scripted.url}/gone`);
    scripted.answerWith(status(410));
    await world.publish();
    const [dead] = await world.deadLetters(1);
    expect(dead?.properties.headers).toMatchObject({ 'x-reason': 'endpoint-gone', 'x-attempt': 1 });
    const endpoint = await world.store.read.webhooks.find(endpointId);
    expect(endpoint).toMatchObject({ state: 'disabled', disabledReason: 'the endpoint answered 410 Gone' });
    expect(await world.store.read.audit(webhookSubject(endpointId))).toMatchObject([{ to: 'disabled' }]);
    await world.publish();
    await sleep(300);
    expect(scripted.requests).toHaveLength(1);
  });

  it.each([301, 302, 307, 308])(
    'takes a redirect (%i) for a failure and does not follow it',
    async (code) => {
      const target = await newPartner();
      await world.change(target.endpointId, { url: `${scripted.url}/r` });
      const location = `${sandbox.url}/partner/partner-${partners}`;
      scripted.answerWith(status(code, { location }));
      await world.publish();
      await expect
        .poll(() => world.attempts(target.endpointId), { timeout: 5_000 })
        .toMatchObject([{ httpStatus: code, reason: 'redirect' }]);
      expect(await target.received()).toEqual([]);
      await world.change(target.endpointId, { state: 'disabled', disabledReason: 'end of test' });
      await world.deadLetters(1);
    },
  );

  it('is delivered by its status, however much the partner answers, and little of that is kept', async () => {
    const { endpointId } = await world.register(`${scripted.url}/chatty`);
    let sent = 0;
    scripted.answerWith((response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && sent < 500_000_000) {
          sent += 65_536;
          if (!response.write('x'.repeat(65_536))) return void response.once('drain', more);
        }
      };
      more();
    });
    await world.publish();
    await expect.poll(() => world.attempts(endpointId), { timeout: 5_000 }).toHaveLength(1);
    const [attempt] = await world.attempts(endpointId);
    expect(attempt).toMatchObject({ result: 'delivered', answer: 'x'.repeat(1_024) });
    expect(sent).toBeLessThan(20_000_000);
  });

  it('becomes a dead letter when its endpoint is deleted or disabled on the way', async () => {
    const partner = await newPartner({ status: 500 });
    await world.publish();
    await partner.got(1);
    await world.store.transaction((tx) => tx.webhooks.remove(partner.endpointId));
    const [dead] = await world.deadLetters(1);
    expect(dead?.properties.headers?.['x-reason']).toBe('endpoint-deleted');
  });

  it.each<[string, string, string, string]>([
    ['what is no JSON', 'order.created.v1', 'not json', 'invalid-json'],
    ['an event without an id', 'order.created.v1', '{"eventType":"order.created.v1"}', 'invalid-payload'],
    [
      'an event of a newer version',
      'order.created.v2',
      '{"eventId":"b8b0a1c2-6d2a-4e57-9f2b-0d5e6a1c2b7d","eventType":"order.created.v2","occurredAtUtc":"2026-01-02T03:04:05.678Z"}',
      'unknown-type',
    ],
    ['a delivery to nowhere', 'webhook.delivery.v1', '{"endpointId":"x","event":{}}', 'invalid-payload'],
  ])('is not made of %s, which is dead-lettered and blocks nothing', async (_, type, content, reason) => {
    const partner = await newPartner();
    world.channel.sendToQueue('webhook-queue', Buffer.from(content), { type });
    await world.publish();
    await partner.got(1);
    const [dead] = await world.deadLetters(1);
    expect(dead?.properties.headers?.['x-reason']).toBe(reason);
  });
});

describe('an endpoint registered through the API', () => {
  it('gets a test delivery that its secret verifies, and the attempt is listed', async () => {
    const app = createApp(
      fakeDeps({
        store: world.store,
        clock: systemClock,
        webhooks: {
          targets: createTargetPolicy({ allowPrivate: ['127.0.0.1/32'] }),
          secrets: createWebhookSecrets({ key: webhookSecretKey }),
        },
      }),
    );
    const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const response = await send(app, method, `/webhook-endpoints${path}`, { body, key: operatorKey });
      expect(response.ok).toBe(true);
      return (await response.json()) as T;
    };
    const url = `${sandbox.url}/partner/api`;
    const { endpointId, secret } = await call<{ endpointId: string; secret: string }>('POST', '', {
      url,
      events: ['order.completed.v1'],
    });
    const { webhookId } = await call<{ webhookId: string }>('POST', `/${endpointId}/test`);
    await relayOutbox();
    const listed = () =>
      call<{ deliveries: unknown[] }>('GET', `/${endpointId}/deliveries`).then(
        ({ deliveries }) => deliveries,
      );
    await expect
      .poll(listed, { timeout: 5_000 })
      .toMatchObject([{ webhookId, eventType: 'webhook.test.v1', result: 'delivered', httpStatus: 200 }]);
    const { body } = await api<{ deliveries: [Received] }>(sandbox, 'GET', '/partner/api/deliveries');
    expect(verified(body.deliveries[0], secret)).toMatchObject({ eventType: 'webhook.test.v1' });
  });

  async function relayOutbox(): Promise<void> {
    const owner = 'test';
    const partitions = await world.store.outbox.lease({
      owner,
      nowUtc: systemClock.nowUtc(),
      leaseMs: 5_000,
    });
    const pending = await world.store.outbox.pending({ owner, partitions, limit: 10 });
    expect(pending).toHaveLength(1);
    for (const message of pending)
      expect(await world.broker.publish(message)).toEqual({ status: 'confirmed' });
  }
});

describe('a slow or dead endpoint', () => {
  const p95 = (values: readonly number[]) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;

  it('delays no other, and gets two requests at a time', async () => {
    let atWork = 0;
    let most = 0;
    scripted.answerWith((response) => {
      atWork += 1;
      most = Math.max(most, atWork);
      response.on('close', () => (atWork -= 1));
    });
    const slow = await world.register(`${scripted.url}/hangs`);
    for (let count = 0; count < 100; count += 1) await world.publish();
    await expect.poll(() => scripted.requests.length).toBeGreaterThanOrEqual(2);
    const quick = await newPartner();
    await world.change(slow.endpointId, { events: ['order.failed.v1'] });
    const sentMs = new Map<string, number>();
    for (let count = 0; count < 60; count += 1) {
      const event = await world.publish();
      sentMs.set(event.eventId, Date.now());
      await sleep(10);
    }
    await quick.got(60);
    const waits = (await quick.received()).map(
      ({ body, receivedMs }) =>
        receivedMs - (sentMs.get((JSON.parse(body) as { eventId: string }).eventId) ?? 0),
    );
    console.log(`p95 of the quick endpoint beside 100 deliveries to one that hangs: ${p95(waits)} ms`);
    expect(p95(waits)).toBeLessThan(300);
    expect(most).toBeLessThanOrEqual(2);
    const attempts = await world.attempts(slow.endpointId);
    expect(attempts.every(({ attempt }) => attempt === 1)).toBe(true);
    await world.change(slow.endpointId, { state: 'disabled', disabledReason: 'end of test' });
    await world.deadLetters(100, 20_000);
  });

  it('gets one first attempt at a time once its circuit is open, and everything when it is back', async () => {
    await consumer.close();
    consumer = world.consume(quickSettings, 500);
    let hangs = true;
    scripted.answerWith((response) => void (hangs || response.writeHead(204).end()));
    const { endpointId } = await world.register(`${scripted.url}/sick`);
    for (let count = 0; count < 30; count += 1) await world.publish();
    await expect.poll(consumer.openCircuits, { timeout: 5_000 }).toBe(1);
    const firsts = async () =>
      (await world.attempts(endpointId)).filter(({ attempt }) => attempt === 1).length;
    const before = await firsts();
    await sleep(1_000);
    expect((await firsts()) - before).toBeLessThanOrEqual(2);
    hangs = false;
    const delivered = async () =>
      (await world.attempts(endpointId)).filter(({ result }) => result === 'delivered').length;
    await expect.poll(delivered, { timeout: 10_000 }).toBe(30);
    expect(consumer.openCircuits()).toBe(0);
    expect(await world.depth('webhook-queue.dlq')).toBe(0);
  });

  it('keeps a delivery no longer than its patience and then dead-letters it as expired', async () => {
    await consumer.close();
    consumer = world.consume({
      ...quickSettings,
      patienceMs: 500,
      gate: { ...webhookGateDefaults, overflowMs: { short: 100, long: 200 } },
    });
    scripted.answerWith(() => {});
    const { endpointId } = await world.register(`${scripted.url}/never`);
    for (let count = 0; count < 4; count += 1) await world.publish();
    const [dead] = await world.deadLetters(1);
    expect(dead?.properties.headers).toMatchObject({ 'x-reason': 'expired', 'x-attempt': 1 });
    expect(String(dead?.content)).toContain(endpointId);
    await world.change(endpointId, { state: 'disabled', disabledReason: 'end of test' });
    await world.deadLetters(3);
  });
});
