import { ApplicationFailure, patched } from '@temporalio/workflow';
import type { EndStatus } from '../../domain/order.ts';
import { withoutHistory, type RecoveredOrder } from '../../domain/recovery.ts';
import { SagaInterrupted } from '../failures.ts';
import type { Act } from '../../domain/order-run.ts';
import type { OrderContext } from './context.ts';
import type { OrderState } from './state.ts';

/**
 * An order that another run has begun goes through the same steps again, under the numbers it had come to: every step
 * answers what it has stored, so that nothing happens twice.
 */
export function takeUp(order: OrderState, recovered: RecoveredOrder): void {
  const { payment, address, shipped, service } = recovered;
  Object.assign(order, { recovered, payment, ...(service ? { service } : {}) });
  /* An address that was accepted while SQL was asked is newer, and numbered when it is recorded. */
  const value = order.addressAct ? order.address.value : address.value;
  order.address = { value, n: address.n };
  order.addressVersion = address.n + (order.addressAct ? 1 : 0);
  if (recovered.addressSkipped && !order.addressAct) order.confirmedAddress = order.addressVersion;
  if (!shipped) return;
  order.pivotPassed = true;
  order.confirmedAddress = order.addressVersion;
}

/**
 * Records that another run goes on with the order, and turns round where it was being taken back, or is to be taken
 * back now. A label that is bought has no way back: then it goes on, and the trail says why.
 */
export async function goOn(context: OrderContext): Promise<void> {
  const { order } = context;
  const { recovered, input } = order;
  if (!recovered && !input.recovered) return;
  const { takeBack, actor, reason, historyGone } = input.recovered ?? unasked;
  const act = { actor, reason: historyGone ? `${reason} (${withoutHistory})`.slice(0, 500) : reason };
  const { shipped = false, takenBack } = recovered ?? {};
  const turns = !shipped && (takenBack !== undefined || takeBack === true);
  await context.note('recordNote', {
    ...act,
    act: takeBack ? 'compensate' : 'restart',
    result: takeBack && shipped ? 'refused: the label is bought' : 'begun',
    sagaState: turns ? 'compensating' : 'running',
    resumes: true,
  });
  if (!turns) return;
  if (!takenBack?.failure) await noteLateCancel(context);
  throw turn(order, takenBack ?? {}, act);
}

/** A cancel that was taken while the run recorded itself: the order is taken back already, for somebody else's. */
async function noteLateCancel({ order, note }: OrderContext): Promise<void> {
  const late = order.cancelRequested;
  if (!late || !patched('cancel-while-taken-up')) return;
  const reason = `the order was being taken back: ${late.reason}`.slice(0, 500);
  await note('recordNote', { actor: late.actor, act: 'cancel', result: 'overtaken', reason });
}

/**
 * A run that waits where another one went on from, after a reset: what is being taken back or has ended there is not
 * waited for any more, and a hold of an order whose label is bought is over.
 */
export function goOnAs(order: OrderState, standing: RecoveredOrder): void {
  const { ended, takenBack, shipped } = standing;
  if (order.sagaState !== 'held' && order.sagaState !== 'parked') return;
  if (shipped && !ended && order.hold) return takeUp(order, standing);
  if (ended) order.stop = closedElsewhere(ended);
  else if (takenBack && order.parkedActivity?.direction !== 'compensating')
    order.stop = turn(order, takenBack, unasked);
  if (order.stop) order.interrupt?.();
}

function closedElsewhere(status: EndStatus): Error {
  const reason = `The order has ended in another run (${status}).`;
  const details = [{ type: 'OrderClosed', reason, details: { status } }];
  return ApplicationFailure.create({ type: 'OrderClosed', message: reason, nonRetryable: true, details });
}

/** Who ends a hold that is over in another run; undefined where none is. */
export const wentFurther = ({ recovered }: OrderState): Act | undefined =>
  recovered?.shipped ? { actor: 'saga', reason: 'the label was bought in another run' } : undefined;

const unasked = {
  actor: 'saga',
  reason: 'another run had recorded the order',
  takeBack: undefined,
  historyGone: undefined,
};

/** For the reason that is on record, else for the act's. */
function turn(
  order: OrderState,
  { failure, cancelRequested }: NonNullable<RecoveredOrder['takenBack']>,
  act: { actor: string; reason: string },
): Error {
  if (failure) {
    return ApplicationFailure.create({ type: failure.type, message: failure.reason, nonRetryable: true });
  }
  order.cancelRequested = cancelRequested ?? act;
  return new SagaInterrupted();
}
