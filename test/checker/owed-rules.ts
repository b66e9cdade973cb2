import { explainOrder } from '../../api/orders/story/explain-order.ts';
import { formatAmount } from '../../domain/money.ts';
import { isEnded } from '../../domain/order.ts';
import { owedOf } from '../../domain/owed.ts';
import type { OrderBooks } from './books.ts';

/** As long as SQL owes the customer anything of an ended order, the story's last sentence says how much. */
export function owedViolations({ ledger, audit, events }: OrderBooks): string[] {
  if (!isEnded(ledger.status)) return [];
  const { next } = explainOrder(audit, ledger, events);
  return owedOf(ledger).flatMap(({ amount, n }) => {
    const text = formatAmount(amount);
    return next.includes(text)
      ? []
      : [`owed and not said: ${text} of payment ${n}; what comes next is told as "${next}"`];
  });
}
