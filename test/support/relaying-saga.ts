import { randomUUID } from 'node:crypto';
import { connectRabbitmqBroker } from '../../adapters/rabbitmq/rabbitmq-broker.ts';
import { connectRedis } from '../../adapters/redis/connect-redis.ts';
import { eventTypes } from '../../domain/events.ts';
import { createRelay } from '../../messaging/relay.ts';
import { createSubscribe } from '../../messaging/subscribe.ts';
import { topology } from '../../messaging/topology.ts';
import { systemClock } from '../../ports/clock.ts';
import { observeBrokerState } from '../../telemetry/broker-state.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { uniqueName } from '../setup/isolation.ts';
import { startSagaEnvironment } from '../setup/saga-environment.ts';
import type { PrivateBroker } from './private-broker.ts';

/** The saga with relay and subscribers on a broker that a test may kill. */
export async function startRelayingSaga(server: Pick<PrivateBroker, 'url'>) {
  const saga = await startSagaEnvironment();
  const logger = createLogger({ process: 'test', level: process.env['LOG_LEVEL'] ?? 'silent' });
  const metrics = createMetrics();
  const connectBroker = () =>
    connectRabbitmqBroker({
      url: server.url,
      topology,
      logger,
      confirmTimeoutMs: 2_000,
      operationTimeoutMs: 2_000,
      maximumReconnectDelayMs: 500,
    });
  const broker = await connectBroker();
  const consuming = await connectBroker();
  observeBrokerState(metrics, broker.state);
  const redis = await connectRedis({
    url: saga.config.REDIS_URL,
    keyPrefix: `${saga.config.TASK_QUEUE_PREFIX}:`,
    onDegraded() {},
  });
  const relay = createRelay({
    store: saga.deps.store.outbox,
    publisher: broker,
    bell: redis.bell,
    clock: systemClock,
    owner: randomUUID(),
    logger,
    metrics,
    timing: { gaugesMs: 200 },
  });
  await relay.start();
  const subscribe = createSubscribe({
    broker: consuming,
    seen: redis.seen,
    store: saga.deps.store,
    clock: systemClock,
    logger,
    metrics,
  });

  return {
    saga,
    metrics,
    broker,
    /**
     * Sequences by order in which every event was handled, duplicates left out, by an ordered subscription whose first
     * attempt at each order's third event fails.
     */
    async collect() {
      const byOrder = new Map<string, number[]>();
      await subscribe({
        service: uniqueName('collect'),
        events: eventTypes,
        ordered: true,
        retryDelaysMs: [20, 20],
        async handler({ payload, metadata }, { attempt }) {
          if (metadata.sequence === 3 && attempt === 1) throw new Error('not yet');
          const sequences = byOrder.get(payload.orderId) ?? [];
          if (!sequences.includes(metadata.sequence)) sequences.push(metadata.sequence);
          byOrder.set(payload.orderId, sequences);
        },
      });
      return byOrder;
    },
    /** Outbox depth as the metric shows it. */
    unpublished: async () => (await metrics.outboxUnpublished.get()).values[0]?.value ?? 0,
    async close() {
      await relay.stop();
      await Promise.all([broker.close(), consuming.close()]);
      await redis.close();
      await saga.close();
    },
  };
}
