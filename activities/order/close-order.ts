import type { FailureType } from '../../domain/failures.ts';
import { compensationNames, operationKeys, type CompensationName, type OrderId } from '../../domain/ids.ts';
import { isEnded, type Actor, type StepName } from '../../domain/order.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import { mayCharge } from '../payment/close-intent.ts';
import { writeEndMail } from '../mail/customer-mail.ts';
import type { ActivityDeps } from '../deps.ts';
import { refusalFailure } from '../failures.ts';
import { orderClosed, runSqlOperation } from '../operation.ts';
import { isBegunElsewhere } from './recovered-order.ts';
import { findOrder, writeTransition } from '../transition.ts';
import type { OrderRow } from '../../ports/store/orders.ts';

/**
 * Ends a shipped order; only now, when nothing can be taken back any more, its units leave the stock. An act that is still
 * to have its effect (accepted by a run that was terminated, or cut off by a reset) has none any more.
 * Idempotent by `complete-<orderId>`. Fails technically only.
 * Writes: Products, Reservations, Orders, Acts, AuditLog, OutboxMessages(order.completed.v1), in one transaction.
 */
export const createCompleteOrder =
  (deps: ActivityDeps) =>
  ({ orderId }: { orderId: OrderId }): Promise<null> =>
    runSqlOperation(
      deps,
      { key: operationKeys.completeOrder(orderId), orderId, step: 'completion', untilEnd: true },
      async (tx, order) => {
        await tx.inventory.consume(orderId);
        await writeTransition(tx, {
          order,
          step: 'completion',
          status: 'completed',
          sagaState: 'ended',
          detail: { hold: undefined, parked: undefined },
          reason: 'shipped',
          event: { type: 'order.completed.v1', details: {} },
          nowUtc: deps.clock.nowUtc(),
        });
        await settleActs(tx, order, 'completed');
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
  /** A person has left a charge as it is that somebody made at the payment provider: nobody says that nothing was charged. */
  chargeLeft?: true;
}

/** What has to be taken back before the order can end, last step first. */
export interface NotClosed {
  compensate: CompensationName[];
}

/**
 * Ends an order that does not ship, after its compensations. An order that another run began (its run was terminated,
 * or reset) is ended only when every compensation has had its word: attempts of that run may be anywhere, and only a
 * tombstone stops them. No order ends while an intent of it may still charge. Until then it answers which compensations
 * are left, and writes nothing.
 * Idempotent by `close-<orderId>`. Fails with OrderClosed when it has ended otherwise, or technically.
 * Writes: Orders, AuditLog, OutboxMessages(order.failed.v1 or order.cancelled.v1; the mail that
 * tells the customer why, and of the money), in one transaction.
 */
export const createCloseOrder =
  (deps: ActivityDeps) =>
  async (input: CloseOrder): Promise<NotClosed | null> => {
    const compensate = await compensationsLeft(deps, input);
    return compensate.length > 0 ? { compensate } : closeOrder(deps, input);
  };

function compensationsLeft(deps: ActivityDeps, { orderId, ending }: CloseOrder): Promise<CompensationName[]> {
  return deps.store.transaction(async (tx) => {
    const order = await findOrder(tx, orderId);
    if (isEnded(order.status) && order.status !== ending.status) {
      throw refusalFailure(orderClosed(orderId, order.status));
    }
    if (isEnded(order.status)) return [];
    const all = isBegunElsewhere(order);
    const charges = (await tx.payments.list(orderId)).some(mayCharge);
    const left: CompensationName[] = [];
    for (const name of compensationNames.toReversed()) {
      if (!all && !(charges && name === 'refundPayment')) continue;
      const operation = await tx.operations.find(operationKeys[name](orderId));
      if (!operation?.outcome) left.push(name);
    }
    return left;
  });
}

const closeOrder = (deps: ActivityDeps, { orderId, step, ending, chargeLeft }: CloseOrder): Promise<null> =>
  runSqlOperation(
    deps,
    { key: operationKeys.closeOrder(orderId), orderId, step: 'closing', untilEnd: true },
    async (tx, order) => {
      const failed = ending.status === 'failed';
      const nowUtc = deps.clock.nowUtc();
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
          failure: failed ? ending.failure : undefined,
        },
        reason: failed ? ending.failure.reason : ending.reason,
        event: failed
          ? {
              type: 'order.failed.v1',
              details: { failureType: ending.failure.type, reason: ending.failure.reason },
            }
          : { type: 'order.cancelled.v1', details: { actor: ending.actor, reason: ending.reason } },
        nowUtc,
      });
      await settleActs(tx, order, ending.status);
      await writeEndMail(tx, { order, ending, nowUtc, ...(chargeLeft ? { chargeLeft } : {}) });
      return { done: null };
    },
  );

/** A cancel has its effect with the order's end; whatever else was still to have one has none any more. */
async function settleActs(
  tx: StoreTransaction,
  { orderId }: OrderRow,
  status: 'failed' | 'cancelled' | 'completed',
): Promise<void> {
  for (const { actId, name, state } of await tx.acts.list(orderId)) {
    if (state !== 'accepted') continue;
    const done = status === 'cancelled' && (name === 'cancel' || name === 'resolve');
    const end = done
      ? ({ state: 'done' } as const)
      : ({ state: 'overtaken', reason: `the order ${status}` } as const);
    await tx.acts.settle({ orderId, actId, ...end });
  }
}
