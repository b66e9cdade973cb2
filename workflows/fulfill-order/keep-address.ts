import { CancellationScope, patched } from '@temporalio/workflow';
import type { Act } from '../../domain/order-run.ts';
import type { OrderContext } from './context.ts';

/**
 * Has SQL keep an address that nothing waits for: the order takes it up before its label, which may be days away, and a
 * run that is lost meanwhile must not lose it. A hold that it mends records it at once, and an order that SQL does not
 * know yet records it before anything else waits. One after the other, so that the last one accepted is the newest.
 */
export function keepAddress(context: OrderContext, act: Act, actId: string): void {
  const { order, orderId, steps, policyOf } = context;
  const mends = order.hold?.status === 'address_rejected' || order.hold?.status === 'payment_disputed';
  if (mends || !order.recorded || !patched('address-kept-at-once')) return;
  const { actor, reason } = act;
  const { step, addressKept: before } = order;
  const address = order.address.value;
  const { budgetMs: _, ...policy } = policyOf('notification');
  const options = { policy, summary: 'Keep the address that the order is to go to' };
  const write = async (): Promise<void> => {
    await before;
    await steps.orders(options).recordAddress({ orderId, step, actor, reason, address, actId });
  };
  order.addressKept = CancellationScope.nonCancellable(write);
  context.background.push(order.addressKept);
}
