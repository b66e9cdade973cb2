import type { BulkKind } from '../domain/lost-bulk.ts';

/** Runs of acts on many that ended otherwise than by themselves: nobody goes on with what they hold. */

/** The last run of one act on many orders or dead letters, where Temporal has closed it from outside. */
export interface LostBulkRun {
  workflowId: string;
  kind: BulkKind;
  /** The act's id. */
  id: string;
  runId: string;
  /** `TERMINATED`, `TIMED_OUT` or `FAILED`. */
  closedAs: string;
  closedAtUtc: string;
  /** What it was to do and why, in a line; empty where Temporal does not say. */
  summary: string;
}

export interface BulkRuns {
  /**
   * The newest ones, by Temporal's own description: at most `limit` closed runs are looked at. Its list, which says where
   * to look, comes late. Rejects when Temporal does not answer. At most 5 s.
   */
  lost(input: { limit: number }): Promise<LostBulkRun[]>;
  /** Undefined where the act's last run is open, ended by itself, or is not known. At most 2 s. */
  find(workflowId: string): Promise<LostBulkRun | undefined>;
}
