import type { WorkerOptions } from '@temporalio/worker';
import type { Metrics } from '../telemetry/metrics.ts';
import { isTracing } from '../telemetry/tracing.ts';
import { measureActivities } from './measure-activities.ts';
import { traceActivities } from './trace-activities.ts';
import { traceWorkflows } from './trace-workflows.ts';

/** What watches a Temporal worker: metrics of every attempt and, where traces are recorded, spans. */
export const workerObservers = (
  metrics: Pick<Metrics, 'stepAttemptDuration' | 'stepDuration'>,
): Pick<WorkerOptions, 'interceptors' | 'sinks'> =>
  isTracing()
    ? { interceptors: { activity: [traceActivities, measureActivities(metrics)] }, sinks: traceWorkflows }
    : { interceptors: { activity: [measureActivities(metrics)] } };
