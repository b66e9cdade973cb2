import type { SeenFilter } from '../../ports/locks.ts';
import type { RedisCaller } from './redis-call.ts';

/** Remembers ids under `<prefix>seen:<scope>:<id>`, each with its own time to live. */
export function createRedisSeenFilter(input: { call: RedisCaller; keyPrefix: string }): SeenFilter {
  const keyOf = (scope: string, id: string) => `${input.keyPrefix}seen:${scope}:${id}`;
  return {
    async seen({ scope, id }) {
      const reply = await input.call('seen.check', (redis) => redis.exists(keyOf(scope, id)));
      if (!reply.known) return 'unavailable';
      return reply.value === 1 ? 'seen' : 'new';
    },
    async remember({ scope, id, ttlSeconds }) {
      await input.call('seen.remember', (redis) => redis.set(keyOf(scope, id), '1', 'EX', ttlSeconds));
    },
  };
}
