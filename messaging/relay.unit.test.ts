import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { orderId } from '../domain/ids.ts';
import type { PublishAnswer } from '../ports/broker.ts';
import { systemClock } from '../ports/clock.ts';
import type { OutboxMessage, OutboxStore } from '../ports/store/messages.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createMemoryOutbox } from './memory-outbox.ts';
import type { RelayTiming } from './relay-timing.ts';
import { createRelay, type Relay } from './relay.ts';

const logger = createLogger({ process: 'test', level: 'silent' });
const relays: Relay[] = [];
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
});

const quick: Partial<RelayTiming> = {
  sweepMs: 20,
  passGapMs: 0,
  unavailableMs: 2,
  maximumUnavailableMs: 5,
  retryMs: 1,
  maximumRetryMs: 2,
  gaugesMs: 5,
};

const message = (order: string, sequence: number, changes: Partial<OutboxMessage> = {}): OutboxMessage => ({
  id: `${order}-${sequence}`,
  occurredAtUtc: new Date().toISOString(),
  type: 'order.created.v1',
  payload: '{}',
  destination: 'exchange:orders.exchange',
  orderId: orderId(order),
  sequence,
  traceparent: '',
  ...changes,
});

const confirmed: PublishAnswer = { status: 'confirmed' };
const unavailable: PublishAnswer = { status: 'unavailable', reason: 'away' };
const unroutable: PublishAnswer = { status: 'unroutable', reason: 'NO_ROUTE' };

function createBell() {
  const listeners = new Set<() => void>();
  return {
    ring: () => listeners.forEach((listener) => listener()),
    listeners,
    async listen(listener: () => void) {
      listeners.add(listener);
      return { close: async () => void listeners.delete(listener) };
    },
  };
}

function setUp(input: {
  publish: (message: OutboxMessage) => Promise<PublishAnswer>;
  fault?: (call: keyof OutboxStore) => void;
  timing?: Partial<RelayTiming>;
}) {
  const outbox = createMemoryOutbox({ fault: input.fault });
  const bell = createBell();
  const metrics = createMetrics();
  const owner = randomUUID();
  const timing = { ...quick, ...input.timing };
  const publisher = { publish: input.publish };
  const relay = createRelay({
    store: outbox.store,
    publisher,
    bell,
    clock: systemClock,
    owner,
    logger,
    metrics,
    timing,
  });
  relays.push(relay);
  return { outbox, bell, relay, metrics, owner };
}

const openRows = (outbox: ReturnType<typeof createMemoryOutbox>) =>
  outbox.rows.filter((row) => row.publishedAtUtc === undefined);

it('publishes the messages of one order one after another and orders side by side', async () => {
  const log: string[] = [];
  const { outbox, relay } = setUp({
    publish: async ({ id }) => {
      log.push(`+${id}`);
      await sleep(5);
      log.push(`-${id}`);
      return confirmed;
    },
  });
  for (const n of [1, 2]) for (const order of ['a', 'b']) outbox.add(message(order, n));
  await relay.start();
  await expect.poll(() => openRows(outbox).length).toBe(0);
  expect(log).toEqual(['+a-1', '+b-1', '-a-1', '+a-2', '-b-1', '+b-2', '-a-2', '-b-2']);
});

it('publishes events in outside words', async () => {
  const payloads: string[] = [];
  const { outbox, relay } = setUp({
    publish: async ({ payload }) => {
      payloads.push(payload);
      return confirmed;
    },
  });
  const payload = { actor: 'ada (help-desk)', reason: 'one key was stuck' };
  outbox.add(message('a', 1, { payload: JSON.stringify({ eventType: 'order.cancelled.v1', payload }) }));
  await relay.start();
  await expect.poll(() => payloads.length).toBe(1);
  expect(payloads[0]).not.toMatch(/ada|stuck/);
  expect(outbox.rows[0]?.payload).toContain('one key was stuck');
});

it('is woken by the bell long before it sweeps', async () => {
  const { outbox, relay, bell } = setUp({ publish: async () => confirmed, timing: { sweepMs: 60_000 } });
  await relay.start();
  await sleep(20);
  outbox.add(message('a', 1));
  bell.ring();
  await expect.poll(() => openRows(outbox).length, { timeout: 500, interval: 5 }).toBe(0);
});

it('sweeps when nobody rang', async () => {
  const { outbox, relay } = setUp({ publish: async () => confirmed });
  await relay.start();
  outbox.add(message('a', 1));
  await expect.poll(() => openRows(outbox).length).toBe(0);
});

it('shares one pass between many rings and does not spin when idle', async () => {
  let reads = 0;
  const { relay, bell } = setUp({
    publish: async () => confirmed,
    fault: (call) => void (call === 'pending' && (reads += 1)),
    timing: { passGapMs: 50, sweepMs: 60_000 },
  });
  await relay.start();
  const ringing = setInterval(bell.ring, 1);
  await sleep(275);
  clearInterval(ringing);
  expect(reads).toBeGreaterThanOrEqual(3);
  expect(reads).toBeLessThanOrEqual(7);
  await sleep(60);
  const settled = reads;
  await sleep(150);
  expect(reads).toBe(settled);
});

it('counts no attempt while the broker is away, asks it ever more rarely and publishes once it is back', async () => {
  let away = true;
  let calls = 0;
  const { outbox, relay, bell } = setUp({
    publish: async () => {
      calls += 1;
      return away ? unavailable : confirmed;
    },
    timing: { unavailableMs: 20, maximumUnavailableMs: 40 },
  });
  outbox.add(message('a', 1));
  await relay.start();
  const ringing = setInterval(bell.ring, 1);
  await sleep(250);
  clearInterval(ringing);
  expect(calls).toBeGreaterThan(2);
  expect(calls).toBeLessThan(12);
  expect(outbox.rows[0]?.attempts).toBe(0);
  away = false;
  await expect.poll(() => openRows(outbox).length).toBe(0);
});

it('stops the whole pass at the first message that the broker was away for', async () => {
  const seen: string[] = [];
  const { outbox, relay } = setUp({
    publish: async ({ id }) => {
      seen.push(id);
      await sleep(id.startsWith('b') ? 1 : 10);
      return id.startsWith('b') ? unavailable : confirmed;
    },
    timing: { unavailableMs: 60_000 },
  });
  for (const n of [1, 2]) for (const order of ['a', 'b']) outbox.add(message(order, n));
  await relay.start();
  await sleep(60);
  expect(seen).toEqual(['a-1', 'b-1']);
  expect(openRows(outbox).map(({ id }) => id)).toEqual(['b-1', 'a-2', 'b-2']);
});

it('sets a message aside after 10 attempts; its order waits, the others go on', async () => {
  const published: string[] = [];
  const { outbox, relay, metrics } = setUp({
    publish: async ({ id, destination }) => {
      if (destination === 'queue:nobody.q') return unroutable;
      published.push(id);
      return confirmed;
    },
  });
  outbox.add(message('a', 1, { destination: 'queue:nobody.q' }));
  outbox.add(message('a', 2));
  outbox.add(message('b', 1));
  await relay.start();
  await expect.poll(() => outbox.rows[0]?.isSetAside).toBe(true);
  outbox.add(message('b', 2));
  await expect.poll(() => published).toEqual(['b-1', 'b-2']);
  expect(outbox.rows[0]?.attempts).toBe(10);
  await expect.poll(async () => (await metrics.outboxSetAside.get()).values[0]?.value).toBe(1);
});

it('reads past any number of orders that wait for their next attempt', async () => {
  const { outbox, relay } = setUp({
    publish: async ({ destination }) => (destination === 'queue:nobody.q' ? unroutable : confirmed),
    timing: { retryMs: 60_000, maximumRetryMs: 60_000 },
  });
  for (let n = 0; n < 120; n += 1) outbox.add(message(`x${n}`, 1, { destination: 'queue:nobody.q' }));
  outbox.add(message('good', 1));
  await relay.start();
  await expect.poll(() => outbox.rows.at(-1)?.publishedAtUtc).toBeDefined();
  expect(Math.max(...outbox.rows.map(({ attempts }) => attempts))).toBe(1);
});

it('does not publish again what was confirmed while the store was away', async () => {
  const published: string[] = [];
  let failures = 3;
  const { outbox, relay } = setUp({
    publish: async ({ id }) => {
      published.push(id);
      return confirmed;
    },
    fault: (call) => {
      if (call !== 'markPublished' || failures === 0) return;
      failures -= 1;
      throw new Error('database is locked');
    },
  });
  outbox.add(message('a', 1));
  await relay.start();
  await expect.poll(() => openRows(outbox).length).toBe(0);
  expect(published).toEqual(['a-1']);
});

it('goes on after any failure of the store', async () => {
  const failing = new Set<keyof OutboxStore>(['lease', 'pending', 'depth', 'purge']);
  const { outbox, relay } = setUp({
    publish: async () => confirmed,
    fault: (call) => {
      if (failing.delete(call)) throw new Error(`${call} failed`);
    },
  });
  outbox.add(message('a', 1));
  await relay.start();
  await expect.poll(() => openRows(outbox).length).toBe(0);
});

it('ends after the pass at work, marks what was confirmed and gives its partitions back', async () => {
  const { outbox, relay, bell } = setUp({
    publish: async () => {
      await sleep(40);
      return confirmed;
    },
  });
  outbox.add(message('a', 1));
  await relay.start();
  await expect.poll(() => outbox.leases.size).toBe(16);
  await relay.stop();
  expect(openRows(outbox)).toEqual([]);
  expect(outbox.leases.size).toBe(0);
  expect(bell.listeners.size).toBe(0);
});

it('shows how much waits and how old it is', async () => {
  const { outbox, relay, metrics } = setUp({ publish: async () => unavailable });
  outbox.add(message('a', 1, { occurredAtUtc: new Date(Date.now() - 30_000).toISOString() }));
  await relay.start();
  await expect.poll(async () => (await metrics.outboxUnpublished.get()).values[0]?.value).toBe(1);
  expect((await metrics.outboxOldestAge.get()).values[0]?.value).toBeGreaterThan(29);
});

it('measures each confirm, and how late a message is when the broker has it', async () => {
  const { outbox, relay, metrics } = setUp({ publish: async () => confirmed });
  outbox.add(message('a', 1, { occurredAtUtc: new Date(Date.now() - 20_000).toISOString() }));
  await relay.start();
  const text = () => metrics.registry.metrics();
  await expect.poll(text).toContain('message_publish_duration_seconds_count{result="confirmed"} 1');
  expect(await text()).toContain('outbox_publish_delay_seconds_bucket{le="5"} 0');
  expect(await text()).toContain('outbox_publish_delay_seconds_bucket{le="30"} 1');
});

it('deletes published messages past their retention in bites and keeps the others', async () => {
  const bites: number[] = [];
  const { outbox, relay } = setUp({ publish: async () => confirmed, timing: { retentionMs: 50 } });
  const purge = outbox.store.purge;
  outbox.store.purge = async (input) => {
    const deleted = await purge(input);
    bites.push(deleted);
    return deleted;
  };
  for (let n = 0; n < 450; n += 1) outbox.add(message(`o${n}`, 1));
  await relay.start();
  await expect.poll(() => openRows(outbox).length).toBe(0);
  await relay.stop();
  await sleep(60);
  relays.length = 0;
  const later = createRelay({
    store: outbox.store,
    publisher: { publish: async () => unavailable },
    bell: createBell(),
    clock: systemClock,
    owner: 'later',
    logger,
    metrics: createMetrics(),
    timing: { ...quick, retentionMs: 50 },
  });
  relays.push(later);
  outbox.add(message('fresh', 1));
  await later.start();
  await expect.poll(() => outbox.rows.map(({ id }) => id)).toEqual(['fresh-1']);
  expect(Math.max(...bites)).toBe(200);
});
