import type { MetricFactory } from './metric-factory.ts';

const shownBy = ['api', 'worker', 'relay'] as const;
const call = [
  'lock.acquire',
  'lock.release',
  'seen.check',
  'seen.remember',
  'bell.ring',
  'bell.listen',
  'ping',
] as const;

/** Redis: exclusivity and speed, never truth; without it everything goes on. */
export const createRedisMetrics = (define: MetricFactory) => ({
  redisUp: define.gauge({
    name: 'redis_up',
    help: '1 while the connection to Redis is ready, else 0.',
    shownBy,
  }),
  redisDegraded: define.counter({
    name: 'redis_degraded_total',
    help: 'Redis calls that were answered without Redis.',
    labels: { call },
    shownBy,
  }),
  redisCallDuration: define.histogram({
    name: 'redis_call_duration_seconds',
    help: 'Time of one Redis call, in seconds; after 0.25 it is answered without Redis.',
    labels: { call },
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.25],
    shownBy,
  }),
});
