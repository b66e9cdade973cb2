import { activityInfo } from '@temporalio/activity';
import type { Refusal } from '../../domain/failures.ts';
import { compensationNames, operationKeys } from '../../domain/ids.ts';
import { isEnded } from '../../domain/order.ts';
import type { RecoveredOrder } from '../../domain/recovery.ts';
import { isTakenBack } from '../../domain/way-back.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { OrderActRow, OrderRow } from '../../ports/store/orders.ts';
import type { ShipmentRow } from '../../ports/store/goods.ts';
import type { PaymentRow } from '../../ports/store/money.ts';

/** Whether another run than this one recorded the order: it was started again, or reset. */
export const isBegunElsewhere = (order: OrderRow): boolean =>
  activityInfo().workflowExecution?.runId !== order.runId;

/**
 * Where an order of an earlier run stands by what is recorded of it: what a new run needs to go through the same steps
 * under the same numbers, and to judge acts by. Reads only.
 */
export async function recoveredOrder(tx: StoreTransaction, order: OrderRow): Promise<RecoveredOrder> {
  const { orderId, status, sagaState, detail } = order;
  const payments = await tx.payments.list(orderId);
  const shipments = await tx.shipments.list(orderId);
  const acts = await tx.orderActs.list(orderId);
  const known = await actsOnRecord(tx, order, acts);
  const { cancelRequested, failure, hold, decided = {} } = detail;
  const shipped = shipments.some(({ state }) => state === 'bought');
  const underWay = shipments.some(({ state }) => state === 'creating' || state === 'created');
  return {
    payment: await paymentOf(tx, order, { payments, acts }),
    address: { n: await addressNumber(tx, order, { shipments, acts }), value: order.shippingAddress },
    paymentBegun: payments.length > 0,
    ...(decided.approvedBy === undefined ? {} : { approved: true }),
    ...(decided.service === undefined ? {} : { service: decided.service }),
    ...(hold ? { hold } : {}),
    shipped,
    ...(shipped || (underWay && sagaState === 'running') ? { shippingBegun: true } : {}),
    ...((await walkBackBegun(tx, order))
      ? { takenBack: { ...(cancelRequested ? { cancelRequested } : {}), ...(failure ? { failure } : {}) } }
      : {}),
    ...(isEnded(status) ? { ended: status } : {}),
    ...(decided.addressSkipped ? { addressSkipped: true } : {}),
    ...(known.length > 0 ? { acts: known } : {}),
  };
}

/** Acts that were accepted, numbered ones of earlier versions included. */
async function actsOnRecord(
  tx: StoreTransaction,
  { orderId }: OrderRow,
  numbered: readonly OrderActRow[],
): Promise<string[]> {
  const accepted = (await tx.acts.list(orderId)).filter(({ state }) => state !== 'refused');
  return [...new Set([...numbered, ...accepted].map(({ actId }) => actId))];
}

/** The one that was charged, whatever was given meanwhile and not used; else the newest. */
async function paymentOf(
  tx: StoreTransaction,
  order: OrderRow,
  given: { payments: readonly PaymentRow[]; acts: readonly OrderActRow[] },
): Promise<RecoveredOrder['payment']> {
  const { orderId, paymentMethodId } = order;
  for (const payment of given.payments) {
    const operation = await tx.operations.find(operationKeys.processPayment(orderId, payment.n));
    if (!operation?.outcome || !('done' in operation.outcome)) continue;
    return { n: payment.n, paymentMethodId: payment.paymentMethodId ?? paymentMethodId };
  }
  return { n: await paymentNumber(tx, order, given), paymentMethodId };
}

/** The newest method's: that of the act that gave it, whether or not it was tried yet. */
async function paymentNumber(
  tx: StoreTransaction,
  { orderId, status }: OrderRow,
  { payments, acts }: { payments: readonly PaymentRow[]; acts: readonly OrderActRow[] },
): Promise<number> {
  const last = lastNumber(payments);
  const given = lastNumber(acts.filter(({ kind }) => kind === 'payment'));
  if (given >= last && given > 1) return given;
  /* Methods that were given before acts were numbered: a declined one's number is used up once the order went on. */
  const refused = await refusalOf(tx, operationKeys.processPayment(orderId, last));
  return refused && status === 'inventory_reserved' ? last + 1 : last;
}

/** The newest address's: that of the act that gave it, whether or not it was tried yet. */
async function addressNumber(
  tx: StoreTransaction,
  { orderId, status }: OrderRow,
  { shipments, acts }: { shipments: readonly ShipmentRow[]; acts: readonly OrderActRow[] },
): Promise<number> {
  const last = lastNumber(shipments);
  const given = lastNumber(acts.filter(({ kind }) => kind === 'address'));
  if (given >= last && given > 1) return given;
  /* Addresses that were given before acts were numbered: a refused one's number is used up once the order went on. */
  const refused = await refusalOf(tx, operationKeys.generateShipment(orderId, last));
  return refused && status !== 'address_rejected' ? last + 1 : last;
}

const lastNumber = (rows: readonly { n: number }[]): number => Math.max(1, ...rows.map(({ n }) => n));

async function refusalOf(
  tx: StoreTransaction,
  key: ReturnType<typeof operationKeys.recordOrder>,
): Promise<Refusal | undefined> {
  const operation = await tx.operations.find(key);
  return operation?.outcome && 'refused' in operation.outcome ? operation.outcome.refused : undefined;
}

/** It has begun, or was decided: nothing but going on with it is left. */
export async function walkBackBegun(tx: StoreTransaction, order: OrderRow): Promise<boolean> {
  if (isTakenBack({ ...order.detail, sagaState: order.sagaState })) return true;
  for (const name of compensationNames) {
    if (await tx.operations.find(operationKeys[name](order.orderId))) return true;
  }
  return false;
}
