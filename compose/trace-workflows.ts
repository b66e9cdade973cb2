import { createHash } from 'node:crypto';
import type { InjectedSinks } from '@temporalio/worker';
import { recordSpan } from '../telemetry/tracing.ts';
import type { TraceSinks } from '../workflows/trace-messages.ts';
import { orderIdOf } from './activity-facts.ts';

/**
 * Spans of what workflows tell: one for the whole run when it closes, and one for the moment in which an update or
 * signal was taken in, linked to the request that sent it. A workflow task that is done again tells again: the span's
 * id comes from the run, so that it stays one span.
 */
export const traceWorkflows: InjectedSinks<TraceSinks> = {
  tracing: {
    run: {
      fn: (info, { traceparent, endedMs, outcome, errorType }) =>
        recordSpan({
          name: info.workflowType,
          parent: traceparent,
          startedMs: info.runStartTime.getTime(),
          endedMs,
          errorType,
          spanId: spanIdOf(info.runId, 'run'),
          attributes: { ...attributesOf(info), 'order.outcome': outcome },
        }),
    },
    act: {
      fn: (info, { traceparent, caller, kind, name, number, atMs }) =>
        recordSpan({
          name: `${kind} ${name}`,
          parent: traceparent,
          links: [caller],
          startedMs: atMs,
          endedMs: atMs,
          spanId: spanIdOf(info.runId, `act ${number}`),
          attributes: attributesOf(info),
        }),
    },
  },
};

const attributesOf = ({ workflowId, runId }: { workflowId: string; runId: string }) => ({
  'order.id': orderIdOf(workflowId),
  'temporal.workflow.id': workflowId,
  'temporal.run.id': runId,
});

/** Span ids are 8 bytes; those of one run differ by what they are of. */
const spanIdOf = (runId: string, what: string): string =>
  createHash('sha256').update(`${runId} ${what}`).digest('hex').slice(0, 16);
