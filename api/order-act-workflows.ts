import type { BulkOrderAct, BulkOrderProgress } from '../domain/order-acts.ts';

/** Acts on many orders as the API sees them. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface OrderActWorkflows {
  /**
   * Starts the act; it goes on whatever becomes of this process. `repeated` when the same request started it before,
   * `conflict` when another one did under this id. At most 2.4 s.
   */
  start(bulk: BulkOrderAct, fingerprint: string): Promise<'started' | 'repeated' | 'conflict'>;
  /**
   * How far it has come; undefined when there is no such act; rejects with NoWorker without one, with RunClosed where its
   * run was closed from outside. At most 2 s.
   */
  progress(actId: string): Promise<BulkOrderProgress | undefined>;
  /** Asks it to stop; false when there is no running one. At most 2 s. */
  cancel(actId: string): Promise<boolean>;
}
