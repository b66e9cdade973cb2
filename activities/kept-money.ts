import type { Refusal } from '../domain/failures.ts';
import type { OrderId } from '../domain/ids.ts';
import { judgeKept } from '../domain/refunds.ts';
import type { StoreTransaction } from '../ports/store.ts';

/** Why the order must not ship, as SQL knows its money now; undefined when its charge is kept. Reads only. */
export async function moneyNotKept(tx: StoreTransaction, orderId: OrderId): Promise<Refusal | undefined> {
  const payments = await tx.payments.list(orderId);
  const charged = payments.find(({ state }) => state === 'charged');
  const ofCharged = ({ n }: { n: number }): boolean => n === charged?.n;
  return judgeKept({
    orderId,
    charged: charged?.amount,
    refunds: (await tx.refunds.list(orderId)).filter(ofCharged),
    disputes: (await tx.disputes.list(orderId)).filter(ofCharged),
  });
}
