import {
  Worker,
  type NativeConnection,
  type WorkerOptions,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import {
  createCarrierActivities,
  createOrderActivities,
  createPaymentActivities,
} from '../activities/create-activities.ts';
import type { ActivityDeps } from '../activities/deps.ts';
import type { TaskQueues } from '../domain/ids.ts';

export interface OrderWorkersOptions {
  connection: NativeConnection;
  namespace: string;
  taskQueues: TaskQueues;
  workflowBundle: WorkflowBundleOption;
  deps: ActivityDeps;
  maxCachedWorkflows?: number;
  /** Milliseconds that running activities get to finish at shutdown; at least the longest attempt. Default 25,000. */
  shutdownGraceMs?: number;
}

export interface OrderWorkers {
  /** Runs until `shutdown`; rejects when a worker dies of a bug or a lost server. */
  run(): Promise<void>;
  shutdown(): void;
  running(): boolean;
}

/**
 * The three workers of one process: the saga with its SQL steps, and one per provider on a task queue of its own
 * (bulkhead), so that hanging provider calls never take slots from the rest.
 */
export async function createOrderWorkers(options: OrderWorkersOptions): Promise<OrderWorkers> {
  const { connection, namespace, taskQueues, deps } = options;
  const shared = {
    connection,
    namespace,
    shutdownGraceTime: options.shutdownGraceMs ?? 25_000,
    shutdownForceTime: (options.shutdownGraceMs ?? 25_000) + 5_000,
  } satisfies Partial<WorkerOptions>;
  const provider = { ...shared, maxConcurrentActivityTaskExecutions: 50, maxConcurrentActivityTaskPolls: 4 };
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue: taskQueues.orders,
      workflowBundle: options.workflowBundle,
      activities: createOrderActivities(deps),
      maxCachedWorkflows: options.maxCachedWorkflows ?? 2_000,
      maxConcurrentWorkflowTaskPolls: 4,
      maxConcurrentActivityTaskPolls: 2,
      maxConcurrentLocalActivityExecutions: 100,
    }),
    Worker.create({ ...provider, taskQueue: taskQueues.payments, activities: createPaymentActivities(deps) }),
    Worker.create({ ...provider, taskQueue: taskQueues.carrier, activities: createCarrierActivities(deps) }),
  ]);
  return {
    async run() {
      await Promise.all(workers.map((worker) => worker.run()));
    },
    shutdown() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
    running: () => workers.every((worker) => worker.getState() === 'RUNNING'),
  };
}
