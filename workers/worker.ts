import { Client } from '@temporalio/client';
import { Runtime, type LogLevel, type Logger as TemporalLogger } from '@temporalio/worker';
import { createOrderWorkflows } from '../api/temporal-order-workflows.ts';
import { loadConfig } from '../config/config.ts';
import { taskQueues } from '../domain/ids.ts';
import { systemClock } from '../ports/clock.ts';
import { startHealthServer } from '../telemetry/health-server.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { connectActivityDeps } from './connect-activity-deps.ts';
import { connectTemporal } from './connect-temporal.ts';
import { connectOpsDesk } from './connect-ops-desk.ts';
import { createOrderActDesk } from './order-act-desk.ts';
import { createOpsWorker } from './ops-worker.ts';
import { createOrderWorkers } from './order-workers.ts';
import { bundleOrderWorkflows } from './workflow-bundle.ts';

/* The saga's worker process: config -> adapters -> activities -> run. Ends gracefully on SIGTERM and SIGINT. */
const config = loadConfig();
const logger = createLogger({ process: 'worker', level: config.LOG_LEVEL });
const metrics = createMetrics('worker');
Runtime.install({ logger: forTemporal(logger), shutdownSignals: [] });

const [deps, temporal, workflowBundle] = await Promise.all([
  connectActivityDeps(config, metrics, (message) => logger.warn(message)),
  connectTemporal(),
  bundleOrderWorkflows({ logger: forTemporal(logger.child({}, { level: 'warn' })) }),
]);
const workers = await createOrderWorkers({
  ...temporal,
  taskQueues: taskQueues(config.TASK_QUEUE_PREFIX),
  workflowBundle,
  deps,
  providerPolicy: config.providerPolicy,
  maxCachedWorkflows: config.MAX_CACHED_WORKFLOWS,
  warn: (message) => logger.warn(message),
});
const ops = await connectOpsDesk({ config, store: deps.store, logger });
const opsWorker = await createOpsWorker({
  ...temporal,
  taskQueue: taskQueues(config.TASK_QUEUE_PREFIX).ops,
  workflowBundle,
  desk: ops.desk,
  orderActs: createOrderActDesk({
    workflows: createOrderWorkflows(new Client(temporal), taskQueues(config.TASK_QUEUE_PREFIX)),
    store: deps.store,
    clock: systemClock,
  }),
});
const health = await startHealthServer({
  host: '127.0.0.1',
  port: config.WORKER_PORT,
  registry: metrics.registry,
  checks: {
    worker: async () => {
      if (!workers.running() || !opsWorker.running()) throw new Error('the Temporal workers are not running');
    },
    sql: deps.ping.store,
    redis: deps.ping.redis,
  },
});
function shutdown(): void {
  workers.shutdown();
  opsWorker.shutdown();
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, shutdown);
logger.info({ port: health.port, taskQueues: taskQueues(config.TASK_QUEUE_PREFIX) }, 'worker is running');

try {
  await Promise.all([workers.run(), opsWorker.run()]);
} finally {
  await health.close();
  await ops.close();
  await deps.close();
  await temporal.connection.close();
}
logger.info('worker has stopped');

/** Temporal's runtime and workflow logs as lines of ours. */
function forTemporal(target: Logger): TemporalLogger {
  const levels: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
    TRACE: 'trace',
    DEBUG: 'debug',
    INFO: 'info',
    WARN: 'warn',
    ERROR: 'error',
  };
  const log = (level: LogLevel, message: string, meta?: Record<string | symbol, unknown>) =>
    target[levels[level]](meta ?? {}, message);
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}
