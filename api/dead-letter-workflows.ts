import type { BulkAct, BulkProgress } from '../domain/dead-letters.ts';

/** Acts on dead letters as the API sees them. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface DeadLetterWorkflows {
  /**
   * Starts the act; it goes on whatever becomes of this process. `repeated` when the same request started it before,
   * `conflict` when another one did under this id. At most 2.4 s.
   */
  start(bulk: BulkAct, fingerprint: string): Promise<'started' | 'repeated' | 'conflict'>;
  /**
   * How far it has come; undefined when there is no such act; rejects with NoWorker without one, with RunClosed where its
   * run was closed from outside. At most 2 s.
   */
  progress(replayId: string): Promise<BulkProgress | undefined>;
  /** Its end; undefined when it has not ended within `waitMs`. */
  end(replayId: string, waitMs: number): Promise<BulkProgress | undefined>;
  /** Asks it to stop; false when there is no running one. At most 2 s. */
  cancel(replayId: string): Promise<boolean>;
}

/** Temporal closed the run of an act on many from outside. */
export class RunClosed extends Error {
  readonly workflowId: string;
  readonly closedAs: string;
  constructor(workflowId: string, closedAs: string) {
    super(`Temporal closed run ${workflowId} (${closedAs})`);
    this.name = 'RunClosed';
    this.workflowId = workflowId;
    this.closedAs = closedAs;
  }
}

/** Nobody runs the operators' task queue. */
export class NoWorker extends Error {
  constructor(what: string, cause: unknown) {
    super(`No worker answered: ${what}`, { cause });
    this.name = 'NoWorker';
  }
}
