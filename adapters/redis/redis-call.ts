import type { Redis } from 'ioredis';

/** Names of the calls that can be answered without Redis; the label of the metric. */
export type RedisCall =
  'lock.acquire' | 'lock.release' | 'seen.check' | 'seen.remember' | 'bell.ring' | 'bell.listen' | 'ping';

/** A command's reply, or that nobody knows: Redis is away, slow or refuses; the command may still have run. */
export type RedisReply<T> = { known: true; value: T } | { known: false; reason: string };

export interface RedisCaller {
  /**
   * Runs one command and always answers within 250 ms. ioredis alone does not: with a dropped connection a promise in
   * flight may never settle. `onLate` gets a reply that came after the answer.
   */
  <T>(
    call: RedisCall,
    command: (client: Redis) => Promise<T>,
    onLate?: (value: T) => void,
  ): Promise<RedisReply<T>>;
}

export const callTimeoutMs = 250;

/**
 * @param input.onDegraded hears of every call that was answered without Redis
 * @param input.onCall hears how long each call took, in seconds
 */
export function createRedisCaller(input: {
  client: Redis;
  onDegraded: (call: RedisCall) => void;
  onCall?: ((call: RedisCall, seconds: number) => void) | undefined;
}): RedisCaller {
  return async (call, command, onLate) => {
    const startedAtMs = performance.now();
    const reply = await answered(command(input.client), onLate);
    input.onCall?.(call, (performance.now() - startedAtMs) / 1_000);
    if (!reply.known) input.onDegraded(call);
    return reply;
  };
}

function answered<T>(command: Promise<T>, onLate: ((value: T) => void) | undefined): Promise<RedisReply<T>> {
  const { promise, resolve } = Promise.withResolvers<RedisReply<T>>();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    resolve({ known: false, reason: `no reply within ${callTimeoutMs} ms` });
  }, callTimeoutMs);
  command.then(
    (value) => {
      clearTimeout(timer);
      if (late) onLate?.(value);
      else resolve({ known: true, value });
    },
    (error: Error) => {
      clearTimeout(timer);
      resolve({ known: false, reason: error.message });
    },
  );
  return promise;
}
