import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { bulkWorkflowIdOf } from '../domain/ids.ts';
import { getBulkProgress, replayDeadLettersName } from '../workflows/dead-letter-messages.ts';
import type { replayDeadLetters } from '../workflows/replay-dead-letters.ts';
import { within } from './bounded.ts';
import { NoWorker, type DeadLetterWorkflows } from './dead-letter-workflows.ts';
import { TemporalUnavailable } from './order-workflows.ts';

/** DeadLetterWorkflows through a Temporal client; no connection is made before the first call. */
export function createDeadLetterWorkflows(client: Client, taskQueue: string): DeadLetterWorkflows {
  const call = <T>(timeoutMs: number, what: string, work: () => Promise<T>): Promise<T> =>
    within(timeoutMs, what, () => client.withDeadline(Date.now() + timeoutMs, work));
  const handleOf = (replayId: string) =>
    client.workflow.getHandle<typeof replayDeadLetters>(bulkWorkflowIdOf(replayId));
  const describe = (replayId: string) =>
    foundOrUndefined('describe', () => call(1_000, 'describe', () => handleOf(replayId).describe()));

  return {
    async start(bulk) {
      try {
        await call(1_400, 'start', () =>
          client.workflow.start(replayDeadLettersName, {
            workflowId: bulkWorkflowIdOf(bulk.replayId),
            taskQueue,
            args: [{ bulk }],
            staticSummary: `${bulk.act} dead letters: ${bulk.reason.slice(0, 150)}`,
          }),
        );
      } catch (error) {
        throw new TemporalUnavailable('start', error);
      }
    },
    async progress(replayId) {
      if ((await describe(replayId)) === undefined) return undefined;
      try {
        return await call(1_000, 'query', () => handleOf(replayId).query(getBulkProgress));
      } catch (error) {
        throw new NoWorker('query', error);
      }
    },
    async end(replayId, waitMs) {
      try {
        return await call(waitMs, 'result', () => handleOf(replayId).result());
      } catch {
        // Not ended yet, or not to be asked now: the caller looks at the progress instead.
        return undefined;
      }
    },
    async cancel(replayId) {
      const found = await describe(replayId);
      if (found?.status.name !== 'RUNNING') return false;
      const done = await foundOrUndefined('cancel', () =>
        call(1_000, 'cancel', async () => {
          await handleOf(replayId).cancel();
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
