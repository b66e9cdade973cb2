import type { OrderId } from '../domain/ids.ts';

/** Runs that settle debts. */
export interface DebtRuns {
  /** Lets one run settle the debt: begun now, or going on already. Rejects when Temporal does not answer. At most 2 s. */
  ensure(debt: { orderId: OrderId; n: number }): Promise<'started' | 'running'>;
}
