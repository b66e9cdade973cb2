import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { QueryDefinition } from '@temporalio/common';
import { within } from '../../ports/bounded.ts';
import { isLost } from '../../domain/lost-run.ts';
import { TemporalUnavailable, NoWorker, RunClosed } from '../../ports/temporal.ts';

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
    /**
     * `repeated` when the same request started it before, `conflict` when another one did under this id. At most 2.4 s.
     */
    async start(input: {
      id: string;
      args: unknown[];
      summary: string;
      fingerprint: string;
    }): Promise<'started' | 'repeated' | 'conflict'> {
      const { id, args, summary, fingerprint } = input;
      try {
        await call(1_400, 'start', () =>
          client.workflow.start(name, {
            workflowId: workflowIdOf(id),
            taskQueue,
            args,
            memo: { fingerprint },
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            staticSummary: summary,
          }),
        );
        return 'started';
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) {
          throw new TemporalUnavailable('start', error);
        }
        const before = await describe(id);
        return before?.memo?.['fingerprint'] === fingerprint ? 'repeated' : 'conflict';
      }
    },
    /**
     * How far it has come; undefined when there is none; rejects with NoWorker without one, with RunClosed where the run
     * was closed from outside: nobody goes on with it. At most 2 s.
     */
    async progress(id: string): Promise<Progress | undefined> {
      const found = await describe(id);
      if (found === undefined) return undefined;
      const closedAs = found.status.name;
      if (isLost({ closedAs })) throw new RunClosed(workflowIdOf(id), closedAs);
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
