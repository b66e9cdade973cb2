import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { QueryDefinition } from '@temporalio/common';
import { within } from './bounded.ts';
import { NoWorker } from './dead-letter-workflows.ts';
import { TemporalUnavailable } from './order-workflows.ts';

/** What all bulk acts of operators have in common: a workflow on their task queue that tells its progress. */
export interface BulkWorkflowType<Progress> {
  /** Name under which the workflow is registered. */
  name: string;
  workflowIdOf(id: string): string;
  progress: QueryDefinition<Progress>;
}

/** Bulk acts through a Temporal client; no connection is made before the first call. */
export function createBulkWorkflows<Progress>(
  client: Client,
  taskQueue: string,
  { name, workflowIdOf, progress }: BulkWorkflowType<Progress>,
) {
  const call = <T>(timeoutMs: number, what: string, work: () => Promise<T>): Promise<T> =>
    within(timeoutMs, what, () => client.withDeadline(Date.now() + timeoutMs, work));
  const handleOf = (id: string) => client.workflow.getHandle<() => Promise<Progress>>(workflowIdOf(id));
  const describe = (id: string) =>
    foundOrUndefined('describe', () => call(1_000, 'describe', () => handleOf(id).describe()));

  return {
    /** `exists` when one with this id was started before. At most 1.4 s. */
    async start(input: {
      id: string;
      args: unknown[];
      summary: string;
      memo?: Record<string, unknown>;
    }): Promise<'started' | 'exists'> {
      const { id, args, summary, memo = {} } = input;
      try {
        await call(1_400, 'start', () =>
          client.workflow.start(name, {
            workflowId: workflowIdOf(id),
            taskQueue,
            args,
            memo,
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            staticSummary: summary,
          }),
        );
        return 'started';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return 'exists';
        throw new TemporalUnavailable('start', error);
      }
    },
    /** The memo it was started with. At most 1 s. */
    async memo(id: string): Promise<Record<string, unknown> | undefined> {
      const found = await describe(id);
      return found && (found.memo ?? {});
    },
    /** How far it has come; undefined when there is none; rejects with NoWorker without one. At most 2 s. */
    async progress(id: string): Promise<Progress | undefined> {
      if ((await describe(id)) === undefined) return undefined;
      try {
        return await call(1_000, 'query', () => handleOf(id).query(progress));
      } catch (error) {
        throw new NoWorker('query', error);
      }
    },
    /** Its end; undefined when it has not ended within `waitMs`. */
    async end(id: string, waitMs: number): Promise<Progress | undefined> {
      try {
        return await call(waitMs, 'result', () => handleOf(id).result());
      } catch {
        // Not ended yet, or not to be asked now: the caller looks at the progress instead.
        return undefined;
      }
    },
    /** Asks it to stop; false when there is no running one. At most 2 s. */
    async cancel(id: string): Promise<boolean> {
      const found = await describe(id);
      if (found?.status.name !== 'RUNNING') return false;
      const done = await foundOrUndefined('cancel', () =>
        call(1_000, 'cancel', async () => {
          await handleOf(id).cancel();
          return true;
        }),
      );
      return done === true;
    },
  };
}

async function foundOrUndefined<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw new TemporalUnavailable(what, error);
  }
}
