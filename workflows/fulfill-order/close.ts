import { ApplicationFailureCategory } from '@temporalio/common';
import { allHandlersFinished, ApplicationFailure, CancelledFailure, condition } from '@temporalio/workflow';
import type { EndStatus } from '../../domain/order.ts';
import type { OrderResult } from '../messages.ts';
import { isoNow, type OrderContext } from './context.ts';
import { isAnothers, type OrderState } from './state.ts';
import { TEMPORAL } from './temporal-cancel.ts';

/** Waits for what runs in the order's background, shows the end, and closes the run. */
export async function close(context: OrderContext): Promise<OrderResult> {
  const { order, orderId } = context;
  await awaitBackground(context);
  Object.assign(order, { sagaState: 'ended', updatedAtUtc: isoNow() });
  context.publish();
  await condition(allHandlersFinished);
  await awaitBackground(context);
  if (order.failure && isAnothers(order)) throw anothersEnd(order.failure);
  const status = order.status as EndStatus;
  if (status === 'cancelled' && order.cancelRequested?.actor === TEMPORAL) {
    throw new CancelledFailure(`Order ${orderId} was taken back: ${order.cancelRequested.reason}`);
  }
  return { orderId, status, ...(order.failure ? { failure: order.failure } : {}) };
}

/** Never `completed`: a run that completes has ended its order. */
const anothersEnd = ({ type, reason }: NonNullable<OrderState['failure']>): ApplicationFailure =>
  ApplicationFailure.create({
    type,
    message: reason,
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
  });

/** Also what comes to run there while the rest is awaited. */
async function awaitBackground({ background }: OrderContext): Promise<void> {
  for (let next = background.shift(); next; next = background.shift()) await next;
}
