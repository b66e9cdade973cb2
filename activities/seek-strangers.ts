import { foundAtProvider } from '../domain/failures.ts';
import { operationKeys, type OrderId } from '../domain/ids.ts';
import { isEnded } from '../domain/order.ts';
import type { PaymentRow } from '../ports/store/money.ts';
import type { ActivityDeps } from './deps.ts';
import { operatorRefusal } from './failures.ts';
import * as charges from './payment/list-charges.ts';
import * as labels from './shipping/list-labels.ts';
import { requestTimes } from './operation.ts';
import { takeBackLatePayment } from './payment/process-payment.ts';
import { namesOf } from './read-whole-list.ts';
import { findOrder } from './transition.ts';
import type { OrderRow } from '../ports/store/orders.ts';
import type { ShipmentRow } from '../ports/store/goods.ts';

/** An order that is taken back, and what of it our own compensations have settled before. */
export interface SeekStrangers {
  orderId: OrderId;
  attemptTimeoutMs: number;
}

/** Nothing but the list takes its time here. */
const SHARE_OF_LIST = 0.8;

/**
 * Asks the payment provider, at the end of a walk back, for charges of the order that no row knows: people may have made
 * one. It is never refunded by itself; only one that carries the operation key of a payment of ours without an intent, as
 * after a backup was put back, goes back like that payment.
 * Reads only, but for that refund, which is idempotent by the compensation's own keys: run twice, at once, killed anywhere,
 * late, after a reset or in a second run, it tells how things are now. Of an order that has ended: nothing.
 * Fails with FoundAtProvider (not retried; parked, and tried again by itself: a charge that was refunded there is settled)
 * or technically, also when the list could not be read to its end.
 */
export const createSeekCharges =
  (deps: ActivityDeps) =>
  async ({ orderId, attemptTimeoutMs }: SeekStrangers): Promise<null> => {
    const known = await read(deps, orderId);
    if (!known) return null;
    const { order, payments } = known;
    const timeoutMs = requestTimes(deps, { key: `charges of ${orderId}`, attemptTimeoutMs, requests: 4 });
    const found = await charges.listStrangers(deps, {
      order,
      known: payments.flatMap(({ intentId }) => intentId ?? []),
      forMs: attemptTimeoutMs * SHARE_OF_LIST,
      timeoutMs,
    });
    const left = [];
    for (const intent of found) {
      const n = payments.find(
        (payment) =>
          !payment.intentId && operationKeys.processPayment(orderId, payment.n) === intent.operationKey,
      )?.n;
      if (n === undefined) left.push(intent);
      else
        await takeBackLatePayment(
          deps,
          { orderId, n, attemptTimeoutMs: attemptTimeoutMs / 4 },
          intent.intentId,
        );
    }
    if (left.length === 0) return null;
    throw operatorRefusal(
      foundAtProvider,
      `Somebody has charged for order ${orderId} at the payment provider: ${namesOf(left.map(({ intentId }) => intentId))}. The order is taken back, and this is not refunded by itself: refund or cancel it at the payment provider, or skip it where it is not this order's.`,
    );
  };

/**
 * Asks the carrier, at the end of a walk back, for labels under the order's references that no row knows: people may have
 * bought one. It is never sent back by itself.
 * Reads only: run twice, at once, killed anywhere, late, after a reset or in a second run, it tells how things are now. Of an
 * order that has ended: nothing. Fails as `seekCharges` does.
 */
export const createSeekLabels =
  (deps: ActivityDeps) =>
  async ({ orderId, attemptTimeoutMs }: SeekStrangers): Promise<null> => {
    const known = await read(deps, orderId);
    if (!known) return null;
    const { order, shipments } = known;
    const found = await labels.listStrangers(deps, {
      order,
      known: shipments.flatMap(({ providerShipmentId }) => providerShipmentId ?? []),
      forMs: attemptTimeoutMs * SHARE_OF_LIST,
      timeoutMs: requestTimes(deps, { key: `labels of ${orderId}`, attemptTimeoutMs, requests: 2 }),
    });
    if (found.length === 0) return null;
    const names = namesOf(found.map(({ shipmentId }) => shipmentId));
    throw operatorRefusal(
      foundAtProvider,
      `Somebody has bought a label of order ${orderId} at the carrier: ${names}. The order is taken back, and this is not sent back by itself: send it back at the carrier, or skip it where it is used all the same.`,
    );
  };

const read = (
  { store }: ActivityDeps,
  orderId: OrderId,
): Promise<{ order: OrderRow; payments: PaymentRow[]; shipments: ShipmentRow[] } | undefined> =>
  store.transaction(async (tx) => {
    const order = await findOrder(tx, orderId);
    if (isEnded(order.status)) return undefined;
    return { order, payments: await tx.payments.list(orderId), shipments: await tx.shipments.list(orderId) };
  });
