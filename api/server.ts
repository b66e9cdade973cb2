import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Client } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { connectStripeGateway } from '../adapters/stripe/stripe-gateway.ts';
import { createTargetPolicy } from '../adapters/webhook-http/target-policy.ts';
import { createWebhookSecrets } from '../adapters/webhook-http/webhook-secrets.ts';
import { loadConfigOrExit, type Config } from '../config/config.ts';
import { taskQueues } from '../domain/ids.ts';
import { systemClock } from '../ports/clock.ts';
import { listening } from '../telemetry/listening.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { connectTracing } from '../telemetry/connect-tracing.ts';
import { connectMeasuredRedis } from '../compose/connect-measured-redis.ts';
import { connectStore, storeHooks } from '../compose/connect-store.ts';
import { preflight } from '../compose/preflight.ts';
import type { AppDeps } from './app-deps.ts';
import { createApp } from './app.ts';
import { requireSafeAddress } from './http/bind-address.ts';
import { editedContent } from '../messaging/dead-letters-edit.ts';
import { createDeadLetterWorkflows } from '../adapters/temporal/dead-letters.ts';
import { lazyStore } from '../compose/lazy-store.ts';
import { lazyTemporalConnection } from '../adapters/temporal/client.ts';
import { createBulkRuns } from '../adapters/temporal/bulk-runs.ts';
import { createOrderActWorkflows } from '../adapters/temporal/bulk-orders.ts';
import { createOrderRuns } from '../adapters/temporal/runs.ts';
import { createOrderWorkflows } from '../adapters/temporal/orders.ts';
import { clientObservers } from '../adapters/temporal/traced-client.ts';
import { watchTaskQueues } from '../adapters/temporal/watch-task-queues.ts';
import { createRefundWorkflows } from '../adapters/temporal/refunds.ts';

/** Requests in flight get this long to end after a SIGTERM. */
const DRAIN_MS = 10_000;

/** What Node gives a client to send its request, and an idle connection to live. */
const serverOptions = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 72_000,
  connectionsCheckingInterval: 1_000,
};

/** Everything behind the API. Nothing but Redis is connected yet, and that takes 250 ms at most. */
async function connectDeps(config: Config) {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = lazyTemporalConnection(connectionOptions);
  const queues = taskQueues(config.TASK_QUEUE_PREFIX);
  const metrics = createMetrics('api');
  const store = lazyStore(
    () =>
      connectStore(
        config,
        storeHooks(metrics, (message) => logger.warn(message)),
      ),
    {
      onAway: (error) =>
        logger.warn(
          { err: error, setting: 'SQL_URL' },
          'the store that SQL_URL names cannot be opened; what it alone knows is answered with 503 until it can',
        ),
      onBack: () => logger.info('the store answers now'),
    },
  );
  const redis = await connectMeasuredRedis(config, metrics, (message) => logger.warn(message));
  const payments = connectStripeGateway({
    secretKey: config.STRIPE_SECRET_KEY,
    apiBase: config.STRIPE_API_BASE,
    webhookSecret: config.STRIPE_WEBHOOK_SECRET,
  });
  const settings = {
    callers: config.API_CALLERS,
    customerHashKey: config.CUSTOMER_HASH_KEY,
    formerCustomerHashKeys: config.CUSTOMER_HASH_FORMER_KEYS,
    defaultCurrency: config.DEFAULT_CURRENCY,
    shipFrom: config.SHIP_FROM,
    shippingFees: config.shippingFees,
    policy: config.policy,
    taskQueues: queues,
    maxEventStreams: config.API_MAX_EVENT_STREAMS,
  };
  const webhooks = {
    targets: createTargetPolicy({ allowPrivate: config.WEBHOOK_ALLOW_PRIVATE }),
    secrets: createWebhookSecrets({ key: config.WEBHOOK_SECRET_KEY }),
  };
  /* A run that was closed before its order answers as it was then; SQL knows better. */
  const workflow = { queryRejectCondition: 'NOT_COMPLETED_CLEANLY' } as const;
  const client = new Client({ connection, namespace, workflow, ...clientObservers() });
  const workflows = createOrderWorkflows(client, queues);
  const refunds = createRefundWorkflows(client, { taskQueues: queues, policy: config.policy });
  const deadLetters: AppDeps['deadLetters'] = {
    workflows: createDeadLetterWorkflows(client, queues.ops),
    editRefusal(letter, patch) {
      const edited = editedContent(letter, patch);
      return edited.ok ? undefined : edited.reason;
    },
  };
  const watch = watchTaskQueues({ connection, namespace, taskQueues: queues, metrics, logger });
  return {
    deps: {
      workflows,
      orderActs: createOrderActWorkflows(client, queues.ops),
      bulkRuns: createBulkRuns(client, queues.ops),
      refunds,
      deadLetters,
      runs: createOrderRuns(client, queues),
      store,
      payments,
      seen: redis.seen,
      webhooks,
      clock: systemClock,
      settings,
      metrics,
    },
    async close() {
      await watch.close();
      payments.close();
      await Promise.allSettled([store.close(), redis.close(), connection.close()]);
    },
  };
}

async function listen(server: Server, config: Config): Promise<string> {
  await listening(server, { host: config.API_HOST, port: config.API_PORT, setting: 'API_PORT' });
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Stops taking connections, lets requests in flight end, and cuts what is left after ten seconds. */
async function drain(server: Server, draining: AbortController): Promise<void> {
  draining.abort();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}

async function run(config: Config, logger: Logger): Promise<void> {
  requireSafeAddress({ host: config.API_HOST, hasCallers: config.API_CALLERS !== undefined });
  const draining = new AbortController();
  const tracing = await connectTracing({ settings: config, service: 'order-saga-api', logger });
  const { deps, close } = await connectDeps(config);
  const app = createApp({ ...deps, logger, draining: draining.signal });
  const answer = getRequestListener(app.fetch);
  const server = createServer(serverOptions, (request, response) => void answer(request, response));
  const url = await listen(server, config);
  logger.info({ url }, `API listens on ${url}, documentation at ${url}/docs`);
  /* Its settings may be others than the worker's: the webhook secret is read here. */
  void preflight(config, logger);
  /* Connects to Temporal now, so that the first checkout does not wait for it. */
  deps.workflows.ping().catch((error: unknown) => {
    logger.warn(
      { err: error, setting: 'TEMPORAL_ADDRESS' },
      'not ready: Temporal does not answer at the address that TEMPORAL_ADDRESS names; checkouts are answered with 503 until it does',
    );
  });
  const stop = async (signal: string) => {
    logger.info({ signal }, 'API drains');
    await drain(server, draining);
    await close();
    await tracing.close();
    logger.info('API has stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));
}

const config = loadConfigOrExit();
const logger = createLogger({ process: 'api', level: config.LOG_LEVEL });
try {
  await run(config, logger);
} catch (error) {
  logger.fatal({ err: error }, error instanceof Error ? error.message : 'The API cannot start');
  process.exitCode = 1;
  /* Open connections must not keep a process alive that serves nobody. */
  setTimeout(() => process.exit(1), 100).unref();
}
