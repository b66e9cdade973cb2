import type { BulkRuns, LostBulkRun } from '../ports/bulk-runs.ts';

/** Lost runs of acts on many as the API sees them. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface RestartableBulkRuns extends BulkRuns {
  /**
   * Starts the act once more under its workflow id, with what its last run was started with: `running` when somebody else
   * has, `forgotten` when Temporal no longer knows it. What was done is not done again: orders know the act's updates by
   * their ids, dead letters by the replay that settled them. At most 4 s.
   */
  startAgain(
    lost: LostBulkRun,
    by: { actor: string; reason: string },
  ): Promise<'started' | 'running' | 'forgotten'>;
}
