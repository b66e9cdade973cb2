import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type ClientOptions,
  type WorkflowClientInterceptor,
} from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { activeTraceparent, isTracing, traced } from '../../telemetry/tracing.ts';
import { traceHeader } from '../../workflows/trace-messages.ts';

/**
 * A span for each call of a traced request to Temporal. Updates and signals carry it, so that the order's trace links
 * to who sent them. A start carries it as well: what has no `traceparent` in its input goes on the starter's trace.
 */
const traceTemporal: WorkflowClientInterceptor = {
  startWithDetails: (input, next) => call('start', () => next(withTrace(input))),
  signal: (input, next) => call('signal', () => next(withTrace(input))),
  startUpdate: (input, next) => call('update', () => next(withTrace(input))),
  query: (input, next) => call('query', () => next(input)),
  describe: (input, next) => call('describe', () => next(input)),
  cancel: (input, next) => call('cancel', () => next(input)),
  terminate: (input, next) => call('terminate', () => next(input)),
};

/** For a Temporal client of this process. */
export const clientObservers = (): Pick<ClientOptions, 'interceptors'> =>
  isTracing() ? { interceptors: { workflow: [traceTemporal] } } : {};

const call = <T>(method: string, work: () => Promise<T>): Promise<T> =>
  traced(
    {
      name: `temporal ${method}`,
      kind: 'client',
      inside: true,
      attributes: { 'rpc.system.name': 'temporal', 'rpc.method': method },
      isAnswer,
    },
    work,
  );

/** The workflow was started before, is not there or refused the act: Temporal did what it was asked. */
const isAnswer = (error: unknown): boolean =>
  error instanceof WorkflowExecutionAlreadyStartedError ||
  error instanceof WorkflowNotFoundError ||
  error instanceof WorkflowUpdateFailedError;

function withTrace<Input extends { headers: Record<string, Payload> }>(input: Input): Input {
  const traceparent = activeTraceparent();
  if (traceparent === undefined) return input;
  const header = { [traceHeader]: defaultPayloadConverter.toPayload(traceparent) };
  return { ...input, headers: { ...input.headers, ...header } };
}
