import { activityInfo } from '@temporalio/activity';
import type { Refusal } from '../domain/failures.ts';
import { compensationNames, operationKeys } from '../domain/ids.ts';
import type { RecoveredOrder } from '../domain/recovery.ts';
import type { OrderRow, PaymentRow, ShipmentRow, StoreTransaction } from '../ports/store.ts';

/** Whether another run than this one recorded the order: it was started again, or reset. */
export const isBegunElsewhere = (order: OrderRow): boolean =>
  activityInfo().workflowExecution?.runId !== order.runId;

/**
 * Where an order of an earlier run stands by its recorded operations: what a new run needs to go through the same steps
 * under the same numbers. Reads only.
 */
export async function recoveredOrder(tx: StoreTransaction, order: OrderRow): Promise<RecoveredOrder> {
  const payments = await tx.payments.list(order.orderId);
  const shipments = await tx.shipments.list(order.orderId);
  const { cancelRequested, failure } = order.detail;
  return {
    payment: { n: await paymentNumber(tx, order, payments), paymentMethodId: order.paymentMethodId },
    address: { n: await addressNumber(tx, order, shipments), value: order.shippingAddress },
    paymentBegun: payments.length > 0,
    shipped: shipments.some(({ state }) => state === 'bought'),
    ...((await walkBackBegun(tx, order))
      ? { takenBack: { ...(cancelRequested ? { cancelRequested } : {}), ...(failure ? { failure } : {}) } }
      : {}),
  };
}

/** A declined card's number is used up once the order went on with another one. */
async function paymentNumber(
  tx: StoreTransaction,
  { orderId, status }: OrderRow,
  payments: readonly PaymentRow[],
): Promise<number> {
  const last = lastNumber(payments);
  const refused = await refusalOf(tx, operationKeys.processPayment(orderId, last));
  return refused && status === 'inventory_reserved' ? last + 1 : last;
}

/** A refused address's number is used up once the order went on with a corrected one. */
async function addressNumber(
  tx: StoreTransaction,
  { orderId, status }: OrderRow,
  shipments: readonly ShipmentRow[],
): Promise<number> {
  const last = lastNumber(shipments);
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

async function walkBackBegun(tx: StoreTransaction, order: OrderRow): Promise<boolean> {
  const { cancelRequested, failure } = order.detail;
  if (order.sagaState === 'compensating' || cancelRequested || failure) return true;
  for (const name of compensationNames) {
    if (await tx.operations.find(operationKeys[name](order.orderId))) return true;
  }
  return false;
}
