import { describe, expect, test } from 'vitest';
import { operationKeys } from '../../domain/ids.ts';
import { cancelOrder, resolveParked } from '../../workflows/messages.ts';
import { createBreakableDeps } from '../e2e/breakable-deps.ts';
import { act, detailsOf, expectEnd, newOrderId, sagaSuite, shownOf } from '../e2e/saga-suite.ts';
import { goodAddress } from '../setup/saga-environment.ts';

const compensation = {
  attemptTimeoutMs: 2_000,
  budgetMs: 10_000,
  initialIntervalMs: 5,
  backoffCoefficient: 1,
  maximumIntervalMs: 5,
};

/* A thousand failures within minutes: how waits grow over months is long-waits' own test. */
const longWaits = { share: 0.125, maximumMs: 100 };

describe('a compensation that fails a thousand times', () => {
  const broken = createBreakableDeps();
  const saga = sagaSuite({ wrap: broken.wrap });

  test('stays parked where people see it, in a short history, and ends well once it is resolved', async () => {
    const orderId = newOrderId();
    /* In SQL, not at the provider: whose circuit would open and spare it most of the attempts. */
    const key = operationKeys.refundPayment(orderId);
    broken.keys.add(key);
    const shippingAddress = { ...goodAddress, street1: 'LABEL-REFUSED' };
    const order = await saga().start({ orderId, shippingAddress }, { compensation, longWaits });
    await saga().until(orderId, ({ hold }) => hold !== undefined);
    await order.executeUpdate(cancelOrder, { args: [act] });
    const { parked } = await saga().until(
      orderId,
      (view) => (view.parked?.attempts ?? 0) >= 1_000,
      8 * 60_000,
    );
    const { historyLength } = await order.describe();
    const budgets = parked?.budgets ?? 0;
    /* Also where an attempt was under way when the budget ended, which hides the earlier ones' failures. */
    expect(parked?.failure).toContain('StoreUnavailable: ');
    expect(historyLength).toBeLessThan(80 + 15 * budgets);
    expect(await shownOf(order)).toMatchObject({ sagaState: 'parked', parkedStep: 'payment' });
    expect(await detailsOf(order)).toContain(
      `after ${parked?.attempts} attempt(s) in ${budgets} retry windows`,
    );
    broken.keys.delete(key);
    await order.executeUpdate(resolveParked, { args: [{ ...act, action: 'retry' }] });
    const { provider } = await expectEnd(saga(), order, { status: 'cancelled' });
    expect(provider.refunded).toHaveLength(1);
  });
});
