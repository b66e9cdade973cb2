import { ApplicationFailure } from '@temporalio/workflow';
import type { RecoveredOrder } from '../domain/recovery.ts';
import { SagaInterrupted } from './judge.ts';
import type { OrderContext } from './order-context.ts';
import type { OrderState } from './order-state.ts';

/**
 * An order that another run has begun goes through the same steps again, under the numbers it had come to: every step
 * answers what it has stored, so that nothing happens twice.
 */
export function takeUp(order: OrderState, recovered: RecoveredOrder): void {
  const { payment, address, shipped } = recovered;
  order.recovered = recovered;
  order.payment = payment;
  order.paymentUpdates = payment.n - 1;
  /* An address that was accepted while SQL was asked is newer. */
  const value = order.addressAct ? order.address.value : address.value;
  order.address = { value, n: address.n + (order.addressAct ? 1 : 0) };
  if (!shipped) return;
  order.pivotPassed = true;
  order.settledAddress = order.address.n;
}

/**
 * Records that another run goes on with the order, and turns round where it was being taken back, or is to be taken
 * back now. A label that is bought has no way back: then it goes on, and the trail says why.
 */
export async function goOn(context: OrderContext): Promise<void> {
  const { order } = context;
  const { recovered, input } = order;
  if (!recovered && !input.recovered) return;
  const { takeBack, ...act } = input.recovered ?? unasked;
  const { shipped = false, takenBack } = recovered ?? {};
  const turns = !shipped && (takenBack !== undefined || takeBack === true);
  await context.note('recordNote', {
    ...act,
    act: takeBack ? 'compensate' : 'restart',
    result: takeBack && shipped ? 'refused: the label is bought' : 'begun',
    sagaState: turns ? 'compensating' : 'running',
    resumes: true,
  });
  if (turns) throw turn(order, takenBack ?? {}, act);
}

const unasked = { actor: 'saga', reason: 'another run had recorded the order', takeBack: undefined };

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
