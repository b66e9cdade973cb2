import { moneyNow, type MoneyAct } from '../../domain/money-act.ts';
import { isEnded } from '../../domain/order.ts';
import { hasLostRun, type OrderPlace } from '../../domain/way-back.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { walkBackBegun } from './recovered-order.ts';
import { isLabelUnderWay } from '../shipping/stop-shipping.ts';
import type { OrderRow } from '../../ports/store/orders.ts';

/**
 * Where the order stands for whoever asks what may be done with its money. The compensation's tombstone says that it is
 * taken back also while another compensation is parked. Nobody can cancel while an attempt at the label is under way,
 * unless the order is parked or held. Reads only.
 */
export const placeOf = async (
  deps: Pick<ActivityDeps, 'clock'>,
  tx: StoreTransaction,
  order: OrderRow,
): Promise<OrderPlace> => ({
  status: order.status,
  compensating: !isEnded(order.status) && (await walkBackBegun(tx, order)),
  shipping: order.sagaState === 'running' && (await isLabelUnderWay(deps, tx, order.orderId)),
  lost: hasLostRun(order.detail),
});

/** What may be done with the order's money now, for what is told of it. Reads only. */
export async function moneyActOf(
  deps: Pick<ActivityDeps, 'clock'>,
  tx: StoreTransaction,
  order: OrderRow,
): Promise<MoneyAct> {
  const { orderId } = order;
  const payments = await tx.payments.list(orderId);
  const refunds = await tx.refunds.list(orderId);
  const disputes = await tx.disputes.list(orderId);
  const place = await placeOf(deps, tx, order);
  return moneyNow({ orderId, ...place }, { payments, refunds, disputes }).act;
}
