import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import {
  ApplicationFailure,
  ApplicationFailureCategory,
  CancelledFailure,
  defaultPayloadConverter,
} from '@temporalio/common';
import { activeTrace, errorTypeOf, traced, type ActiveSpan } from '../telemetry/tracing.ts';
import { traceHeader } from '../workflows/trace-messages.ts';
import { activityFacts } from './activity-facts.ts';

/**
 * One span for each attempt of an activity, in the trace of the order whose workflow scheduled it: the header
 * `traceparent` comes from the workflow's interceptor. A refusal is an answer and no error.
 */
export const traceActivities: ActivityInterceptorsFactory = ({ info }) => {
  const facts = activityFacts(info);
  const attributes = {
    'order.id': facts.orderId,
    'order.step': facts.step,
    'order.attempt': facts.attempt,
    'temporal.workflow.id': facts.workflowId,
    'temporal.run.id': facts.runId,
    'temporal.task_queue': info.taskQueue,
    'temporal.activity.local': info.isLocal,
  };
  let trace: { traceId: string } | undefined;
  return {
    inbound: {
      execute: (input, next) => {
        const parent = traceparentIn(input.headers);
        return traced({ name: facts.activity, parent, attributes, isAnswer }, (span) => {
          trace = activeTrace();
          return noting(span, () => next(input));
        });
      },
    },
    outbound: {
      /* The SDK writes its lines later, outside of any span. */
      getLogAttributes: (input, next) => next({ ...input, ...trace }),
    },
  };
};

function traceparentIn(headers: Readonly<Record<string, unknown>>): string | undefined {
  const payload = headers[traceHeader];
  if (payload === undefined) return undefined;
  const value: unknown = defaultPayloadConverter.fromPayload(payload as never);
  return typeof value === 'string' ? value : undefined;
}

async function noting(span: ActiveSpan, work: () => Promise<unknown>): Promise<unknown> {
  try {
    const result = await work();
    span.set({ 'order.outcome': 'done' });
    return result;
  } catch (error) {
    if (isRefusal(error)) span.set({ 'order.outcome': 'refused', 'order.failure_type': errorTypeOf(error) });
    else span.set({ 'order.outcome': isCanceled(error) ? 'canceled' : 'failed' });
    throw error;
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof ApplicationFailure && error.category === ApplicationFailureCategory.BENIGN;
const isCanceled = (error: unknown): boolean => error instanceof CancelledFailure;
const isAnswer = (error: unknown): boolean => isRefusal(error) || isCanceled(error);
