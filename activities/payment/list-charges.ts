import { sumMinor } from '../../domain/money.ts';
import type { ListedIntent } from '../../ports/payment-gateway.ts';
import type { ActivityDeps } from '../deps.ts';
import { readWholeList, type StrangersOf } from '../read-whole-list.ts';

/**
 * What carries the order's id at the payment provider, is none of its rows and has the customer's money, or may get it
 * without anybody's doing more here (it waits for the customer or the bank). What was given back in full is settled; what
 * was declined or never confirmed has taken nothing.
 */
export async function listStrangers(
  deps: ActivityDeps,
  { order, known, forMs, timeoutMs }: StrangersOf,
): Promise<ListedIntent[]> {
  const listed = await readWholeList<ListedIntent>(deps, {
    order,
    what: "The payment provider's payments",
    forMs,
    page: async ({ sinceUtc, after }) => {
      const { orderId } = order;
      const from = { orderId, sinceUtc, timeoutMs: timeoutMs(), ...(after ? { afterId: after } : {}) };
      const { intents, afterId } = await deps.payments.listIntents(from);
      return { items: intents, ...(afterId ? { after: afterId } : {}) };
    },
  });
  const strangers: ListedIntent[] = [];
  for (const intent of listed) {
    if (known.includes(intent.intentId)) continue;
    if (intent.status === 'action_required') strangers.push(intent);
    if (intent.status !== 'charged') continue;
    const refunds = await deps.payments.refunds({ intentId: intent.intentId, timeoutMs: timeoutMs() });
    const back = refunds.filter(({ status }) => status !== 'failed').map(({ amount }) => amount.amountMinor);
    if (sumMinor(back) < intent.amount.amountMinor) strangers.push(intent);
  }
  return strangers;
}
