import type { OrderId } from '../domain/ids.ts';
import type { BulkOrderAct, OrderActResult, OrderFilter } from '../domain/order-acts.ts';

/** One page of orders that are still open. */
export interface OpenOrders {
  orderIds: OrderId[];
  /** Absent on the last page. */
  next?: string;
}

/** Who and why, for the audit trail. */
export interface OrderActNote {
  bulk: BulkOrderAct;
  from: string;
  to: string;
  workflowId: string;
  runId: string;
}

/** What acts on many orders need: the list of open orders, and how each is asked. */
export interface OrderActService {
  /**
   * Open orders that fit, newest first, at most `limit`; eventually consistent. What leaves the list meanwhile does not
   * shift later pages. Fails with OutcomeUnknown when Temporal does not answer.
   */
  find(input: { filter: OrderFilter; after?: string; limit: number }): Promise<OpenOrders>;
  /**
   * Asks one order to accept the act. Idempotent by act id and order: a repeated call gives the first one's answer.
   * Fails with OutcomeUnknown when Temporal does not answer.
   */
  act(input: { bulk: BulkOrderAct; orderId: OrderId }): Promise<OrderActResult>;
  /** Writes the audit row of a bulk act's begin or end. */
  note(input: OrderActNote): Promise<void>;
}
