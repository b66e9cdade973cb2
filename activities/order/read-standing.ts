import type { OrderId } from '../../domain/ids.ts';
import type { RecoveredOrder } from '../../domain/recovery.ts';
import type { ActivityDeps } from '../deps.ts';
import { recoveredOrder } from './recovered-order.ts';
import { findOrder } from '../transition.ts';

/**
 * Where the order stands by what is recorded of it, whichever run recorded it: what acts are judged by in a run that
 * has replayed part of another one's history.
 * Changes nothing: run twice, at the same time or late, each answer is what is recorded in its moment. Fails technically
 * (retried without end).
 */
export const createReadStanding =
  ({ store }: ActivityDeps) =>
  ({ orderId }: { orderId: OrderId }): Promise<RecoveredOrder> =>
    store.transaction(async (tx) => recoveredOrder(tx, await findOrder(tx, orderId)));
