import { randomUUID } from 'node:crypto';
import { connectRabbitmqBroker } from '../adapters/rabbitmq/rabbitmq-broker.ts';
import { connectSmtpMailer } from '../adapters/smtp/smtp-mailer.ts';
import { loadConfigOrExit } from '../config/config.ts';
import { startDeadLetterIndex } from '../messaging/dead-letters-index.ts';
import { startEmailConsumer } from '../messaging/email-consumer.ts';
import { createRelay } from '../messaging/relay.ts';
import { topology } from '../messaging/topology.ts';
import type { RedisConnection } from '../adapters/redis/connect-redis.ts';
import type { Broker } from '../ports/broker.ts';
import { systemClock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import { observeBrokerState } from '../telemetry/broker-state.ts';
import { startHealthServer } from '../telemetry/health-server.ts';
import { connectTracing } from '../telemetry/connect-tracing.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { connectMeasuredRedis } from '../compose/connect-measured-redis.ts';
import { connectStoreWhenThere, storeHooks } from '../compose/connect-store.ts';
import { startEventConsumers } from '../compose/start-event-consumers.ts';
import { startWebhooks } from '../compose/start-webhooks.ts';
import { createStartup } from '../compose/startup.ts';
import { tracedMailer } from '../compose/traced-mailer.ts';
import { watchDeadLetters } from './jobs/watch-dead-letters.ts';
import { watchOrders } from './jobs/watch-orders.ts';

/* The relay process: outbox to broker, the email queue to the mail server, events to partners. Ends gracefully on SIGTERM and SIGINT. */
const config = loadConfigOrExit();
const logger = createLogger({ process: 'relay', level: config.LOG_LEVEL });
const metrics = createMetrics('relay');

const tracing = await connectTracing({ settings: config, service: 'order-saga-relay', logger });
const startup = createStartup(logger);
/* What is here already: probes are answered from the first moment, also while something is waited for. */
const here: { store?: Store; redis?: RedisConnection; broker?: Broker } = {};
const health = await startHealthServer({
  host: config.HEALTH_HOST,
  port: config.RELAY_PORT,
  setting: 'RELAY_PORT',
  registry: metrics.registry,
  checks: {
    sql: () => (here.store ?? startup.notYet('sql')).ping(),
    redis: () => (here.redis ?? startup.notYet('redis')).ping(),
    rabbitmq: () => {
      const state = (here.broker ?? startup.notYet('rabbitmq')).state();
      if (state !== 'connected') throw new Error(`the broker that AMQP_URL names is ${state}`);
    },
  },
});
const warn = (message: string) => logger.warn(message);
const [store, redis, broker] = await Promise.all([
  connectStoreWhenThere(config, storeHooks(metrics, warn), startup),
  connectMeasuredRedis(config, metrics, warn),
  connectRabbitmqBroker({
    url: config.AMQP_URL,
    topology,
    logger,
    managementUrl: config.RABBITMQ_MANAGEMENT_URL,
  }),
]);
Object.assign(here, { store, redis, broker });
observeBrokerState(metrics, broker.state);
const mailer = tracedMailer(
  connectSmtpMailer({ url: config.SMTP_URL, from: config.MAIL_FROM }),
  config.SMTP_URL,
);
const relay = createRelay({
  store: store.outbox,
  publisher: broker,
  bell: redis.bell,
  clock: systemClock,
  owner: randomUUID(),
  logger,
  metrics,
});
const emails = await startEmailConsumer({
  broker,
  mailer,
  seen: redis.seen,
  clock: systemClock,
  logger,
  metrics,
});
const webhooks = startWebhooks({ config, broker, store, logger, metrics });
startEventConsumers({ config, broker, store, seen: redis.seen, logger, metrics });
const deadLetters = startDeadLetterIndex({ queues: broker.deadLetters, store, clock: systemClock, logger });
const shared = { store, metrics, clock: systemClock, logger };
const gauges = [watchOrders(shared), watchDeadLetters({ ...shared, queues: broker.deadLetters })];
await relay.start();
logger.info({ port: health.port }, 'relay is running');

async function stop(signal: string): Promise<void> {
  logger.info({ signal }, 'relay is stopping');
  const parts = [emails, webhooks, deadLetters, ...gauges];
  await Promise.all([relay.stop(), ...parts.map((part) => part.close())]);
  await broker.close();
  mailer.close();
  await Promise.allSettled([redis.close(), store.close(), health.close()]);
  await tracing.close();
  logger.info('relay has stopped');
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));
