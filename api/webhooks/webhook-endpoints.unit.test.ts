import { describe, expect, it } from 'vitest';
import { createTargetPolicy } from '../../adapters/webhook-http/target-policy.ts';
import { createWebhookSecrets } from '../../adapters/webhook-http/webhook-secrets.ts';
import type { WebhookAttempt, WebhookEndpointId } from '../../domain/webhooks.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import { createApp } from '../app.ts';
import { fakeDeps, fakeStore, operatorKey, send, shopKey } from '../testing/fake-deps.ts';
import { fakeWebhooks } from '../testing/fake-webhooks.ts';
import type { OutboxMessage } from '../../ports/store/messages.ts';

const url = 'https://partner.example/hooks?token=abc';
const registration = { url, events: ['order.created.v1'], description: 'Acme' };
const nobody = `we_${'0'.repeat(32)}`;

function build() {
  const { endpoints, attempts, reads, statements } = fakeWebhooks();
  const { store, audit } = fakeStore({ reads: { webhooks: reads } });
  const messages: OutboxMessage[] = [];
  const clock = { now: Date.parse('2026-01-02T03:04:05.678Z') };
  const tx = {
    webhooks: statements,
    audit: { append: async (entry: unknown) => void audit.push(entry) },
    messages: { add: async (message: OutboxMessage) => void messages.push(message) },
  } as unknown as StoreTransaction;
  const secrets = createWebhookSecrets({ key: 'a-key-of-32-characters-for-tests' });
  const app = createApp(
    fakeDeps({
      store: { ...store, transaction: (work) => work(tx) },
      webhooks: { targets: createTargetPolicy({ allowPrivate: ['127.0.0.1/32'] }), secrets },
      clock: { nowUtc: () => new Date(clock.now).toISOString() },
    }),
  );
  const call = async (method: string, path = '', body?: unknown, key = operatorKey) => {
    const response = await send(app, method, `/webhook-endpoints${path}`, { body, key });
    const text = await response.text();
    const answer = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    return { status: response.status, body: answer, headers: response.headers };
  };
  const register = async (change: Record<string, unknown> = {}) => {
    const { body } = await call('POST', '', { ...registration, ...change });
    return body as { endpointId: WebhookEndpointId; secret: string };
  };
  return { endpoints, attempts, audit, messages, clock, secrets, call, register };
}

describe('webhook endpoints', () => {
  it('shows the secret when it is made and never again', async () => {
    const { call, endpoints, secrets } = build();
    const made = await call('POST', '', registration);
    const { endpointId, secret } = made.body as { endpointId: WebhookEndpointId; secret: string };
    expect([made.status, made.headers.get('location')]).toEqual([201, `/webhook-endpoints/${endpointId}`]);
    expect(made.body).toMatchObject({ ...registration, state: 'enabled' });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    const stored = endpoints.get(endpointId)?.secrets[0]?.sealed ?? '';
    expect(secrets.open({ endpointId, sealed: stored })).toBe(secret);
    expect(JSON.stringify([...endpoints.values()])).not.toContain(secret.slice(6));
    for (const path of ['', `/${endpointId}`]) {
      const read = await call('GET', path);
      expect([read.status, JSON.stringify(read.body)]).toEqual([200, expect.stringContaining(endpointId)]);
      expect(JSON.stringify(read.body)).not.toMatch(/whsec|sealed/);
    }
  });

  it('changes what is given, disables with a reason and enables again', async () => {
    const { call, register } = build();
    const { endpointId } = await register();
    const moved = await call('PATCH', `/${endpointId}`, { url: 'https://new.example/' });
    expect(moved.body).toMatchObject({ url: 'https://new.example/', events: ['order.created.v1'] });
    const off = await call('PATCH', `/${endpointId}`, { state: 'disabled', reason: 'They asked for it' });
    expect(off.body).toMatchObject({ state: 'disabled', disabledReason: 'They asked for it' });
    expect((await call('POST', `/${endpointId}/test`)).status).toBe(409);
    const on = await call('PATCH', `/${endpointId}`, { state: 'enabled' });
    expect(on.body).toMatchObject({ state: 'enabled' });
    expect(on.body).not.toHaveProperty('disabledReason');
  });

  it('rotates the secret with an overlap in which both sign, and without one', async () => {
    const { call, register, endpoints, clock, secrets } = build();
    const { endpointId, secret } = await register();
    clock.now += 60_000;
    const rotated = await call('POST', `/${endpointId}/rotate-secret`, { overlapSeconds: 3_600 });
    expect(rotated.body['secrets']).toEqual([
      { createdAt: '2026-01-02T03:05:05.678Z' },
      { createdAt: '2026-01-02T03:04:05.678Z', expiresAt: '2026-01-02T04:05:05.678Z' },
    ]);
    const opened = endpoints
      .get(endpointId)
      ?.secrets.map(({ sealed }) => secrets.open({ endpointId, sealed }));
    expect(opened).toEqual([rotated.body['secret'], secret]);
    clock.now += 3_600_000;
    expect((await call('GET', `/${endpointId}`)).body['secrets']).toHaveLength(1);
    await call('POST', `/${endpointId}/rotate-secret`, { overlapSeconds: 0 });
    expect(endpoints.get(endpointId)?.secrets).toHaveLength(1);
  });

  it('ends no secret before its overlap: a fourth is refused until one has ended', async () => {
    const { call, register, endpoints, clock } = build();
    const { endpointId } = await register();
    const rotate = (overlapSeconds: number) =>
      call('POST', `/${endpointId}/rotate-secret`, { overlapSeconds });
    expect([(await rotate(60)).status, (await rotate(3_600)).status]).toEqual([200, 200]);
    const signing = endpoints.get(endpointId)?.secrets;
    expect(await rotate(60)).toMatchObject({
      status: 409,
      body: {
        code: 'too_many_secrets',
        detail: expect.stringContaining('until 2026-01-02T03:05:05.678Z') as string,
      },
    });
    expect(endpoints.get(endpointId)?.secrets).toEqual(signing);
    clock.now += 61_000;
    expect((await rotate(60)).status).toBe(200);
    expect((await rotate(0)).status).toBe(200);
    expect(endpoints.get(endpointId)?.secrets).toHaveLength(1);
  });

  it('sends a test delivery through the outbox', async () => {
    const { call, register, messages } = build();
    const { endpointId } = await register();
    const { status, body } = await call('POST', `/${endpointId}/test`);
    expect([status, messages.length]).toEqual([202, 1]);
    expect(messages[0]).toMatchObject({
      id: body['webhookId'],
      type: 'webhook.delivery.v1',
      destination: 'queue:webhook-queue',
    });
    expect(JSON.parse(messages[0]?.payload ?? '')).toMatchObject({
      endpointId,
      event: { eventType: 'webhook.test.v1' },
    });
  });

  it('deletes once', async () => {
    const { call, register } = build();
    const { endpointId } = await register();
    expect((await call('DELETE', `/${endpointId}`)).status).toBe(204);
    expect((await call('DELETE', `/${endpointId}`)).status).toBe(404);
  });

  it('lists attempts page by page', async () => {
    const { call, register, attempts } = build();
    const { endpointId } = await register();
    for (let attempt = 1; attempt <= 60; attempt += 1) attempts.push(attemptOf(endpointId, attempt));
    const first = await call('GET', `/${endpointId}/deliveries`);
    const second = await call('GET', `/${endpointId}/deliveries?cursor=${String(first.body['nextCursor'])}`);
    const numbers = [first, second].flatMap(({ body }) =>
      (body['deliveries'] as { attempt: number }[]).map(({ attempt }) => attempt),
    );
    expect(numbers).toEqual(Array.from({ length: 60 }, (_, index) => 60 - index));
    expect(second.body).not.toHaveProperty('nextCursor');
    for (const query of ['?cursor=x', '?cursor=0', '?page=2', '?cursor=1&cursor=2'])
      expect([query, (await call('GET', `/${endpointId}/deliveries${query}`)).status]).toEqual([query, 422]);
  });

  it('writes who did what and why, without secrets and without the path of the address', async () => {
    const { call, register, audit } = build();
    const { endpointId } = await register();
    await call('PATCH', `/${endpointId}`, { state: 'disabled', reason: 'Moved' });
    await call('POST', `/${endpointId}/rotate-secret`);
    await call('DELETE', `/${endpointId}`);
    expect(audit).toMatchObject([
      { subject: `webhook-endpoint:${endpointId}`, actor: 'help-desk', from: '' },
      {
        reason: 'Moved',
        to: expect.stringMatching(/^disabled, https:\/\/partner\.example \(URL [0-9a-f]{12}\), /) as string,
      },
      { reason: 'Secret rotated through the API' },
      { to: '' },
    ]);
    expect(JSON.stringify(audit)).not.toMatch(/whsec|token/);
  });

  it('tells in the audit trail that the description or the path of the address has changed', async () => {
    const { call, register, audit } = build();
    const { endpointId } = await register();
    await call('PATCH', `/${endpointId}`, { description: 'Acme, "new", ends' });
    await call('PATCH', `/${endpointId}`, { url: 'https://partner.example/hooks?token=def' });
    const [, described, moved] = audit as { from: string; to: string }[];
    expect(described?.from).toContain('"Acme"');
    expect(described?.to).toContain(String.raw`"Acme, \"new\", ends"`);
    expect(moved?.from).not.toBe(moved?.to);
    expect(JSON.stringify(audit)).not.toMatch(/hooks|token/);
  });

  it('is for operators alone', async () => {
    const { call, register } = build();
    const { endpointId } = await register();
    for (const [method, path, body] of [
      ['POST', '', registration],
      ['GET', ''],
      ['GET', `/${endpointId}`],
      ['PATCH', `/${endpointId}`, { state: 'disabled' }],
      ['DELETE', `/${endpointId}`],
      ['POST', `/${endpointId}/rotate-secret`],
      ['POST', `/${endpointId}/test`],
      ['GET', `/${endpointId}/deliveries`],
    ] as const) {
      const { status } = await call(method, path, body, shopKey);
      expect([method, path, status]).toEqual([method, path, 403]);
    }
  });

  it('answers 404 for an endpoint that is not there, whatever the id looks like', async () => {
    const { call } = build();
    for (const id of [nobody, 'we_x', '..%2f', 'WE_'.padEnd(35, '0')]) {
      for (const [method, path] of [
        ['GET', ''],
        ['DELETE', ''],
        ['POST', '/test'],
        ['GET', '/deliveries'],
      ] as const)
        expect([id, (await call(method, `/${id}${path}`)).status]).toEqual([id, 404]);
      expect((await call('PATCH', `/${id}`, { state: 'enabled' })).status).toBe(404);
      expect((await call('POST', `/${id}/rotate-secret`)).status).toBe(404);
    }
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no address', { url: undefined }, '/url'],
    ['what is no URL', { url: 'partner.example' }, '/url'],
    ['plain http', { url: 'http://partner.example/' }, '/url'],
    ['another scheme', { url: 'ftp://partner.example/' }, '/url'],
    ['a password in the address', { url: 'https://a:b@partner.example/' }, '/url'],
    ['a private address', { url: 'https://10.0.0.1/' }, '/url'],
    ['loopback in another notation', { url: 'https://[::ffff:7f00:2]/' }, '/url'],
    ['a metadata address as a number', { url: 'https://2852039166/' }, '/url'],
    ['an address of 10 KB', { url: `https://partner.example/${'x'.repeat(10_240)}` }, '/url'],
    ['no events', { events: [] }, '/events'],
    ['an unknown event', { events: ['order.created.v2'] }, '/events/0'],
    ['a wildcard', { events: ['*'] }, '/events/0'],
    ['events that are no list', { events: 'order.created.v1' }, '/events'],
    ['an unknown field', { secret: 'whsec_mine' }, '/secret'],
    ['a description with a line break', { description: 'a\nb' }, '/description'],
  ])('refuses %s with 422 and registers nothing', async (_, change, field) => {
    const { call, endpoints } = build();
    const { status, body } = await call('POST', '', { ...registration, ...change });
    expect([status, (body['errors'] as { field: string }[])[0]?.field]).toEqual([422, field]);
    expect(endpoints.size).toBe(0);
  });

  it('takes an address that configuration allows, over plain http as well', async () => {
    const { call } = build();
    const allowed = await call('POST', '', { ...registration, url: 'http://127.0.0.1:4000/partner/acme' });
    expect(allowed.status).toBe(201);
  });

  it.each<[string, string, unknown]>([
    ['PATCH', '', {}],
    ['PATCH', '', { reason: 'nothing else' }],
    ['PATCH', '', { url: 'https://192.168.0.1/' }],
    ['PATCH', '', { state: 'gone' }],
    ['POST', '/rotate-secret', { overlapSeconds: -1 }],
    ['POST', '/rotate-secret', { overlapSeconds: 1.5 }],
    ['POST', '/rotate-secret', { overlapSeconds: 604_801 }],
  ])('refuses %s %s of %j with 422', async (method, path, body) => {
    const { call, register, endpoints } = build();
    const { endpointId } = await register();
    const before = JSON.stringify(endpoints.get(endpointId));
    expect((await call(method, `/${endpointId}${path}`, body)).status).toBe(422);
    expect(JSON.stringify(endpoints.get(endpointId))).toBe(before);
  });
});

const attemptOf = (endpointId: WebhookEndpointId, attempt: number): WebhookAttempt => ({
  endpointId,
  webhookId: `e_${endpointId}`,
  eventId: 'e',
  eventType: 'order.created.v1',
  attempt,
  attemptedAtUtc: '2026-01-02T03:04:05.678Z',
  durationMs: 1,
  result: 'failed',
  httpStatus: 503,
  reason: 'http-503',
  answer: '',
});
