import type { FailureType } from '../domain/failures.ts';
import { operationKeys, type OrderId } from '../domain/ids.ts';
import type { Actor, StepName } from '../domain/order.ts';
import type { ActivityDeps } from './deps.ts';
import { runSqlOperation } from './operation.ts';
import { writeTransition } from './transition.ts';

/**
 * Ends a shipped order; only now, when nothing can be taken back any more, its units leave the stock.
 * Idempotent by `complete-<orderId>`. Fails technically only.
 * Writes: Products, Reservations, Orders, AuditLog, OutboxMessages(order.completed.v1), in one transaction.
 */
export const createCompleteOrder =
  (deps: ActivityDeps) =>
  ({ orderId }: { orderId: OrderId }): Promise<null> =>
    runSqlOperation(
      deps,
      { key: operationKeys.completeOrder(orderId), orderId, step: 'completion' },
      async (tx, order) => {
        await tx.inventory.consume(orderId);
        await writeTransition(tx, {
          order,
          step: 'completion',
          status: 'completed',
          sagaState: 'ended',
          reason: 'shipped',
          event: { type: 'order.completed.v1', details: {} },
          nowUtc: deps.clock.nowUtc(),
        });
        return { done: null };
      },
    );

export interface CloseOrder {
  orderId: OrderId;
  /** Step that ended the order. */
  step: StepName;
  ending:
    | { status: 'failed'; failure: { type: FailureType; reason: string } }
    | { status: 'cancelled'; actor: Actor; reason: string };
}

/**
 * Ends an order that does not ship, after its compensations.
 * Idempotent by `close-<orderId>`. Fails technically only.
 * Writes: Orders, AuditLog, OutboxMessages(order.failed.v1 or order.cancelled.v1), in one transaction.
 */
export const createCloseOrder =
  (deps: ActivityDeps) =>
  ({ orderId, step, ending }: CloseOrder): Promise<null> =>
    runSqlOperation(
      deps,
      { key: operationKeys.closeOrder(orderId), orderId, step: 'closing' },
      async (tx, order) => {
        const failed = ending.status === 'failed';
        await writeTransition(tx, {
          order,
          actor: failed ? 'saga' : ending.actor,
          step,
          status: ending.status,
          sagaState: 'ended',
          detail: {
            hold: undefined,
            parked: undefined,
            shipment: undefined,
            ...(failed ? { failure: ending.failure } : {}),
          },
          reason: failed ? ending.failure.reason : ending.reason,
          event: failed
            ? {
                type: 'order.failed.v1',
                details: { failureType: ending.failure.type, reason: ending.failure.reason },
              }
            : { type: 'order.cancelled.v1', details: { actor: ending.actor, reason: ending.reason } },
          nowUtc: deps.clock.nowUtc(),
        });
        return { done: null };
      },
    );
