import type { Connection } from '@temporalio/client';
import type { TaskQueues } from '../../domain/ids.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

/** A worker asks again at least every 70 s: a poll is held for a minute. The server forgets one after five minutes. */
const freshMs = 90_000;
const everyMs = 10_000;
const deadlineMs = 2_000;

/** `TaskQueueType` of Temporal's API. */
const taskTypes = { workflow: 1, activity: 2 } as const;

/** Which tasks each queue has: providers' queues have activities alone. */
const polled: Readonly<Record<keyof TaskQueues, readonly (keyof typeof taskTypes)[]>> = {
  orders: ['workflow', 'activity'],
  payments: ['activity'],
  carrier: ['activity'],
  ops: ['workflow', 'activity'],
};

type Describe = Pick<Connection['workflowService'], 'describeTaskQueue'>;

/**
 * Keeps the gauges of the task queues: who polls, how much waits and for how long. The server is asked every ten
 * seconds; while it is away the gauges have no values, since old ones would say that all is well.
 */
export function watchTaskQueues(deps: {
  connection: { workflowService: Describe; withDeadline: Connection['withDeadline'] };
  namespace: string;
  taskQueues: TaskQueues;
  metrics: Pick<Metrics, 'taskQueuePollers' | 'taskQueueBacklog' | 'taskQueueBacklogAge'>;
  logger: Logger;
}): { look(): Promise<void>; close(): Promise<void> } {
  const { connection, namespace, metrics, logger } = deps;
  let away = false;

  async function look(): Promise<void> {
    const asked = Object.entries(polled).flatMap(([queue, types]) =>
      types.map((type) => show(queue as keyof TaskQueues, type)),
    );
    const failed = (await Promise.allSettled(asked)).find((result) => result.status === 'rejected');
    if (failed === undefined) {
      away = false;
      return;
    }
    for (const gauge of [metrics.taskQueuePollers, metrics.taskQueueBacklog, metrics.taskQueueBacklogAge])
      gauge.reset();
    if (!away) logger.warn({ err: failed.reason }, 'the task queues have no gauges while Temporal is away');
    away = true;
  }

  async function show(task_queue: keyof TaskQueues, task_type: keyof typeof taskTypes): Promise<void> {
    const { pollers, stats } = await connection.withDeadline(Date.now() + deadlineMs, () =>
      connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: deps.taskQueues[task_queue] },
        taskQueueType: taskTypes[task_type],
        reportStats: true,
      }),
    );
    const labels = { task_queue, task_type };
    const fresh = pollers.filter(({ lastAccessTime }) => Date.now() - msOf(lastAccessTime) < freshMs);
    metrics.taskQueuePollers.set(labels, fresh.length);
    metrics.taskQueueBacklog.set(labels, Number(stats?.approximateBacklogCount ?? 0));
    metrics.taskQueueBacklogAge.set(labels, msOf(stats?.approximateBacklogAge) / 1_000);
  }

  let looking = look();
  const timer = setInterval(() => {
    looking = look();
  }, everyMs);
  return {
    look,
    async close() {
      clearInterval(timer);
      await looking;
    },
  };
}

/** Of a protobuf Timestamp or Duration. */
const msOf = (time: { seconds?: unknown; nanos?: number | null } | null | undefined): number =>
  Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1_000_000;
