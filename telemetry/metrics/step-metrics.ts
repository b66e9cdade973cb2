import type { MetricFactory } from './metric-factory.ts';

const shownBy = ['worker'] as const;
const kind = ['forward', 'compensation', 'upkeep'] as const;

/** Activities as Temporal runs them, seen by an interceptor of the worker. */
export const createStepMetrics = (define: MetricFactory) => ({
  stepAttemptDuration: define.histogram({
    name: 'step_attempt_duration_seconds',
    help: 'Time of one attempt of an activity, in seconds; its _count is the number of attempts. Results: done; refused (a business answer); failed (technical, tried again); canceled.',
    labels: { activity: "the activities' names", kind, result: ['done', 'refused', 'failed', 'canceled'] },
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    shownBy,
  }),
  stepDuration: define.histogram({
    name: 'step_duration_seconds',
    help: 'Time from scheduling an activity to its answer, in seconds, with the wait for a worker and all attempts and pauses.',
    labels: { activity: "the activities' names", kind },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200],
    shownBy,
  }),
});
