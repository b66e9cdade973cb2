import type { Sinks } from '@temporalio/workflow';

/** Temporal header that carries a W3C `traceparent`: to activities the workflow's, to all else the caller's. */
export const traceHeader = 'traceparent';

/** What workflows tell of themselves for traces; called live only, never at replay. */
export interface TraceSinks extends Sinks {
  tracing: {
    /** The run has closed. */
    run(run: { traceparent: string; endedMs: number; outcome: string; errorType?: string | undefined }): void;
    /** An update or signal was taken in. `caller`: the request that sent it, a trace of its own. */
    act(act: {
      traceparent: string;
      caller?: string | undefined;
      kind: 'update' | 'signal';
      name: string;
      number: number;
      atMs: number;
    }): void;
  };
}
