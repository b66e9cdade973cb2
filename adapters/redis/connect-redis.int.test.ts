import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { freePort, uniqueName } from '../../test/setup/isolation.ts';
import { connectRedis, type RedisConnection } from './connect-redis.ts';
import type { RedisCall } from './redis-call.ts';

const keyPrefix = `${uniqueName('redis')}:`;
const open: RedisConnection[] = [];
const servers: ChildProcess[] = [];
const proxies: Server[] = [];
let raw: Redis;

beforeAll(() => {
  raw = new Redis(inject('redisUrl'));
});
afterAll(async () => {
  const keys = await raw.keys(`${keyPrefix}*`);
  if (keys.length > 0) await raw.del(keys);
  raw.disconnect();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
  for (const proxy of proxies.splice(0)) proxy.close();
  for (const server of servers.splice(0)) {
    server.kill('SIGCONT');
    server.kill('SIGKILL');
  }
});

async function connected(url = inject('redisUrl'), degraded: RedisCall[] = []): Promise<RedisConnection> {
  const connection = await connectRedis({ url, keyPrefix, onDegraded: (call) => degraded.push(call) });
  open.push(connection);
  return connection;
}

/** A Redis of this test's own, which may be stopped, frozen and started again on the same port. */
async function startServer(port: number): Promise<ChildProcess> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  servers.push(server);
  const probe = new Redis(port, '127.0.0.1', { retryStrategy: () => 50, maxRetriesPerRequest: null });
  probe.on('error', () => {});
  await probe.ping();
  probe.disconnect();
  return server;
}

async function stopServer(server: ChildProcess): Promise<void> {
  const gone = once(server, 'exit');
  server.kill('SIGKILL');
  await gone;
}

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

it('gives a lock to one at a time and to the next after its release', async () => {
  const { locks } = await connected();
  const first = await locks.acquire({ name: 'payment-1', ttlMs: 5_000 });
  expect(first.status).toBe('acquired');
  expect(await locks.acquire({ name: 'payment-1', ttlMs: 5_000 })).toEqual({ status: 'held' });
  if (first.status === 'acquired') await first.release();
  expect((await locks.acquire({ name: 'payment-1', ttlMs: 5_000 })).status).toBe('acquired');
});

it('lets a lock run out by itself', async () => {
  const { locks } = await connected();
  await locks.acquire({ name: 'short', ttlMs: 50 });
  await sleep(80);
  expect((await locks.acquire({ name: 'short', ttlMs: 50 })).status).toBe('acquired');
});

it('never releases a lock that has passed to another meanwhile', async () => {
  const { locks } = await connected();
  const slow = await locks.acquire({ name: 'passed-on', ttlMs: 50 });
  await sleep(80);
  await locks.acquire({ name: 'passed-on', ttlMs: 5_000 });
  if (slow.status === 'acquired') await slow.release();
  expect(await locks.acquire({ name: 'passed-on', ttlMs: 5_000 })).toEqual({ status: 'held' });
});

it('remembers ids per scope for their time to live', async () => {
  const { seen } = await connected();
  expect(await seen.seen({ scope: 'email', id: 'a' })).toBe('new');
  await seen.remember({ scope: 'email', id: 'a', ttlSeconds: 1 });
  expect(await seen.seen({ scope: 'email', id: 'a' })).toBe('seen');
  expect(await seen.seen({ scope: 'other', id: 'a' })).toBe('new');
  await sleep(1_100);
  expect(await seen.seen({ scope: 'email', id: 'a' })).toBe('new');
});

it('rings once for a burst and not at all times in between', async () => {
  const { bell } = await connected();
  let rings = 0;
  await bell.listen(() => (rings += 1));
  await expect.poll(() => rings).toBe(1);
  for (let ring = 0; ring < 1_000; ring += 1) bell.ring();
  await sleep(100);
  expect(rings).toBe(3);
});

it('answers at once and counts it when Redis is away', async () => {
  const degraded: RedisCall[] = [];
  const { locks, seen, ping } = await connected(`redis://127.0.0.1:${await freePort()}`, degraded);
  const tookMs = await elapsedMs(async () => {
    expect(await locks.acquire({ name: 'x', ttlMs: 1_000 })).toEqual({ status: 'unavailable' });
    expect(await seen.seen({ scope: 'x', id: 'x' })).toBe('unavailable');
    await seen.remember({ scope: 'x', id: 'x', ttlSeconds: 1 });
    await expect(ping()).rejects.toThrow('Redis does not answer');
  });
  expect(tookMs).toBeLessThan(100);
  expect(degraded).toEqual(['lock.acquire', 'seen.check', 'seen.remember', 'ping']);
});

it('leaves no ghost lock behind from the time Redis was away', async () => {
  const port = await freePort();
  const server = await startServer(port);
  const { locks } = await connected(`redis://127.0.0.1:${port}`);
  await stopServer(server);
  expect(await locks.acquire({ name: 'ghost', ttlMs: 60_000 })).toEqual({ status: 'unavailable' });
  await startServer(port);
  await expect
    .poll(async () => (await locks.acquire({ name: 'probe', ttlMs: 1 })).status, { timeout: 5_000 })
    .not.toBe('unavailable');
  expect((await locks.acquire({ name: 'ghost', ttlMs: 1_000 })).status).toBe('acquired');
});

it('answers within 250 ms when Redis hangs, and takes the lock away that was set after all', async () => {
  const port = await freePort();
  const server = await startServer(port);
  const { locks, ping } = await connected(`redis://127.0.0.1:${port}`);
  await expect.poll(() => ping(), { timeout: 5_000 }).toBeUndefined();
  server.kill('SIGSTOP');
  const tookMs = await elapsedMs(async () => {
    expect(await locks.acquire({ name: 'late', ttlMs: 60_000 })).toEqual({ status: 'unavailable' });
  });
  expect(tookMs).toBeGreaterThan(200);
  expect(tookMs).toBeLessThan(350);
  server.kill('SIGCONT');
  await expect
    .poll(async () => (await locks.acquire({ name: 'late', ttlMs: 1_000 })).status, { timeout: 2_000 })
    .toBe('acquired');
});

/** Forwards to Redis; after `swallow()` the next reply is lost with its connection, though Redis has done the work. */
async function lossyProxy(): Promise<{ url: string; swallow(): void }> {
  const { hostname, port } = new URL(inject('redisUrl'));
  let lossy = false;
  const proxy = createServer((client) => {
    const server = createConnection(Number(port), hostname);
    for (const socket of [client, server]) socket.on('error', () => {});
    client.pipe(server);
    client.on('close', () => server.destroy());
    server.on('data', (reply) => {
      if (!lossy) return client.write(reply);
      lossy = false;
      return client.destroy();
    });
  });
  proxies.push(proxy);
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const swallow = () => (lossy = true);
  return { url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`, swallow };
}

it('answers when the reply is lost with its connection, and withdraws the lock that was set', async () => {
  const { url, swallow } = await lossyProxy();
  const { locks, ping } = await connected(url);
  swallow();
  expect(await locks.acquire({ name: 'dropped', ttlMs: 60_000 })).toEqual({ status: 'unavailable' });
  expect(await raw.exists(`${keyPrefix}lock:dropped`)).toBe(1);
  await expect
    .poll(
      () =>
        ping().then(
          () => 'up',
          () => 'away',
        ),
      { timeout: 2_000 },
    )
    .toBe('up');
  await expect.poll(() => raw.exists(`${keyPrefix}lock:dropped`)).toBe(0);
});

it('hears the bell again after Redis was restarted, with one ring for what it may have missed', async () => {
  const port = await freePort();
  const server = await startServer(port);
  const { bell } = await connected(`redis://127.0.0.1:${port}`);
  let rings = 0;
  const listening = await bell.listen(() => (rings += 1));
  await expect.poll(() => rings).toBe(1);
  await stopServer(server);
  await startServer(port);
  await expect.poll(() => rings, { timeout: 5_000 }).toBe(2);
  bell.ring();
  await expect.poll(() => rings).toBe(3);
  await listening.close();
  bell.ring();
  await sleep(50);
  expect(rings).toBe(3);
});
