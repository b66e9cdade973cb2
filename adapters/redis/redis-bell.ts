import type { Redis } from 'ioredis';
import type { OutboxBell } from '../../ports/locks.ts';
import type { RedisCall, RedisCaller } from './redis-call.ts';

const ringEveryMs = 5;

/**
 * The outbox bell over publish/subscribe. Rings of one process within 5 ms become one message: the first rings at
 * once, the rest at the end of the 5 ms. `listen` opens a connection of its own, which subscribes again after each
 * reconnect and then rings once, for what it may have missed.
 */
export function createRedisBell(input: {
  call: RedisCaller;
  client: Redis;
  keyPrefix: string;
  onDegraded: (call: RedisCall) => void;
}): OutboxBell & { close(): void } {
  const channel = `${input.keyPrefix}outbox-bell`;
  const subscribers = new Set<Redis>();
  let quietUntil: NodeJS.Timeout | undefined;
  let again = false;

  function ring(): void {
    if (quietUntil !== undefined) {
      again = true;
      return;
    }
    void input.call('bell.ring', (redis) => redis.publish(channel, '1'));
    quietUntil = setTimeout(() => {
      quietUntil = undefined;
      if (!again) return;
      again = false;
      ring();
    }, ringEveryMs);
  }

  function subscribe(subscriber: Redis, listener: () => void): void {
    subscriber.subscribe(channel).then(listener, () => input.onDegraded('bell.listen'));
  }

  return {
    ring,
    async listen(listener) {
      const subscriber = input.client.duplicate({ autoResubscribe: false });
      subscribers.add(subscriber);
      subscriber.on('error', () => {});
      subscriber.on('message', () => listener());
      subscriber.on('ready', () => subscribe(subscriber, listener));
      return {
        async close() {
          subscribers.delete(subscriber);
          // A disconnecting client still hands out what it has received.
          subscriber.removeAllListeners('message');
          subscriber.disconnect();
        },
      };
    },
    close() {
      for (const subscriber of subscribers) subscriber.disconnect();
    },
  };
}
