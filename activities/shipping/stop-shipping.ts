import { operationKeys, type OrderId } from '../../domain/ids.ts';
import { isEnded } from '../../domain/order.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { findOrder } from '../transition.ts';
import { writeVoid } from './void-shipment.ts';

export interface ShippingStopped {
  /** No label is bought any more; one that was bought unheard is sent back by voidShipment. */
  stopped: boolean;
  /** The carrier has nothing of the order: voidShipment is done without asking it. */
  voided: boolean;
}

/** An attempt at the order's label, or at taking one that a person has bought, may still take effect. */
export async function isLabelUnderWay(
  { clock }: Pick<ActivityDeps, 'clock'>,
  tx: StoreTransaction,
  orderId: OrderId,
): Promise<boolean> {
  const leased = await tx.operations.leased({ orderId, step: 'shipping', nowUtc: clock.nowUtc() });
  return leased.length > 0;
}

/**
 * Stops an order before its label where SQL can tell that nothing is under way at the carrier: voidShipment's operation
 * row is its tombstone, written in the transaction that finds no attempt with a lease and no label. Without a stored
 * shipment nothing can have been bought: then voidShipment ends here, whatever keeps the carrier's queue from moving.
 * Run twice, or after voidShipment has begun: what stands. At the same time as a label's attempt: the order's row is read
 * first by both, so one of them sees the other. Killed anywhere, reply lost: all or nothing, and the same answer again.
 * After a reset or in a second run: the tombstone stands, the order does not go forward again. After the order's end, or
 * with a label: not stopped, nothing written.
 * Writes: Operations, Shipments, AuditLog, in one transaction; no event.
 */
export const createStopShipping =
  (deps: ActivityDeps) =>
  ({ orderId }: { orderId: OrderId }): Promise<ShippingStopped> =>
    deps.store.transaction(async (tx) => {
      const order = await findOrder(tx, orderId);
      const name = { key: operationKeys.voidShipment(orderId), orderId, step: 'shipping' };
      const known = await tx.operations.find(name.key);
      if (known) return { stopped: true, voided: known.outcome !== undefined };
      const shipments = await tx.shipments.list(orderId);
      const late = isEnded(order.status) || shipments.some(({ state }) => state === 'bought');
      if (late || (await isLabelUnderWay(deps, tx, orderId))) return { stopped: false, voided: false };
      await tx.operations.begin(name);
      if (shipments.some(({ providerShipmentId }) => providerShipmentId))
        return { stopped: true, voided: false };
      const unbought = shipments.map((shipment) => ({
        shipment: { ...shipment, state: 'refused' as const },
      }));
      await writeVoid(deps, tx, { order, shipments: unbought });
      await tx.operations.finish({ key: name.key, outcome: { done: null } });
      return { stopped: true, voided: true };
    });
