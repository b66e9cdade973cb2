import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Runtime, DefaultLogger, Worker } from '@temporalio/worker';
import { connectTemporal } from '../compose/connect-temporal.ts';
import { bareTaskQueue, nothing } from './bare-activities.ts';

/* The worker of the bare workflow: a process like the product's worker, with its settings. Prints `ready`, ends on SIGTERM. */
Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
const workflowsPath = fileURLToPath(new URL('./bare-workflow.ts', import.meta.url));
const [{ connection, namespace }, workflowBundle] = await Promise.all([
  connectTemporal(),
  bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') }),
]);
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue: bareTaskQueue,
  workflowBundle,
  activities: { nothing },
  maxCachedWorkflows: 2_000,
  maxConcurrentWorkflowTaskPolls: 4,
  maxConcurrentActivityTaskPolls: 4,
});
process.once('SIGTERM', () => worker.shutdown());
console.log('ready');
await worker.run();
await connection.close();
