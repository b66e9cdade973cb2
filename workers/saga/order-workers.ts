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
} from '../../activities/create-activities.ts';
import type { ActivityDeps } from '../../activities/deps.ts';
import type { TaskQueues } from '../../domain/ids.ts';
import { defaultProviderPolicy, type ProviderName, type ProviderPolicy } from '../../domain/providers.ts';
import type { ProviderPace } from '../../ports/providers.ts';
import { noteRetries } from '../../compose/note-retries.ts';
import { createProviderWorker } from '../providers/provider-worker.ts';

export interface OrderWorkersOptions {
  connection: NativeConnection;
  namespace: string;
  taskQueues: TaskQueues;
  workflowBundle: WorkflowBundleOption;
  deps: ActivityDeps;
  /** How fast the providers' steps are taken. */
  providerPolicy?: ProviderPolicy;
  maxCachedWorkflows?: number;
  /** Milliseconds that running activities get to finish at shutdown; at least the longest attempt. Default 25,000. */
  shutdownGraceMs?: number;
  warn?: (message: string) => void;
  /** Interceptors and sinks of all three: metrics and traces. */
  observers?: Pick<WorkerOptions, 'interceptors' | 'sinks'>;
}

export interface OrderWorkers {
  /** Runs until `shutdown`; rejects when a worker dies of a bug or a lost server. */
  run(): Promise<void>;
  shutdown(): void;
  running(): boolean;
}

/**
 * The three workers of one process: the saga with its SQL steps, and one per provider on a task queue of its own
 * (bulkhead), so that hanging provider calls never take slots from the rest. A provider's worker follows its pace: it
 * stops while the provider is paused or its circuit is open, and starts slowly after that.
 */
export async function createOrderWorkers(options: OrderWorkersOptions): Promise<OrderWorkers> {
  const { connection, namespace, taskQueues, deps } = options;
  const shared = {
    connection,
    namespace,
    ...options.observers,
    interceptors: {
      ...options.observers?.interceptors,
      activity: [...(options.observers?.interceptors?.activity ?? []), noteRetries(deps)],
    },
    shutdownGraceTime: options.shutdownGraceMs ?? 25_000,
  } satisfies Partial<WorkerOptions>;
  const saga = await Worker.create({
    ...shared,
    shutdownForceTime: shared.shutdownGraceTime + 5_000,
    taskQueue: taskQueues.orders,
    workflowBundle: options.workflowBundle,
    activities: createOrderActivities(deps),
    maxCachedWorkflows: options.maxCachedWorkflows ?? 2_000,
    maxConcurrentWorkflowTaskPolls: 4,
    maxConcurrentActivityTaskPolls: 2,
    maxConcurrentLocalActivityExecutions: 100,
  });
  const providerWorker = (provider: ProviderName, activities: object) =>
    createProviderWorker({
      pace: () => deps.providers.pace(provider),
      create: (pace) =>
        Worker.create({
          ...shared,
          ...limitsOf(pace, options.providerPolicy ?? defaultProviderPolicy),
          taskQueue: taskQueues[provider],
          activities,
        }),
      ...(options.warn ? { warn: options.warn } : {}),
    });
  const providers = [
    providerWorker('payments', createPaymentActivities(deps)),
    providerWorker('carrier', createCarrierActivities(deps)),
  ];
  const ignore = deps.providers.onChange(() => {
    for (const worker of providers) worker.adapt();
  });
  return {
    async run() {
      await Promise.all([saga, ...providers].map((worker) => worker.run()));
    },
    shutdown() {
      ignore();
      if (saga.getState() === 'RUNNING') saga.shutdown();
      for (const worker of providers) worker.shutdown();
    },
    running: () => saga.getState() === 'RUNNING' && providers.every((worker) => worker.running()),
  };
}

/**
 * The rate of the task queue is kept by the server for all processes, that of a slow start by this one. No limit on how
 * long a provider's worker may take to stop: its requests have time-outs of their own, and a switch must not end the process.
 */
function limitsOf(
  pace: Exclude<ProviderPace, 'stopped'>,
  { maximumPerSecond, slowStartPerSecond }: ProviderPolicy,
): Partial<WorkerOptions> {
  const limits = { maxTaskQueueActivitiesPerSecond: maximumPerSecond };
  switch (pace) {
    case 'probing':
      return { ...limits, maxConcurrentActivityTaskExecutions: 1, maxConcurrentActivityTaskPolls: 1 };
    case 'slow':
      return {
        ...limits,
        maxActivitiesPerSecond: slowStartPerSecond,
        maxConcurrentActivityTaskExecutions: Math.max(1, Math.ceil(slowStartPerSecond)),
        maxConcurrentActivityTaskPolls: 1,
      };
    case 'full':
      return { ...limits, maxConcurrentActivityTaskExecutions: 50, maxConcurrentActivityTaskPolls: 4 };
  }
}
