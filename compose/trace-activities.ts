import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import {
  ApplicationFailure,
  ApplicationFailureCategory,
  CancelledFailure,
  defaultPayloadConverter,
} from '@temporalio/common';
import { activeTrace, errorTypeOf, traced, type ActiveSpan } from '../telemetry/tracing.ts';
import { traceHeader } from '../workflows/trace-messages.ts';
import { activityFacts, type ActivityFacts } from './activity-facts.ts';

/**
 * One span for each attempt of an activity, in the trace of the order whose workflow scheduled it: the header
 * `traceparent` comes from the workflow's interceptor. A refusal is an answer and no error.
 */
export const traceActivities: ActivityInterceptorsFactory = ({ info }) => {
  let ofLogs: Record<string, unknown> = {};
  return {
    inbound: {
      execute: (input, next) => {
        const facts = activityFacts(info, input.args[0]);
        const parent = traceparentIn(input.headers);
        const attributes = {
          ...attributesOf(facts),
          'temporal.task_queue': info.taskQueue,
          'temporal.activity.local': info.isLocal,
        };
        return traced({ name: facts.activity, parent, attributes, isAnswer }, (span) => {
          const { orderId, step } = facts;
          ofLogs = { ...(orderId === undefined ? {} : { orderId }), step, ...activeTrace() };
          return noting(span, () => next(input));
        });
      },
    },
    outbound: {
      /* The SDK writes its lines later, outside of any span. */
      getLogAttributes: (input, next) => next({ ...input, ...ofLogs }),
    },
  };
};

const attributesOf = ({ orderId, step, attempt, workflowId, runId }: ActivityFacts) => ({
  'order.id': orderId,
  'order.step': step,
  'order.attempt': attempt,
  'temporal.workflow.id': workflowId,
  'temporal.run.id': runId,
});

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
