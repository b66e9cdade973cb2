import type { Client } from '@temporalio/client';
import { bulkWorkflowIdOf } from '../../domain/ids.ts';
import {
  getBulkProgress,
  replayDeadLettersName,
  type ReplayDeadLetters,
} from '../../workflows/dead-letter-messages.ts';
import type { DeadLetterWorkflows } from '../../ports/temporal.ts';
import { createBulkWorkflows } from './bulk.ts';

/** DeadLetterWorkflows through a Temporal client; no connection is made before the first call. */
export function createDeadLetterWorkflows(client: Client, taskQueue: string): DeadLetterWorkflows {
  const { start, progress, end, cancel } = createBulkWorkflows(client, taskQueue, {
    name: replayDeadLettersName,
    workflowIdOf: bulkWorkflowIdOf,
    progress: getBulkProgress,
  });
  return {
    async start(bulk, fingerprint) {
      const input: ReplayDeadLetters = { bulk };
      const summary = `${bulk.act} dead letters: ${bulk.reason.slice(0, 150)}`;
      return start({ id: bulk.replayId, args: [input], summary, fingerprint });
    },
    progress,
    end,
    cancel,
  };
}
