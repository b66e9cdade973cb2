import type { OrderId } from '../domain/ids.ts';
import type { OrderRuns } from '../ports/order-runs.ts';
import type { EarlierAct, FulfillOrder } from '../workflows/messages.ts';
import type { StartOrder } from './order-workflows.ts';

/** Runs of orders as the API sees them. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface RestartableRuns extends OrderRuns {
  /** With what the last run was started; undefined when Temporal has forgotten it. At most 2 s. */
  input(id: OrderId): Promise<FulfillOrder | undefined>;
  /**
   * What the last run had accepted by its history; undefined where Temporal has forgotten it. Only where it is closed does
   * nothing come to it any more. At most 10 s.
   */
  acts(id: OrderId, runId: string): Promise<EarlierAct[] | undefined>;
  /**
   * Starts another run of the order under its workflow id; 'running' when one is open: of several that start at the same
   * time Temporal lets one through. At most 1.4 s.
   */
  startAgain(order: StartOrder): Promise<'started' | 'running'>;
}
