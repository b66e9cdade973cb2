import type { OrderId } from '../domain/ids.ts';
import type { OrderStatus } from '../domain/order.ts';
import type { RunEffects } from '../domain/recovery.ts';

/** The run of an order that Temporal knows best: the last one. */
export interface LastRun {
  runId: string;
  /** How it closed, for example `TERMINATED`; absent while it is open. */
  closedAs?: string;
  /** The order's status as the run shows it. */
  orderStatus?: OrderStatus;
}

/** Runs of orders, for whoever finds one closed while its order is open. */
export interface OrderRuns {
  /**
   * The last run as Temporal itself has it, not as its list shows it later; undefined when Temporal knows none (any
   * more). Rejects when Temporal does not answer. At most 2 s.
   */
  last(id: OrderId): Promise<LastRun | undefined>;
  /**
   * What the history of a run says that was done at providers, as far as it is read: a few thousand events at most. What
   * is true there was done; nothing where Temporal has forgotten the run. Rejects when Temporal does not answer. At most 5 s.
   */
  effects(id: OrderId, runId: string): Promise<RunEffects>;
}
