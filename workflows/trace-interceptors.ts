import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { ContinueAsNew, isCancellation, proxySinks, type WorkflowInterceptors } from '@temporalio/workflow';
import { traceHeader, type TraceSinks } from './trace-messages.ts';

/**
 * In the bundle only where traces are recorded; it adds no command to a history, so that runs may go on with it or
 * without. Activities get the trace of the workflow's input (or of who started it) as a header; the run's end and every update and signal are
 * told to the sink, which makes spans of them outside. Nothing here delays what it watches.
 */
export function interceptors(): WorkflowInterceptors {
  const { tracing } = proxySinks<TraceSinks>();
  let traceparent: string | undefined;
  let acts = 0;

  const withTrace = <Input extends { headers: Record<string, Payload> }>(input: Input): Input =>
    traceparent === undefined ? input : { ...input, headers: { ...input.headers, ...headerOf(traceparent) } };

  const tellAct = (kind: 'update' | 'signal', name: string, headers: Record<string, Payload>): void => {
    acts += 1;
    if (traceparent === undefined) return;
    tracing.act({
      traceparent,
      caller: textOf(headers[traceHeader]),
      kind,
      name,
      number: acts,
      atMs: Date.now(),
    });
  };

  const tellEnd = (outcome: string, errorType?: string): void => {
    if (traceparent === undefined) return;
    tracing.run({ traceparent, endedMs: Date.now(), outcome, errorType });
  };

  return {
    inbound: [
      {
        execute(input, next) {
          traceparent = traceparentOf(input.args[0]) ?? textOf(input.headers[traceHeader]);
          const result = next(input);
          result.then(
            (value) => tellEnd(statusOf(value)),
            (error: unknown) => tellEnd(...endOf(error)),
          );
          return result;
        },
        handleUpdate(input, next) {
          tellAct('update', input.name, input.headers);
          return next(input);
        },
        handleSignal(input, next) {
          tellAct('signal', input.signalName, input.headers);
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(withTrace(input)),
        scheduleLocalActivity: (input, next) => next(withTrace(input)),
        continueAsNew: (input, next) => next(withTrace(input)),
      },
    ],
  };
}

function endOf(error: unknown): [outcome: string, errorType?: string] {
  if (error instanceof ContinueAsNew) return ['continued'];
  return isCancellation(error) ? ['cancelled'] : ['failed', (error as Error).name];
}

const headerOf = (traceparent: string) => ({ [traceHeader]: defaultPayloadConverter.toPayload(traceparent) });

function textOf(payload: Payload | undefined): string | undefined {
  const value: unknown = payload && defaultPayloadConverter.fromPayload(payload);
  return typeof value === 'string' ? value : undefined;
}

const fieldOf = (value: unknown, name: string): string | undefined => {
  const field =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  return typeof field === 'string' && field !== '' ? field : undefined;
};

const traceparentOf = (input: unknown) => fieldOf(input, 'traceparent');
const statusOf = (result: unknown) => fieldOf(result, 'status') ?? 'completed';
