import type { LogLevel, LogMetadata, Logger as TemporalLogger } from '@temporalio/common';
import { makeTelemetryFilterString } from '@temporalio/worker';
import type { Logger } from '../telemetry/logger.ts';
import { orderIdOf, stepOf } from './activity-facts.ts';

const levels: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/** What the SDK says at each start though it is as we want it: the providers' workers run activities alone. */
const asWanted: ReadonlySet<string> = new Set([
  'No workflows registered, not polling for workflow tasks',
  'No Nexus services registered, not polling for Nexus tasks',
  'Worker state changed',
]);

/** What the native part of the SDK has to say comes to the logger as well; by itself it would print on its own. */
export const sdkLogging = {
  forward: {},
  filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }),
};

/** Temporal's runtime, worker, workflow and activity logs as lines of ours, with our names for what they are about. */
export function temporalLogger(target: Logger): TemporalLogger {
  const log = (level: LogLevel, message: string, meta: LogMetadata = {}): void =>
    target[asWanted.has(message) ? 'debug' : levels[level]](factsOf(meta), message);
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}

/** A task token is of no use to anybody; workflowInfo holds memo and search attributes; args hold the checkout. */
function factsOf(meta: LogMetadata): Record<string, unknown> {
  const { taskToken: _, workflowInfo: __, error, activityType, ...rest } = inOurWords(meta);
  const orderId = orderIdOf(rest['workflowId']);
  return {
    ...(orderId === undefined ? {} : { orderId }),
    ...(typeof activityType === 'string' ? { step: stepOf(activityType), activity: activityType } : {}),
    ...rest,
    ...(error === undefined ? {} : { err: error }),
  };
}

/** The SDK's TypeScript part and its native part name the same things differently. */
function inOurWords(meta: LogMetadata): LogMetadata {
  const names: Readonly<Record<string, string>> = {
    workflowRunId: 'runId',
    run_id: 'runId',
    workflow_id: 'workflowId',
    task_queue: 'taskQueue',
    activity_type: 'activityType',
  };
  return Object.fromEntries(Object.entries(meta).map(([name, value]) => [names[name] ?? name, value]));
}
