import type { AuditRow } from '../domain/audit.ts';
import { orderStatuses, type SagaState } from '../domain/order.ts';

const statuses: readonly string[] = orderStatuses;
const path: readonly string[] = orderStatuses.slice(0, orderStatuses.indexOf('completed') + 1);

/**
 * A row tells of the order itself when it moves from status to status; other rows (a fulfillment that was cancelled, a
 * payment that was refunded, an act that was taken) tell of its parts.
 */
export const isOfOrder = ({ from, to }: AuditRow): boolean =>
  statuses.includes(to) && (from === '' || statuses.includes(from));

/** A status on the way from checkout to completed. */
export const isPathStatus = (status: string): boolean => path.includes(status);

/** Where the order is, by its rows. */
export interface OrderPlace {
  /** Last status that the order itself moved to; empty before the first row. */
  status: string;
  sagaState: SagaState;
  charged: boolean;
  /** A refund was asked for and has not settled. */
  refundOpen: boolean;
}
