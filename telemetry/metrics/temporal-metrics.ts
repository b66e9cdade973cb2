import type { MetricFactory } from './metric-factory.ts';

const shownBy = ['api'] as const;
const taskQueue = {
  task_queue: ['orders', 'payments', 'carrier', 'ops'],
  task_type: ['workflow', 'activity'],
} as const;

/** What the Temporal server says of the task queues, which have no prefix here: seen from outside the workers, so that it tells when they are gone. */
export const createTemporalMetrics = (define: MetricFactory) => ({
  taskQueuePollers: define.gauge({
    name: 'task_queue_pollers',
    help: 'Workers that asked for tasks of a Temporal task queue within the last 90 seconds.',
    labels: taskQueue,
    shownBy,
  }),
  taskQueueBacklog: define.gauge({
    name: 'task_queue_backlog_tasks',
    help: 'Tasks that wait in a Temporal task queue for a worker, about.',
    labels: taskQueue,
    shownBy,
  }),
  taskQueueBacklogAge: define.gauge({
    name: 'task_queue_backlog_age_seconds',
    help: 'Age of the oldest task that waits in a Temporal task queue for a worker, in seconds; 0 when none waits.',
    labels: taskQueue,
    shownBy,
  }),
});
