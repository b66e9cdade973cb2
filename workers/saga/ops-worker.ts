import {
  Worker,
  type NativeConnection,
  type WorkerOptions,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import { createOrderActActivities } from '../../activities/operators/act-on-orders.ts';
import { createDeadLetterActivities } from '../../activities/operators/dead-letters.ts';
import type { DeadLetterService } from '../../ports/dead-letters.ts';
import type { OrderActService } from '../../ports/order-acts.ts';

export interface OpsWorker {
  /** Runs until `shutdown`; rejects when the worker dies of a bug or a lost server. */
  run(): Promise<void>;
  shutdown(): void;
  running(): boolean;
}

/** The worker for what operators ask for; on a task queue of its own, so that it takes no slots from orders. */
export async function createOpsWorker(options: {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  workflowBundle: WorkflowBundleOption;
  deadLetters: DeadLetterService;
  orderActs: OrderActService;
  shutdownGraceMs?: number;
  observers?: Pick<WorkerOptions, 'interceptors' | 'sinks'>;
}): Promise<OpsWorker> {
  const { connection, namespace, taskQueue, workflowBundle, shutdownGraceMs = 10_000 } = options;
  const worker = await Worker.create({
    connection,
    namespace,
    ...options.observers,
    taskQueue,
    workflowBundle,
    activities: {
      ...createDeadLetterActivities({ deadLetters: options.deadLetters }),
      ...createOrderActActivities({ orderActs: options.orderActs }),
    },
    maxCachedWorkflows: 20,
    maxConcurrentWorkflowTaskPolls: 2,
    maxConcurrentActivityTaskPolls: 1,
    maxConcurrentActivityTaskExecutions: 4,
    shutdownGraceTime: shutdownGraceMs,
    shutdownForceTime: shutdownGraceMs + 5_000,
  });
  return {
    run: () => worker.run(),
    shutdown() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    },
    running: () => worker.getState() === 'RUNNING',
  };
}
