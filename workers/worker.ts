import { Client } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { Runtime } from '@temporalio/worker';
import { createDebtRuns } from '../adapters/temporal/debts.ts';
import { createBulkRuns } from '../adapters/temporal/bulk-runs.ts';
import { createOrderRuns } from '../adapters/temporal/runs.ts';
import { createOrderWorkflows } from '../adapters/temporal/orders.ts';
import { createRefundWorkflows } from '../adapters/temporal/refunds.ts';
import { clientObservers } from '../adapters/temporal/traced-client.ts';
import { loadConfigOrExit } from '../config/config.ts';
import { taskQueues } from '../domain/ids.ts';
import { providerNames } from '../domain/providers.ts';
import { systemClock } from '../ports/clock.ts';
import { startHealthServer } from '../telemetry/health-server.ts';
import { connectTracing } from '../telemetry/connect-tracing.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { connectActivityDeps, type ConnectedDeps } from '../compose/connect-activity-deps.ts';
import { connectTemporal } from '../compose/connect-temporal.ts';
import { connectOpsService } from '../compose/connect-ops-service.ts';
import { createOrderActService } from '../adapters/temporal/order-act-service.ts';
import { createOpsWorker } from './saga/ops-worker.ts';
import { createOrderWorkers } from './saga/order-workers.ts';
import { preflight } from '../compose/preflight.ts';
import { createStartup } from '../compose/startup.ts';
import { sdkLogging, temporalLogger } from '../compose/temporal-logger.ts';
import { installSdkMetrics } from '../compose/temporal-sdk-metrics.ts';
import { workerObservers } from '../compose/worker-observers.ts';
import { watchCases } from './jobs/watch-cases.ts';
import { watchDebts } from './jobs/watch-debts.ts';
import { certificatesOf, watchCertificates } from './jobs/watch-certificates.ts';
import { bundleOrderWorkflows } from './saga/workflow-bundle.ts';

/* The saga's worker process: config -> adapters -> activities -> run. Ends gracefully on SIGTERM and SIGINT. */
const config = loadConfigOrExit();
const logger = createLogger({ process: 'worker', level: config.LOG_LEVEL });
const metrics = createMetrics('worker');
const sdkMetrics = await installSdkMetrics((telemetry) =>
  Runtime.install({
    logger: temporalLogger(logger),
    telemetryOptions: { ...telemetry, logging: sdkLogging },
    shutdownSignals: [],
  }),
);

const tracing = await connectTracing({ settings: config, service: 'order-saga-worker', logger });
const startup = createStartup(logger);
/* What is here already: probes are answered from the first moment, also while something is waited for. */
const here: { deps?: ConnectedDeps; temporal?: true; running?: () => boolean } = {};
const health = await startHealthServer({
  host: config.HEALTH_HOST,
  port: config.WORKER_PORT,
  setting: 'WORKER_PORT',
  registry: metrics.registry,
  more: () => sdkMetrics.read(),
  checks: {
    temporal: () => void (here.temporal ?? startup.notYet('temporal')),
    worker: () => {
      if (here.running?.() !== true) throw new Error('the Temporal workers are not running');
    },
    sql: () => (here.deps ?? startup.notYet('sql')).ping.store(),
    redis: () => (here.deps ?? startup.notYet('redis')).ping.redis(),
  },
  facts: () => {
    const { providers } = here.deps ?? {};
    return providers
      ? {
          providers: Object.fromEntries(
            providerNames.map((name) => [name, { state: providers.status(name).state }]),
          ),
        }
      : {};
  },
});
logger.info({ port: health.port }, 'worker is starting');
void preflight(config, logger);
const [deps, temporal, workflowBundle] = await Promise.all([
  connectActivityDeps(config, metrics, { startup, warn: (message) => logger.warn(message) }).then(
    (connected) => (here.deps = connected),
  ),
  startup
    .until({ check: 'temporal', setting: 'TEMPORAL_ADDRESS', connect: connectTemporal })
    .then((connected) => {
      here.temporal = true;
      return connected;
    }),
  bundleOrderWorkflows({ logger: temporalLogger(logger.child({}, { level: 'warn' })) }),
]);
const observers = workerObservers(metrics);
const client = new Client({ ...temporal, ...clientObservers() });
const workers = await createOrderWorkers({
  ...temporal,
  taskQueues: taskQueues(config.TASK_QUEUE_PREFIX),
  workflowBundle,
  deps,
  providerPolicy: config.providerPolicy,
  maxCachedWorkflows: config.MAX_CACHED_WORKFLOWS,
  warn: (message) => logger.warn(message),
  observers,
});
const ops = await connectOpsService({ config, store: deps.store, logger });
const opsWorker = await createOpsWorker({
  ...temporal,
  taskQueue: taskQueues(config.TASK_QUEUE_PREFIX).ops,
  workflowBundle,
  observers,
  deadLetters: ops.deadLetters,
  orderActs: createOrderActService({
    workflows: createOrderWorkflows(client, taskQueues(config.TASK_QUEUE_PREFIX)),
    store: deps.store,
    clock: systemClock,
  }),
});
const cases = watchCases({
  ...deps,
  runs: createOrderRuns(client, taskQueues(config.TASK_QUEUE_PREFIX)),
  workflows: createOrderWorkflows(client, taskQueues(config.TASK_QUEUE_PREFIX)),
  bulkRuns: createBulkRuns(client, taskQueues(config.TASK_QUEUE_PREFIX).ops),
  logger,
  everyMs: config.CASE_SWEEP_SECONDS * 1_000,
});
const debts = watchDebts({
  ...deps,
  refunds: createRefundWorkflows(client, {
    taskQueues: taskQueues(config.TASK_QUEUE_PREFIX),
    policy: config.policy,
  }),
  debts: createDebtRuns(client, {
    taskQueues: taskQueues(config.TASK_QUEUE_PREFIX),
    policy: config.policy,
  }),
  logger,
  everyMs: config.CASE_SWEEP_SECONDS * 1_000,
});
const certificates = watchCertificates({
  certificates: certificatesOf({ ...config, temporal: loadClientConnectConfig().connectionOptions }),
  metrics,
  logger,
});
here.running = () => workers.running() && opsWorker.running();
function shutdown(): void {
  workers.shutdown();
  opsWorker.shutdown();
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, shutdown);
logger.info({ port: health.port, taskQueues: taskQueues(config.TASK_QUEUE_PREFIX) }, 'worker is running');

try {
  await Promise.all([workers.run(), opsWorker.run()]);
} finally {
  await cases.close();
  await debts.close();
  await health.close();
  await certificates.close();
  await ops.close();
  await deps.close();
  await temporal.connection.close();
  await tracing.close();
}
logger.info('worker has stopped');
