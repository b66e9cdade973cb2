import { operationKeys, tombstoneKeys, type OrderId, type ProductId } from '../../domain/ids.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { runSqlOperation } from '../operation.ts';
import { writeTransition } from '../transition.ts';
import type { OrderRow } from '../../ports/store/orders.ts';

/**
 * Reserves all items of the order or none.
 * Idempotent by `inventory-<orderId>`. Fails with OutOfStock (not retried, order fails) or technically.
 * Writes: Products, Reservations, Orders, AuditLog, OutboxMessages(inventory.reserved.v1), in one transaction.
 */
export const createReserveInventory =
  (deps: ActivityDeps) =>
  ({ orderId }: { orderId: OrderId }): Promise<null> =>
    runSqlOperation(
      deps,
      {
        key: operationKeys.reserveInventory(orderId),
        orderId,
        step: 'inventory',
        tombstoneKeys: tombstoneKeys(orderId, 'releaseInventory'),
        untilEnd: true,
      },
      async (tx, order) => {
        const short = await tx.inventory.reserve({ orderId, items: order.items });
        if (short.length > 0) {
          const reason = `Not enough stock of ${short.join(', ')}.${await ownHold(tx, order, short)}`;
          return { refused: { type: 'OutOfStock', reason, details: { products: short.join(',') } } };
        }
        await writeTransition(tx, {
          order,
          step: 'inventory',
          status: 'inventory_reserved',
          reason: 'all items reserved',
          event: { type: 'inventory.reserved.v1', details: {} },
          nowUtc: deps.clock.nowUtc(),
        });
        return { done: null };
      },
    );

/** The customer's own order that waits and has the units; of anybody else's nothing is said. */
async function ownHold(
  tx: StoreTransaction,
  { orderId, callerId, customerId }: OrderRow,
  short: readonly ProductId[],
): Promise<string> {
  for (const productId of short) {
    const held = await tx.inventory.heldBy({ callerId, customerId, productId });
    const other = held.find((id) => id !== orderId);
    if (other) return ` Order ${other} of the same customer is held and has ${productId} reserved.`;
  }
  return '';
}

/**
 * Compensates reserveInventory: gives back what the order still has reserved; a no-op where nothing was.
 * Idempotent by `release-inventory-<orderId>`; its operation row is the tombstone of a late reservation.
 * Writes: Products, Reservations, AuditLog, OutboxMessages(inventory.released.v1), in one transaction.
 */
export const createReleaseInventory =
  (deps: ActivityDeps) =>
  ({ orderId }: { orderId: OrderId }): Promise<null> =>
    runSqlOperation(
      deps,
      { key: operationKeys.releaseInventory(orderId), orderId, step: 'inventory', untilEnd: true },
      async (tx, order) => {
        const released = await tx.inventory.release(orderId);
        if (released.length > 0) {
          await writeTransition(tx, {
            order,
            step: 'inventory',
            from: 'reserved',
            to: 'released',
            reason: 'compensation',
            event: { type: 'inventory.released.v1', details: {} },
            nowUtc: deps.clock.nowUtc(),
          });
        }
        return { done: null };
      },
    );
