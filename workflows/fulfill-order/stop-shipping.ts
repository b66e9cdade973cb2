import { CancellationScope, condition, isCancellation, patched } from '@temporalio/workflow';
import { shippingRefusal } from '../../domain/way-back.ts';
import { refusalOf, SagaInterrupted } from '../failures.ts';
import type { OrderContext } from './context.ts';
import { mayBeStopped, refuseCancel, type OrderState } from './state.ts';

/** What SQL has to say about a cancel that the run alone cannot decide; undefined where the run can. */
export const checkCancel = (context: OrderContext): Promise<string | undefined> | undefined =>
  mayBeStopped(context.order) ? stopShipping(context) : undefined;

/**
 * Why a cancel that comes while the label is being bought is refused: only SQL knows whether an attempt of it has begun.
 * Where none has (the carrier is paused, its circuit is open, the next attempt waits), none begins any more. Waits for
 * SQL without end: whether the order is stopped has to be known.
 */
async function stopShipping(context: OrderContext): Promise<string | undefined> {
  const { order, orderId, steps, policyOf } = context;
  if (!patched('cancel-before-dispatch')) return shippingRefusal;
  const { budgetMs: _, ...policy } = policyOf('notification');
  order.stopping = (order.stopping ?? 0) + 1;
  try {
    const { stopped } = await CancellationScope.nonCancellable(() =>
      steps
        .orders({ policy, summary: 'Stop the order before its label, where none is being bought' })
        .stopShipping({ orderId }),
    );
    if (order.stopGranted) await cancelTaken(order);
    const refused = stopped && !order.pivotPassed ? refuseWhileStopped(order) : shippingRefusal;
    if (refused === undefined) order.stopGranted = true;
    return refused;
  } finally {
    order.stopping -= 1;
  }
}

/** Another cancel, or the order's end, may have been faster. */
const refuseWhileStopped = (order: OrderState): string | undefined => {
  const reason = refuseCancel(order);
  return reason === shippingRefusal ? undefined : reason;
};

/** A cancel that was let through is accepted in the same workflow task, after whatever else that task brings. */
const cancelTaken = (order: OrderState): Promise<void> =>
  CancellationScope.nonCancellable(() => condition(() => order.cancelRequested !== undefined));

const isCompensated = (error: unknown): boolean => refusalOf(error)?.type === 'OperationCompensated';

/** Runs the label's step until it is answered, or until a cancel that SQL has let through ends it. */
export async function untilStopped<T>({ order }: OrderContext, buy: () => Promise<T>): Promise<T> {
  const scope = new CancellationScope();
  order.interrupt = () => scope.cancel();
  try {
    return await scope.run(buy);
  } catch (error) {
    /* The tombstone may be found before the cancel's own answer is here. */
    if (order.stopping) await condition(() => !order.stopping);
    if (order.stopGranted) await cancelTaken(order);
    if (order.cancelRequested && (isCancellation(error) || isCompensated(error))) throw new SagaInterrupted();
    throw error;
  } finally {
    delete order.interrupt;
  }
}
