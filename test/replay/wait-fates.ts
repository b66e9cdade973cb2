import { operationKeys } from '../../domain/ids.ts';
import { cancelOrder } from '../../workflows/messages.ts';
import { act, newOrderId } from '../e2e/saga-suite.ts';
import { small, startUntil, type Fate } from './lead-order.ts';
import { breakable } from './store-fates.ts';

const passed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Budgets that SQL does not answer, and waits that grow. */
export const waitFates: Record<string, Fate> = {
  'completed-sql-waited-for': async (saga) => {
    const orderId = newOrderId();
    const key = operationKeys.reserveInventory(orderId);
    breakable.keys.add(key);
    const policy = { waitForStore: true, localActivityMs: 300, steps: { inventory: small } };
    const order = await startUntil(saga, ({ step }) => step === 'inventory', { orderId }, policy);
    await passed(4_000);
    breakable.keys.delete(key);
    return order;
  },
  'cancelled-parked-release-tried-later-and-later': async (saga) => {
    const orderId = newOrderId();
    const key = operationKeys.releaseInventory(orderId);
    const declined = { paymentMethodId: 'pm_card_chargeDeclined', orderId };
    const longWaits = { share: 1, maximumMs: 60_000 };
    const order = await startUntil(saga, ({ hold }) => hold !== undefined, declined, {
      localActivityMs: 300,
      longWaits,
      compensation: { ...small, budgetMs: 600 },
    });
    breakable.keys.add(key);
    await order.executeUpdate(cancelOrder, { args: [act] });
    await saga.until(orderId, ({ parked }) => (parked?.budgets ?? 0) >= 4, 40_000);
    breakable.keys.delete(key);
    return order;
  },
};
