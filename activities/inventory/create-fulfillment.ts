import { operationKeys, tombstoneKeys, type OrderId } from '../../domain/ids.ts';
import type { ActivityDeps } from '../deps.ts';
import { runSqlOperation } from '../operation.ts';
import { writeTransition } from '../transition.ts';

/**
 * Opens the warehouse's fulfillment of a paid order.
 * Idempotent by `fulfillment-<orderId>`. Fails technically only.
 * Writes: Fulfillments, Orders, AuditLog, OutboxMessages(fulfillment.created.v1), in one transaction.
 */
export const createCreateFulfillment =
  (deps: ActivityDeps) =>
  ({ orderId }: { orderId: OrderId }): Promise<{ fulfillmentId: string }> =>
    runSqlOperation(
      deps,
      {
        key: operationKeys.createFulfillment(orderId),
        orderId,
        step: 'fulfillment',
        tombstoneKeys: tombstoneKeys(orderId, 'cancelFulfillment'),
        untilEnd: true,
      },
      async (tx, order) => {
        const fulfillmentId = `ful-${orderId}`;
        const nowUtc = deps.clock.nowUtc();
        await tx.fulfillments.create({ orderId, fulfillmentId, createdAtUtc: nowUtc });
        await writeTransition(tx, {
          order,
          step: 'fulfillment',
          status: 'fulfillment_created',
          reason: 'paid',
          event: { type: 'fulfillment.created.v1', details: { fulfillmentId } },
          nowUtc,
        });
        return { done: { fulfillmentId } };
      },
    );

/**
 * Compensates createFulfillment; a no-op where none was opened.
 * Idempotent by `cancel-fulfillment-<orderId>`; its operation row is the tombstone of a late fulfillment.
 * Writes: Fulfillments, AuditLog, OutboxMessages(fulfillment.cancelled.v1), in one transaction.
 */
export const createCancelFulfillment =
  (deps: ActivityDeps) =>
  ({ orderId }: { orderId: OrderId }): Promise<null> =>
    runSqlOperation(
      deps,
      { key: operationKeys.cancelFulfillment(orderId), orderId, step: 'fulfillment', untilEnd: true },
      async (tx, order) => {
        const nowUtc = deps.clock.nowUtc();
        const fulfillmentId = await tx.fulfillments.cancel({ orderId, cancelledAtUtc: nowUtc });
        if (fulfillmentId) {
          await writeTransition(tx, {
            order,
            step: 'fulfillment',
            from: 'created',
            to: 'cancelled',
            reason: 'compensation',
            event: { type: 'fulfillment.cancelled.v1', details: { fulfillmentId } },
            nowUtc,
          });
        }
        return { done: null };
      },
    );
