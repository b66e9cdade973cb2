import { connectRedis, type RedisConnection } from '../adapters/redis/connect-redis.ts';
import type { Config } from '../config/config.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/**
 * Redis as configured, under the installation's prefix, with what a process observes of it. A Redis that does not
 * answer is said once and done without until it does.
 */
export async function connectMeasuredRedis(
  config: Pick<Config, 'REDIS_URL' | 'TASK_QUEUE_PREFIX'>,
  {
    redisDegraded,
    redisCallDuration,
    redisUp,
  }: Pick<Metrics, 'redisDegraded' | 'redisCallDuration' | 'redisUp'>,
  warn: (message: string) => void,
): Promise<RedisConnection> {
  const redis = await connectRedis({
    url: config.REDIS_URL,
    keyPrefix: `${config.TASK_QUEUE_PREFIX}:`,
    onDegraded: (call) => redisDegraded.inc({ call }),
    onCall: (call, seconds) => redisCallDuration.observe({ call }, seconds),
  });
  if (!redis.ready()) {
    warn('Redis does not answer at the address that REDIS_URL names; working without it until it does');
  }
  Object.assign(redisUp, { collect: () => redisUp.set(redis.ready() ? 1 : 0) });
  return redis;
}
