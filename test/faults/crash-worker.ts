import { DefaultLogger, Runtime } from '@temporalio/worker';
import { loadConfig } from '../../config/config.ts';
import { taskQueues } from '../../domain/ids.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { connectActivityDeps } from '../../compose/connect-activity-deps.ts';
import { connectTemporal } from '../../compose/connect-temporal.ts';
import { createOrderWorkers } from '../../workers/saga/order-workers.ts';
import { withKillPoints } from './kill-points.ts';

/* The saga's worker as in workers/worker.ts, except that it dies at the kill points of KILL_POINTS. */
const config = loadConfig();
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const [deps, temporal] = await Promise.all([connectActivityDeps(config, createMetrics()), connectTemporal()]);
const workers = await createOrderWorkers({
  ...temporal,
  taskQueues: taskQueues(config.TASK_QUEUE_PREFIX),
  workflowBundle: { codePath: process.env['WORKFLOW_BUNDLE'] ?? '' },
  deps: withKillPoints(deps, process.env['KILL_POINTS'] ?? ''),
  providerPolicy: config.providerPolicy,
  /* Without a cache no workflow task waits for a worker that is gone. */
  maxCachedWorkflows: 0,
  shutdownGraceMs: 1_000,
});
process.once('SIGTERM', () => workers.shutdown());
await workers.run();
await deps.close();
await temporal.connection.close();
