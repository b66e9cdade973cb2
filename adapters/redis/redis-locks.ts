import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { LockAnswer, Locks } from '../../ports/locks.ts';
import type { RedisCaller } from './redis-call.ts';

/** Deletes the lock only while it is still ours: its time may have run out and another may hold it. */
const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/**
 * Locks with a random token and a time to live. An acquire that got no reply in time may have set its lock all the
 * same; such a lock is taken away as soon as Redis answers, so that it does not stand in the next attempt's way.
 */
export function createRedisLocks(input: { call: RedisCaller; client: Redis; keyPrefix: string }): Locks {
  const { call, client, keyPrefix } = input;
  const unsure = new Map<string, { key: string; untilMs: number }>();

  const release = (key: string, token: string) =>
    call('lock.release', (redis) => redis.eval(releaseScript, 1, key, token));

  async function withdraw(key: string, token: string): Promise<void> {
    const reply = await release(key, token);
    if (reply.known) unsure.delete(token);
  }

  client.on('ready', () => {
    for (const [token, { key, untilMs }] of unsure) {
      if (untilMs < Date.now()) unsure.delete(token);
      else void withdraw(key, token);
    }
  });

  return {
    async acquire({ name, ttlMs }): Promise<LockAnswer> {
      const key = `${keyPrefix}lock:${name}`;
      const token = randomUUID();
      const mayBeSent = client.status === 'ready';
      const reply = await call(
        'lock.acquire',
        (redis) => redis.set(key, token, 'PX', ttlMs, 'NX'),
        (late) => void (late === 'OK' ? withdraw(key, token) : unsure.delete(token)),
      );
      if (!reply.known) {
        if (mayBeSent) unsure.set(token, { key, untilMs: Date.now() + ttlMs });
        return { status: 'unavailable' };
      }
      if (reply.value !== 'OK') return { status: 'held' };
      return { status: 'acquired', release: async () => void (await release(key, token)) };
    },
  };
}
