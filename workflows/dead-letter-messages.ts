import { defineQuery } from '@temporalio/workflow';
import type { BulkAct, BulkProgress, DeadLetterCursor } from '../domain/dead-letters.ts';
import type { RestartedBulk } from '../domain/lost-bulk.ts';

/**
 * Input of the workflow `replayDeadLetters`; `resumed` is what a run hands to the one that continues it, `restarted` who
 * had it go on after its run had been closed from outside.
 */
export interface ReplayDeadLetters {
  bulk: BulkAct;
  restarted?: RestartedBulk;
  resumed?: { after?: DeadLetterCursor; progress: BulkProgress };
}

export const getBulkProgress = defineQuery<BulkProgress>('progress');

/** Name under which the workflow is registered and started. */
export const replayDeadLettersName = 'replayDeadLetters';
