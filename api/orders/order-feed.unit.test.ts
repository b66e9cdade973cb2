import { describe, expect, it } from 'vitest';
import type { NotedRetry } from '../../domain/retries.ts';
import type { DomainEvent, EventType } from '../../domain/events.ts';
import { createApp } from '../app.ts';
import { fakeDeps, fakeStore, otherShopKey, send, someOrder, viewOf } from '../testing/fake-deps.ts';

const event = (sequence: number, eventType: EventType): DomainEvent => ({
  eventId: `e-${sequence}`,
  eventType,
  occurredAtUtc: '2026-01-02T03:04:05.678Z',
  payload: { orderId: someOrder, customerId: 'c', totalAmount: 1, currency: 'INR', items: [] },
  metadata: {
    traceId: 't',
    correlationId: someOrder,
    causationId: 'x',
    producer: 'order-saga',
    schemaVersion: 1,
    sequence,
  },
});

const whole = [
  event(1, 'order.created.v1'),
  event(2, 'payment.processed.v1'),
  event(3, 'order.completed.v1'),
];
const path = `/orders/${someOrder}/events`;

const noted: NotedRetry = {
  orderId: someOrder,
  activity: 'generateShipment',
  failures: 2,
  failureType: 'ProviderUnavailable',
  failure: 'EasyPost: 503',
  failedAtUtc: '2026-01-02T03:04:05.678Z',
  nextAttemptAtUtc: '2026-01-02T03:04:15.678Z',
  staleAfterUtc: '2026-01-02T03:14:15.678Z',
};

function build(events: DomainEvent[], order = viewOf(), notes: NotedRetry[] = []) {
  const reads = { count: 0, failing: false };
  const { store } = fakeStore({
    reads: {
      order: async () => order,
      retriesOf: async () => [...notes],
      async events({ afterSequence }) {
        reads.count += 1;
        if (reads.failing) throw new Error('SQL is down');
        return events.filter(({ metadata }) => metadata.sequence > afterSequence);
      },
    },
  });
  const draining = new AbortController();
  const clock = { nowUtc: () => new Date().toISOString() };
  const deps = fakeDeps({ store, draining: draining.signal, clock });
  return { app: createApp(deps), reads, draining, metrics: deps.metrics };
}

const ids = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));

describe('the event stream of an order', () => {
  it('sends each event with sequence, type and body, and ends after the final one', async () => {
    const response = await send(build(whole).app, 'GET', path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const text = await response.text();
    expect(ids(text)).toEqual([1, 2, 3]);
    expect(text).toContain(`id: 2\nevent: payment.processed.v1\ndata: ${JSON.stringify(whole[1])}\n\n`);
  });

  it('tells of a step that keeps failing, once for each failure, in words for shops, and when it is over', async () => {
    const notes = [noted];
    const events = whole.slice(0, 2);
    const { app } = build(events, viewOf(), notes);
    const response = await send(app, 'GET', path);
    const wait = () => new Promise((resolve) => setTimeout(resolve, 1_300));
    await wait();
    notes[0] = { ...noted, failures: 3 };
    await wait();
    notes.length = 0;
    await wait();
    events.push(event(3, 'order.completed.v1'));
    const text = await response.text();
    const told = [...text.matchAll(/^event: order\.retrying\ndata: (.*)$/gm)].map(
      ([, data = '']) => (JSON.parse(data) as { payload: unknown }).payload,
    );
    expect(told).toMatchObject([
      { retrying: { step: 'shipping', failures: 2, attempt: 3, waitsFor: 'carrier' } },
      { retrying: { failures: 3 } },
      { retrying: null },
    ]);
    expect(text).not.toContain('EasyPost');
    expect(ids(text)).toEqual([1, 2, 3]);
  }, 10_000);

  it('continues after Last-Event-ID', async () => {
    const response = await send(build(whole).app, 'GET', path, { headers: { 'last-event-id': '2' } });
    expect(ids(await response.text())).toEqual([3]);
  });

  it('answers 204 when an ended order has nothing more, so that a browser stops reconnecting', async () => {
    const { app } = build(whole, viewOf({ status: 'completed' }));
    expect((await send(app, 'GET', path, { headers: { 'last-event-id': '3' } })).status).toBe(204);
  });

  const refunded = [...whole, event(4, 'payment.refunded.v1')];
  const completed = viewOf({ status: 'completed' });

  it.each([
    [undefined, [1, 2, 3, 4]],
    ['2', [3, 4]],
    ['3', [4]],
  ])('ends, read after %s, also where a refund came after the final event', async (after, expected) => {
    const { app, metrics } = build(refunded, completed);
    const headers = after === undefined ? {} : { 'last-event-id': after };
    const response = await send(app, 'GET', path, { headers });
    expect([response.status, ids(await response.text())]).toEqual([200, expected]);
    expect((await metrics.eventStreams.get()).values[0]?.value).toBe(0);
    expect((await send(app, 'GET', path, { headers: { 'last-event-id': '4' } })).status).toBe(204);
  });

  it('ends for an order whose final event is purged, and is 204 where all events are', async () => {
    const left = await send(build([event(4, 'payment.refunded.v1')], completed).app, 'GET', path);
    expect(ids(await left.text())).toEqual([4]);
    expect((await send(build([], completed).app, 'GET', path)).status).toBe(204);
  });

  it.each(['-1', 'abc', '1.5', '9999999999'])('refuses Last-Event-ID %s with 400', async (id) => {
    expect((await send(build(whole).app, 'GET', path, { headers: { 'last-event-id': id } })).status).toBe(
      400,
    );
  });

  it('sends events that come later, and goes on without a gap after the store was away', async () => {
    const events = whole.slice(0, 1);
    const { app, reads } = build(events);
    const response = await send(app, 'GET', path);
    const text = response.text();
    reads.failing = true;
    setTimeout(() => events.push(...whole.slice(1)), 100);
    setTimeout(() => {
      reads.failing = false;
    }, 400);
    expect(ids(await text)).toEqual([1, 2, 3]);
  });

  it('reads an order once for all who listen, and stops when nobody does', async () => {
    const { app, reads, metrics } = build(whole.slice(0, 2));
    const streams = await Promise.all([
      send(app, 'GET', path),
      send(app, 'GET', path),
      send(app, 'GET', path),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(reads.count).toBeLessThanOrEqual(4);
    expect((await metrics.eventStreams.get()).values[0]?.value).toBe(3);
    for (const stream of streams) await stream.body?.cancel();
    const before = reads.count;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(reads.count).toBe(before);
    expect((await metrics.eventStreams.get()).values[0]?.value).toBe(0);
  });

  it('opens no more streams than allowed: 503 with Retry-After, and a closed one makes room', async () => {
    const { app } = build(whole.slice(0, 1));
    const streams = await Promise.all([
      send(app, 'GET', path),
      send(app, 'GET', path),
      send(app, 'GET', path),
    ]);
    const refused = await send(app, 'GET', path);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    await streams[0]?.body?.cancel();
    const again = await send(app, 'GET', path);
    expect(again.status).toBe(200);
    for (const stream of [...streams.slice(1), again]) await stream.body?.cancel();
  });

  it('ends when the server drains', async () => {
    const { app, draining } = build(whole.slice(0, 1));
    const text = (await send(app, 'GET', path)).text();
    setTimeout(() => draining.abort(), 50);
    expect(await text).toContain('retry:');
  });

  it('opens nothing for HEAD', async () => {
    const { app, reads, metrics } = build(whole.slice(0, 1));
    expect((await send(app, 'HEAD', path)).status).toBe(200);
    expect(reads.count).toBe(0);
    expect((await metrics.eventStreams.get()).values[0]?.value ?? 0).toBe(0);
  });

  it("is 404 for another caller's order and 406 where event streams are not accepted", async () => {
    const { app } = build(whole);
    expect((await send(app, 'GET', path, { key: otherShopKey })).status).toBe(404);
    expect((await send(app, 'GET', path, { headers: { accept: 'application/json' } })).status).toBe(406);
  });
});
