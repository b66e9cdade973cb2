import type { Refusal } from '../../domain/failures.ts';
import type { OrderId } from '../../domain/ids.ts';
import { chargedMoney, checkMoneyKept } from '../../domain/refunds.ts';
import type { StoreTransaction } from '../../ports/store.ts';

/** Why the order must not ship, as SQL knows its money now; undefined when its charge is kept. Reads only. */
export async function moneyNotKept(tx: StoreTransaction, orderId: OrderId): Promise<Refusal | undefined> {
  const payments = await tx.payments.list(orderId);
  const refunds = await tx.refunds.list(orderId);
  const disputes = await tx.disputes.list(orderId);
  return checkMoneyKept({ orderId, ...chargedMoney({ payments, refunds, disputes }) });
}
