import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createNdjsonSink } from '../adapters/ndjson/ndjson-sink.ts';
import { createSegmentSink } from '../adapters/segment/segment-sink.ts';
import { eventTypes } from '../domain/events.ts';
import type { AnalyticsEvent, AnalyticsSink } from '../ports/analytics.ts';
import type { Delivery, HandlerResult, Topology } from '../ports/broker.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { startAnalytics } from './analytics.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const event = (n: number): AnalyticsEvent['body'] => ({
  eventId: `e-${n}`,
  eventType: 'order.created.v1',
  occurredAtUtc: '2026-01-02T03:04:05.678Z',
  payload: { orderId: `o-${n}`, customerId: 'customer-1' },
});
const asEvent = (n: number): AnalyticsEvent => ({ ...event(n), body: event(n) }) as unknown as AnalyticsEvent;

async function consuming(write: AnalyticsSink['write']) {
  const declared: Topology[] = [];
  let handle: (delivery: Delivery) => Promise<HandlerResult> = () => Promise.reject(new Error('not started'));
  const metrics = createMetrics();
  await startAnalytics({
    broker: {
      declare: async (part) => void declared.push(part),
      consume: async ({ handler }) => {
        handle = handler;
        return { close: async () => {} };
      },
    },
    sink: { write },
    logger: createLogger({ process: 'test', level: 'silent' }),
    metrics,
    batchSize: 3,
    batchMs: 20,
    pauseMs: 7,
  });
  return { declared, metrics, take: (body: unknown) => handle({ body, headers: {} } as Delivery) };
}

it('declares a queue that may vanish, lives two hours and has no dead letters', async () => {
  const { declared } = await consuming(async () => 'written');
  expect(declared[0]?.queues).toEqual([
    { name: 'analytics-queue', kind: 'classic', durable: false, messageTtlMs: 7_200_000 },
  ]);
  expect(declared[0]?.bindings.length).toBe(eventTypes.length);
});

it('writes full batches at once and the rest after a while, and acknowledges what was written', async () => {
  const batches: string[][] = [];
  const { take } = await consuming(async (batch) => {
    batches.push(batch.map(({ eventId }) => eventId));
    return 'written';
  });
  const results = await Promise.all([1, 2, 3, 4].map((n) => take(event(n))));
  expect(batches).toEqual([['e-1', 'e-2', 'e-3'], ['e-4']]);
  expect(results).toEqual(Array(4).fill({ status: 'done' }));
});

it('keeps a batch for later while the sink is away, and drops what is no event or never taken', async () => {
  let away = true;
  const { take, metrics } = await consuming(async () => {
    if (away) throw new Error('503');
    return 'dropped';
  });
  const reason = 'analytics is away: 503';
  expect(await take(event(1))).toEqual({ status: 'pause', ms: 7, reason });
  away = false;
  expect(await take(event(1))).toEqual({ status: 'done' });
  expect(await take('no event')).toEqual({ status: 'done' });
  const { values } = await metrics.analyticsEvents.get();
  expect(values.map(({ labels, value }) => [labels.result, value])).toEqual([
    ['written', 0],
    ['dropped', 2],
    ['failed', 1],
  ]);
});

it('writes files of lines, a new one each day and when one has grown', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-analytics-'));
  closing.push(() => rm(folder, { recursive: true }));
  let nowUtc = '2026-01-02T23:59:59.000Z';
  const sink = createNdjsonSink({
    folder: join(folder, 'made'),
    clock: { nowUtc: () => nowUtc },
    maximumBytes: 300,
  });
  for (let n = 1; n <= 4; n += 1) await sink.write([asEvent(n)]);
  nowUtc = '2026-01-03T00:00:00.000Z';
  await sink.write([asEvent(5), asEvent(6)]);
  const files = (await readdir(join(folder, 'made'))).toSorted();
  expect(files).toEqual([
    'events-2026-01-02.2.ndjson',
    'events-2026-01-02.ndjson',
    'events-2026-01-03.ndjson',
  ]);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, 'made', file), 'utf8')));
  const lines = texts.flatMap((text) => text.trimEnd().split('\n'));
  expect(lines.map((line) => (JSON.parse(line) as { eventId: string }).eventId).toSorted()).toEqual(
    [1, 2, 3, 4, 5, 6].map((n) => `e-${n}`),
  );
});

it('begins a new line after one that a kill or a full disk cut short', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-analytics-'));
  closing.push(() => rm(folder, { recursive: true }));
  const clock = { nowUtc: () => '2026-01-02T00:00:00.000Z' };
  const file = join(folder, 'events-2026-01-02.ndjson');
  await createNdjsonSink({ folder, clock }).write([asEvent(1)]);
  await appendFile(file, '{"eventId":"e-');
  await createNdjsonSink({ folder, clock }).write([asEvent(2)]);
  expect((await readFile(file, 'utf8')).split('\n')).toEqual([
    JSON.stringify(event(1)),
    '{"eventId":"e-',
    JSON.stringify(event(2)),
    '',
  ]);
});

it('speaks Segment’s batch format and tells what is lost from what comes later', async () => {
  let status = 200;
  const got: { url: string | undefined; key: string | undefined; body: unknown }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      got.push({ url: request.url, key: request.headers.authorization, body: JSON.parse(text) });
      response.writeHead(status).end('{}');
    });
  }).listen(0, '127.0.0.1');
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sink = createSegmentSink({ url, writeKey: 'key' });
  expect(await sink.write([asEvent(1)])).toBe('written');
  expect(got[0]).toMatchObject({
    url: '/v1/batch',
    key: `Basic ${btoa('key:')}`,
    body: { batch: [{ type: 'track', messageId: 'e-1', event: 'order.created.v1', userId: 'customer-1' }] },
  });
  status = 400;
  expect(await sink.write([asEvent(1)])).toBe('dropped');
  status = 503;
  await expect(sink.write([asEvent(1)])).rejects.toThrow('answered 503');
  server.closeAllConnections();
});
