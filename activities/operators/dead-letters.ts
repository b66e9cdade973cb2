import { activityInfo, heartbeat } from '@temporalio/activity';
import type { BulkAct, DeadLetterCursor, SliceResult } from '../../domain/dead-letters.ts';
import type { DeadLetterService } from '../../ports/dead-letters.ts';
import { asActivity } from '../failures.ts';

const ownRun = () => {
  const { workflowExecution } = activityInfo();
  return { workflowId: workflowExecution?.workflowId ?? '', runId: workflowExecution?.runId ?? '' };
};

/** Acts on many dead letters at a time; on the operators' task queue. */
export const createDeadLetterActivities = ({ deadLetters }: { deadLetters: DeadLetterService }) => ({
  /**
   * Replays or discards what one slice of about two seconds holds.
   * Idempotent by replay id and cursor. Fails with StoreUnavailable or OutcomeUnknown (retried without end: what is
   * claimed has to be settled). Writes: DeadLetters, AuditLog, OutboxMessages, in transactions of at most 200.
   */
  workOnDeadLetters: asActivity((input: { bulk: BulkAct; after?: DeadLetterCursor }): Promise<SliceResult> =>
    deadLetters.slice({ ...input, ...ownRun(), alive: () => heartbeat() }),
  ),
  /** Writes the audit row of a bulk act's begin or end. An attempt whose answer got lost writes it twice. */
  noteDeadLetterAct: asActivity(async (input: { bulk: BulkAct; from: string; to: string }): Promise<null> => {
    await deadLetters.note({ ...input, ...ownRun() });
    return null;
  }),
});

export type DeadLetterActivities = ReturnType<typeof createDeadLetterActivities>;
