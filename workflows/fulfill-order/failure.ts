import type { Refusal } from '../../domain/failures.ts';
import { compensationNames } from '../../domain/ids.ts';
import type { EndStatus } from '../../domain/order.ts';
import { seekStrangers } from './asked-first.ts';
import { inForce } from './decided-ahead.ts';
import { classifyFailure, refusalOf } from '../failures.ts';
import { isBegunElsewhere } from './kept-acts.ts';
import { isoNow, type OrderContext } from './context.ts';
import { isAnothers } from './state.ts';
import { noteSuperseded } from './superseded-acts.ts';
import type { Compensation, Saga } from '../saga.ts';
import { record } from './receive.ts';
import { sqlStep, compensationOf, moveTo } from './compensations.ts';

/**
 * Undoes what may have happened and ends the order; an error that is no answer passes through (a bug). The note comes
 * first: it makes the decision durable, and only then local activities act on it.
 */
export async function takeBack(context: OrderContext, saga: Saga, error: unknown): Promise<void> {
  const { order } = context;
  let refusal = refusalOf(error);
  if (!refusal && classifyFailure(error) !== 'interrupted') throw error;
  if (!order.recorded) refusal = await recordUnreceived(context, saga);
  if (refusal?.type === 'OrderClosed') return endAsRecorded(context, refusal);
  if (refusal?.type === 'KeyReused') return endAsAnothers(context);
  if (refusal) order.failure = { type: refusal.type, reason: refusal.reason };
  delete order.hold;
  delete order.parked;
  delete order.resolve;
  Object.assign(order, { sagaState: 'compensating', updatedAtUtc: isoNow() });
  context.publish();
  const noted = order.cancelRequested !== undefined || saga.compensable() > 0;
  if (noted) await noteTakeBack(context);
  /* Decided here, not after local activities: a patch behind those can stand in a later workflow task than at replay. */
  const strangers = noted ? seekStrangers(context) : [];
  await noteSuperseded(context, { why: 'the order was being taken back', which: () => true });
  try {
    await saga.compensate(takenElsewhere(context));
    await saga.compensate(strangers);
    await closeAs(context, saga, order.failure ? 'failed' : 'cancelled');
  } catch (late) {
    const closed = refusalOf(late);
    if (closed?.type !== 'OrderClosed') throw late;
    endAsRecorded(context, closed);
  }
}

/** Steps that another run may have taken are taken back in their order among this one's own, last step first. */
const takenElsewhere = (context: OrderContext): Compensation[] =>
  context.order.recorded &&
  !context.order.pivotPassed &&
  isBegunElsewhere(context.order) &&
  inForce(context.order, 'taken-back-in-order')
    ? compensationNames.toReversed().map((name) => compensationOf(context, name))
    : [];

/** The order had ended before, in another run: this one shows that end and changes nothing. */
function endAsRecorded(context: OrderContext, { type, reason, details }: Refusal): void {
  delete context.order.parked;
  delete context.order.hold;
  context.order.failure = { type, reason };
  moveTo(context, details?.['status'] as EndStatus);
}

/** The key belongs to an order that was placed with another body: this run is none of that order's and ends as failed. */
async function endAsAnothers(context: OrderContext): Promise<void> {
  const { order } = context;
  const why = 'the run that took it was started for another request under the same Idempotency-Key';
  const { cancelRequested: cancel } = order;
  delete order.cancelRequested;
  delete order.parked;
  /* They have no rows of their own: a row under the same id is the order's. */
  order.accepted = order.accepted.map(({ written: _, ...act }) => act);
  await noteSuperseded(context, { why, which: () => true });
  if (!cancel) return;
  const note = {
    actor: cancel.actor,
    act: 'cancel',
    result: 'overtaken',
    reason: `${why}: ${cancel.reason}`,
  };
  await context.note('recordNote', { ...note, reason: note.reason.slice(0, 500) });
}

/** An order that was stopped before SQL knew it is recorded all the same: its end has to be told. */
async function recordUnreceived(context: OrderContext, saga: Saga): Promise<Refusal | undefined> {
  try {
    await saga.run({ name: 'receive', kind: 'retriable', forward: () => record(context) });
    return undefined;
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    return refusal;
  } finally {
    if (context.order.recorded && !isAnothers(context.order)) await context.writeEarlyNotes();
  }
}

const noteTakeBack = async ({ order, note }: OrderContext): Promise<void> => {
  const { cancelRequested, failure } = order;
  await note('recordNote', {
    actor: cancelRequested?.actor ?? 'saga',
    act: cancelRequested ? 'cancel' : 'fail',
    result: 'compensating',
    reason: cancelRequested?.reason ?? failure?.reason ?? '',
    sagaState: 'compensating',
    ...(cancelRequested ? { cancelRequested } : {}),
    ...(failure ? { failure } : {}),
  });
};

/**
 * Ends the order. Where another run had begun it, more may have happened than this run knows: then what is left is
 * taken back first.
 */
async function closeAs(context: OrderContext, saga: Saga, status: 'failed' | 'cancelled'): Promise<void> {
  const { order, orderId } = context;
  const { step, failure, chargeLeft } = order;
  const { actor, reason } = order.cancelRequested ?? { actor: 'saga', reason: '' };
  const ending = failure
    ? ({ status: 'failed', failure } as const)
    : ({ status: 'cancelled', actor, reason } as const);
  for (;;) {
    const left = await saga.run({
      name: step,
      activity: 'closeOrder',
      kind: 'retriable',
      forward: sqlStep(context, 'completion', `Close the order as ${status}`, (a) =>
        a.closeOrder({ orderId, step, ending, ...(chargeLeft ? { chargeLeft } : {}) }),
      ),
    });
    if (!left) break;
    await saga.compensate(left.compensate.map((name) => compensationOf(context, name)));
  }
  delete order.parked;
  moveTo(context, status);
}
