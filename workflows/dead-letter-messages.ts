import { defineQuery } from '@temporalio/workflow';
import type { BulkAct, BulkProgress, DeadLetterCursor } from '../domain/dead-letters.ts';

/** Input of the workflow `replayDeadLetters`; `resumed` is what a run hands to the one that continues it. */
export interface ReplayDeadLetters {
  bulk: BulkAct;
  resumed?: { after?: DeadLetterCursor; progress: BulkProgress };
}

export const getBulkProgress = defineQuery<BulkProgress>('progress');

/** Name under which the workflow is registered and started. */
export const replayDeadLettersName = 'replayDeadLetters';
