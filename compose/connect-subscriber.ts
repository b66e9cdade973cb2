import { connectRabbitmqBroker } from '../adapters/rabbitmq/rabbitmq-broker.ts';
import { loadConfig } from '../config/config.ts';
import { createSubscribe } from '../messaging/subscribe.ts';
import { topology } from '../messaging/topology.ts';
import { systemClock } from '../ports/clock.ts';
import { observeBrokerState } from '../telemetry/broker-state.ts';
import { connectTracing } from '../telemetry/connect-tracing.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { connectMeasuredRedis } from './connect-measured-redis.ts';
import type { MarksEvents, SubscriberDeps } from '../messaging/subscription.ts';

/**
 * Connects a subscribing service to the product's broker and cache (AMQP_URL, REDIS_URL, LOG_LEVEL). `store` is the
 * service's own. Resolves at once, also while the broker is away: `subscribe` then waits for it.
 */
export async function connectSubscriber<Tx extends MarksEvents>(input: {
  service: string;
  store?: NonNullable<SubscriberDeps<Tx>['store']>;
  env?: Record<string, string | undefined>;
}) {
  const config = loadConfig(input.env ?? process.env);
  const logger = createLogger({ process: input.service, level: config.LOG_LEVEL });
  const metrics = createMetrics('relay');
  const tracing = await connectTracing({ settings: config, service: input.service, logger });
  const [broker, redis] = await Promise.all([
    connectRabbitmqBroker({
      url: config.AMQP_URL,
      topology: { exchanges: topology.exchanges, queues: [], bindings: [] },
      logger,
    }),
    connectMeasuredRedis(config, metrics, (message) => logger.warn(message)),
  ]);
  observeBrokerState(metrics, broker.state);
  const store = input.store === undefined ? {} : { store: input.store };
  return {
    subscribe: createSubscribe<Tx>({
      broker,
      seen: redis.seen,
      ...store,
      clock: systemClock,
      logger,
      metrics,
    }),
    metrics,
    /** Ends consuming, with handlers at work awaited for at most 10 s, and the connections. */
    async close(): Promise<void> {
      await broker.close();
      await redis.close();
      await tracing.close();
    },
  };
}
