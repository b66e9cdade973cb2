import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { EventType } from '../../domain/events.ts';
import {
  webhookIdOf,
  type WebhookAttempt,
  type WebhookEndpoint,
  type WebhookEndpointId,
} from '../../domain/webhooks.ts';
import type { Store } from '../../ports/store.ts';
import type { CreateDatabase } from './contract-database.ts';
import { time, useDatabase } from './store-fixtures.ts';

const newEndpointId = (): WebhookEndpointId => `we_${randomUUID().replaceAll('-', '')}`;

const newEndpoint = (change: Partial<WebhookEndpoint> = {}): WebhookEndpoint => ({
  endpointId: newEndpointId(),
  url: 'https://partner.example/hooks?tenant=ज़ोया',
  events: ['order.completed.v1', 'order.created.v1'],
  description: 'Partner “A”',
  state: 'enabled',
  disabledReason: '',
  secrets: [{ sealed: 'sealed-1', createdAtUtc: time(0) }],
  createdAtUtc: time(0),
  updatedAtUtc: time(0),
  ...change,
});

const newAttempt = (change: Partial<WebhookAttempt> = {}): WebhookAttempt => {
  const endpointId = change.endpointId ?? newEndpointId();
  const eventId = change.eventId ?? randomUUID();
  return {
    endpointId,
    webhookId: webhookIdOf({ eventId, endpointId }),
    eventId,
    eventType: 'order.created.v1',
    attempt: 1,
    attemptedAtUtc: time(1),
    durationMs: 12,
    result: 'failed',
    httpStatus: 503,
    reason: 'http-503',
    answer: 'busy “now”',
    ...change,
  };
};

export function describeWebhooks(createDatabase: CreateDatabase): void {
  const context = useDatabase(createDatabase);
  const put = (endpoint: WebhookEndpoint) => context.store.transaction((tx) => tx.webhooks.put(endpoint));
  const record = (store: Store, ...attempts: WebhookAttempt[]) =>
    store.transaction(async (tx) => {
      for (const attempt of attempts) await tx.webhooks.record(attempt);
    });

  it('keeps an endpoint whole, replaces it whole, and reads the same inside a transaction', async () => {
    const { store } = context;
    const endpoint = newEndpoint();
    expect(await store.read.webhooks.find(endpoint.endpointId)).toBeUndefined();
    const changed: WebhookEndpoint = {
      ...endpoint,
      url: 'https://other.example/',
      events: ['payment.failed.v1'],
      state: 'disabled',
      disabledReason: 'gone',
      secrets: [
        { sealed: 'sealed-2', createdAtUtc: time(2) },
        { sealed: 'sealed-1', createdAtUtc: time(0), expiresAtUtc: time(50) },
      ],
      updatedAtUtc: time(2),
    };
    for (const version of [endpoint, changed, endpoint]) {
      await put(version);
      expect(await store.read.webhooks.find(endpoint.endpointId)).toEqual(version);
      expect(await store.transaction((tx) => tx.webhooks.find(endpoint.endpointId))).toEqual(version);
    }
  });

  it('names the enabled endpoints of an event type alone', async () => {
    const type: EventType = 'shipment.voided.v1';
    const [one, two, other, off] = [
      newEndpoint({ events: [type] }),
      newEndpoint({ events: ['order.created.v1', type] }),
      newEndpoint({ events: ['order.created.v1'] }),
      newEndpoint({ events: [type], state: 'disabled', disabledReason: 'by a person' }),
    ] as [WebhookEndpoint, WebhookEndpoint, WebhookEndpoint, WebhookEndpoint];
    for (const endpoint of [one, two, other, off]) await put(endpoint);
    const subscribers = async () => new Set(await context.store.read.webhooks.subscribers(type));
    expect(await subscribers()).toEqual(new Set([one.endpointId, two.endpointId]));
    await put({ ...one, events: ['order.failed.v1'] });
    await put({ ...off, state: 'enabled', disabledReason: '' });
    expect(await subscribers()).toEqual(new Set([two.endpointId, off.endpointId]));
  });

  it('removes an endpoint with its subscriptions once, and counts what is left by state', async () => {
    const { store } = context;
    const endpoint = newEndpoint({ events: ['order.parked.v1'], createdAtUtc: time(40) });
    const before = await store.read.webhooks.counts();
    await put(endpoint);
    expect(await store.read.webhooks.counts()).toEqual({ ...before, enabled: before.enabled + 1 });
    expect((await store.read.webhooks.list()).at(-1)).toEqual(endpoint);
    const remove = () => store.transaction((tx) => tx.webhooks.remove(endpoint.endpointId));
    expect([await remove(), await remove()]).toEqual([true, false]);
    expect(await store.read.webhooks.subscribers('order.parked.v1')).toEqual([]);
    expect(await store.read.webhooks.counts()).toEqual(before);
  });

  it('lists the attempts of one endpoint newest first, page by page', async () => {
    const { store } = context;
    const endpointId = newEndpointId();
    const eventId = randomUUID();
    const attempts = [1, 2, 3, 4, 5].map((attempt) =>
      newAttempt({ endpointId, eventId, attempt, attemptedAtUtc: time(attempt) }),
    );
    await record(store, ...attempts, newAttempt());
    const page = (before?: number) =>
      store.read.webhooks.attempts({ endpointId, limit: 2, ...(before !== undefined && { before }) });
    const first = await page();
    const second = await page(first.at(-1)?.position);
    const third = await page(second.at(-1)?.position);
    const listed = [...first, ...second, ...third].map(({ position: _, ...attempt }) => attempt);
    expect(listed).toEqual(attempts.toReversed());
    expect(await page(third.at(-1)?.position)).toEqual([]);
  });

  it('knows what was delivered, also when an attempt has no answer or too long a one', async () => {
    const { store } = context;
    const failed = newAttempt({ answer: 'x'.repeat(3_000) });
    const { httpStatus: _, ...unanswered } = { ...failed, attempt: 2, reason: 'timeout', answer: '' };
    await record(store, failed, unanswered);
    expect(await store.read.webhooks.delivered(failed.webhookId)).toBe(false);
    await record(store, { ...failed, attempt: 3, result: 'delivered', httpStatus: 204, reason: '' });
    expect(await store.read.webhooks.delivered(failed.webhookId)).toBe(true);
    const listed = await store.read.webhooks.attempts({ endpointId: failed.endpointId, limit: 10 });
    expect(listed.map(({ httpStatus }) => httpStatus)).toEqual([204, undefined, 503]);
    expect(listed.at(-1)?.answer).toBe('x'.repeat(2_000));
  });

  it('purges old attempts, the oldest first and no more than asked for', async () => {
    const { store } = context;
    const endpointId = newEndpointId();
    const old = (second: number) =>
      newAttempt({ endpointId, attemptedAtUtc: new Date(Date.UTC(2020, 0, 1, 0, 0, second)).toISOString() });
    await record(store, old(3), old(1), old(2), newAttempt({ endpointId }));
    const purge = (limit: number) =>
      store.transaction((tx) => tx.webhooks.purge({ attemptedBeforeUtc: time(0), limit }));
    expect([await purge(2), await purge(2), await purge(2)]).toEqual([2, 1, 0]);
    expect(await store.read.webhooks.attempts({ endpointId, limit: 10 })).toHaveLength(1);
  });
}
