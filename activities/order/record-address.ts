import type { OrderId } from '../../domain/ids.ts';
import { isEnded, type Actor, type Address, type StepName } from '../../domain/order.ts';
import type { ActivityDeps } from '../deps.ts';
import { numberAct } from './number-act.ts';
import { findOrder, writeTransition } from '../transition.ts';

export interface RecordAddress {
  orderId: OrderId;
  step: StepName;
  actor: Actor;
  reason: string;
  address: Address;
  /** The act that gives it, which is numbered by it. */
  actId: string;
}

/**
 * Keeps an address that was accepted while nothing waits for it: the order takes it up before its label, which may be days
 * away, and a run that is started again until then takes it from here.
 * Idempotent by the act: run twice, at the same time, late or after a reset, an act that is on record changes nothing, nor
 * does one of an order that has ended. Killed anywhere: all or nothing.
 * Fails technically only (retried without end).
 * Writes: OrderActs, Orders, AuditLog, in one transaction; no event.
 */
export const createRecordAddress =
  (deps: ActivityDeps) =>
  ({ orderId, step, actor, reason, address, actId }: RecordAddress): Promise<null> =>
    deps.store.transaction(async (tx) => {
      const order = await findOrder(tx, orderId);
      const acts = await tx.orderActs.list(orderId);
      if (isEnded(order.status) || acts.some((act) => act.actId === actId)) return null;
      const nowUtc = deps.clock.nowUtc();
      const act = { orderId, actId, kind: 'address', recordedAtUtc: nowUtc } as const;
      await numberAct(tx, act, { fresh: true });
      const from = 'shipping-address';
      await writeTransition(tx, { order, aside: true, actor, step, from, to: 'asked', reason, nowUtc });
      await tx.orders.update({ orderId, shippingAddress: address, updatedAtUtc: nowUtc });
      return null;
    });
