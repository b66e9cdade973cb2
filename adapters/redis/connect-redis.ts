import { Redis } from 'ioredis';
import type { Locks, OutboxBell, SeenFilter } from '../../ports/locks.ts';
import { callTimeoutMs, createRedisCaller, type RedisCall } from './redis-call.ts';
import { createRedisBell } from './redis-bell.ts';
import { createRedisLocks } from './redis-locks.ts';
import { createRedisSeenFilter } from './redis-seen-filter.ts';

export interface RedisConnection {
  locks: Locks;
  seen: SeenFilter;
  bell: OutboxBell;
  /** Whether the connection is ready now. */
  ready(): boolean;
  /** Resolves when Redis answers, rejects with the reason otherwise; within 250 ms. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const maximumReconnectDelayMs = 1_000;
const connectTimeoutMs = 2_000;

/**
 * Locks, duplicate checks and the outbox bell on one Redis. Waits at most 250 ms for the connection, then resolves
 * without it: calls are answered `unavailable` until Redis is there. Reconnects for ever, at least once a second.
 *
 * Nothing is queued while Redis is away and nothing is sent again after a reconnect: a lock that is set when nobody
 * waits for it any more would hold up everybody until its time runs out.
 *
 * @param input.keyPrefix before every key and channel; default `order-saga:`
 * @param input.onDegraded hears of every call that was answered without Redis
 * @param input.onCall hears how long each call took, in seconds
 */
export async function connectRedis(input: {
  url: string;
  keyPrefix?: string;
  onDegraded?: (call: RedisCall) => void;
  onCall?: (call: RedisCall, seconds: number) => void;
}): Promise<RedisConnection> {
  const { keyPrefix = 'order-saga:', onDegraded = () => {}, onCall } = input;
  const client = new Redis(input.url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: connectTimeoutMs,
    retryStrategy: (attempt) => Math.min(50 * attempt, maximumReconnectDelayMs),
  });
  // Without a listener ioredis prints each failed attempt; `ping` and `onDegraded` say what matters.
  client.on('error', () => {});
  const call = createRedisCaller({ client, onDegraded, onCall });
  const bell = createRedisBell({ call, client, keyPrefix, onDegraded });
  await readyOrLate(client);
  return {
    locks: createRedisLocks({ call, client, keyPrefix }),
    seen: createRedisSeenFilter({ call, keyPrefix }),
    bell,
    ready: () => client.status === 'ready',
    async ping() {
      const reply = await call('ping', (redis) => redis.ping());
      if (!reply.known) throw new Error(`Redis does not answer: ${reply.reason}`);
    },
    async close() {
      bell.close();
      client.disconnect();
    },
  };
}

function readyOrLate(client: Redis): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, callTimeoutMs);
  client.once('ready', () => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}
