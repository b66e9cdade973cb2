import { ApplicationFailureCategory } from '@temporalio/common';
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
} from '@temporalio/workflow';
import { givenAct, type GivenAct } from '../domain/given-act.ts';
import type { EmailTemplate } from '../domain/email-task.ts';
import type { Refusal } from '../domain/failures.ts';
import { compensationNames, type CompensationName } from '../domain/ids.ts';
import type { EndStatus, OrderStatus, StepName } from '../domain/order.ts';
import type { RecoveredOrder } from '../domain/recovery.ts';
import type { OrderActivities } from '../activities/create-activities.ts';
import { settleApproval } from './approve.ts';
import { askedFirst, askFromHereOn, seekStrangers } from './asked-first.ts';
import { inForce } from './decided-ahead.ts';
import { cancel, openDoors } from './handlers.ts';
import { judge, refusalOf } from './judge.ts';
import { isBegunElsewhere, judgeKept, keep, mustWait } from './kept-acts.ts';
import type { Act, FulfillOrder, OrderResult } from './messages.ts';
import { readAct } from './read-act.ts';
import { track } from './write-acts.ts';
import { createContext, isoNow, type OrderContext } from './order-context.ts';
import { isAnothers, refuseCancelNow, type OrderState, type Standing } from './order-state.ts';
import { noteOvertaken } from './overtaken-acts.ts';
import { pay, refundPayment } from './pay.ts';
import { goOn, takeUp } from './recover.ts';
import { createRuntime } from './runtime.ts';
import { createSaga, type Compensation, type Saga } from './saga.ts';
import { settleAddress, ship, voidShipment } from './ship.ts';
import { checkCancel } from './stop-shipping.ts';

/**
 * One order from checkout to shipped, or back to where nothing of it stands.
 * Completes with a result for `completed`, `failed` (a business outcome) and a customer's cancel; closes as Canceled
 * after compensating for Temporal's own cancel. A run that fails with KeyReused was none of the order's; with anything
 * else it is a bug.
 */
export async function fulfillOrder(input: FulfillOrder): Promise<OrderResult> {
  const context = createContext(input);
  openDoors(context);
  watchTemporalCancel(context);
  return CancellationScope.nonCancellable(() => runOrder(context));
}

async function runOrder(context: OrderContext): Promise<OrderResult> {
  const saga = createSaga(createRuntime(context));
  try {
    await receive(context, saga);
    await reserveInventory(context, saga);
    await settleAddress(context, saga);
    await settleApproval(context, saga);
    await pay(context, saga);
    context.beside.push(sendMail(context, 'order-confirmation'));
    await createFulfillment(context, saga);
    await ship(context, saga);
    context.beside.push(sendMail(context, 'order-shipped'));
    await complete(context, saga);
  } catch (error) {
    await takeBack(context, saga, error);
  }
  return close(context);
}

const receive = async (context: OrderContext, saga: Saga): Promise<void> => {
  const forward = () => record(context);
  await saga.run({ name: 'receive', kind: 'compensatable', atomic: true, forward });
  await context.writeEarlyNotes();
  await goOn(context);
  const { order } = context;
  if (order.recovered || order.input.recovered) askFromHereOn(order);
  /* In earlier histories, also right after that note. */
  if (order.recovered) askedFirst(order, 'ask-what-people-charged');
};

/** SQL knows the order from this answer on, a refusal included. */
async function record(context: OrderContext): Promise<void> {
  const { order } = context;
  const { checkout, traceparent, fingerprint, recovered: restarted } = order.input;
  const request = fingerprint ? { fingerprint, ...(restarted ? ({ restarted: true } as const) : {}) } : {};
  try {
    const { total, shipping, recovered } = await sqlStep(
      context,
      'receive',
      'Price and record the order',
      (activities) => activities.recordOrder({ checkout, traceparent, ...request, ...earlierActs(order) }),
    )();
    Object.assign(order, { total, ...(shipping ? { shipping } : {}), recorded: true });
    forget(order);
    if (recovered) takeUp(order, recovered);
    judgeKept(context, standingOf(order), true);
  } catch (error) {
    const refusal = refusalOf(error);
    /* Known before SQL is: acts that wait for it are not written onto somebody else's order. */
    if (refusal?.type === 'KeyReused') order.failure = { type: refusal.type, reason: refusal.reason };
    order.recorded = refusal !== undefined;
    if (refusal) judgeKept(context, endingAs(refusal));
    throw error;
  }
}

/** What the run before had accepted: SQL judges what it lacks of that. */
function earlierActs({ input, acts }: OrderState): { acts?: GivenAct[] } {
  const earlier = input.recovered?.acts ?? [];
  if (earlier.length === 0) return {};
  return {
    acts: earlier.map(({ name, id, input: given }) => {
      const act = readAct<Act>(given, 'update');
      if (!acts.has(id)) track({ acts }, { name, act, id });
      return givenAct(name, id, act);
    }),
  };
}

/** SQL knows from here on what came of them. */
function forget({ input, acts }: OrderState): void {
  for (const { id } of input.recovered?.acts ?? []) acts.delete(id);
}

/** Where the run begins, for the acts that came before. */
function standingOf({ input, recovered }: OrderState): Standing & Pick<RecoveredOrder, 'acts'> {
  const takenBack = recovered?.shipped
    ? undefined
    : (recovered?.takenBack ?? (input.recovered?.takeBack && {}));
  return { ...recovered, ...(takenBack ? { takenBack } : {}) };
}

/** An order that is not recorded as open is not acted on. */
const endingAs = ({ type, details }: Refusal): Standing =>
  type === 'OrderClosed' ? { ended: details?.['status'] as EndStatus } : { takenBack: {} };

const reserveInventory = async (context: OrderContext, saga: Saga): Promise<void> => {
  const { orderId } = context;
  await saga.run({
    name: 'inventory',
    kind: 'compensatable',
    atomic: true,
    forward: sqlStep(context, 'inventory', 'Reserve the stock', (a) => a.reserveInventory({ orderId })),
    compensation: releaseInventory(context),
  });
  moveTo(context, 'inventory_reserved');
};

const createFulfillment = async (context: OrderContext, saga: Saga): Promise<void> => {
  const { orderId } = context;
  await saga.run({
    name: 'fulfillment',
    kind: 'compensatable',
    atomic: true,
    forward: sqlStep(context, 'fulfillment', 'Open the fulfillment', (a) => a.createFulfillment({ orderId })),
    compensation: cancelFulfillment(context),
  });
  moveTo(context, 'fulfillment_created');
};

const complete = async (context: OrderContext, saga: Saga): Promise<void> => {
  const { order, orderId } = context;
  order.step = 'completion';
  await saga.run({
    name: 'completion',
    kind: 'retriable',
    forward: sqlStep(context, 'completion', 'Complete the order', (a) => a.completeOrder({ orderId })),
  });
  moveTo(context, 'completed');
};

/** Runs beside the order and can neither hold nor fail it: the mail itself goes through outbox and email queue. */
const sendMail = async (
  { steps, orderId, policyOf }: OrderContext,
  template: EmailTemplate,
): Promise<void> => {
  const { budgetMs: _, ...policy } = policyOf('notification');
  await steps.sql({ policy, summary: `Request the ${template} mail` }, (a) =>
    a.requestEmail({ orderId, template }),
  );
};

const sqlStep =
  <Result>(
    { steps, policyOf }: OrderContext,
    step: StepName,
    summary: string,
    call: (activities: OrderActivities) => Promise<Result>,
  ) =>
  (): Promise<Result> =>
    steps.sql({ policy: policyOf(step), summary }, call);

const sqlCompensation = (
  { steps, order, orderId }: OrderContext,
  step: StepName,
  name: 'releaseInventory' | 'cancelFulfillment',
  summary: string,
): Compensation => ({
  name,
  step,
  run: async () => {
    await steps.sql({ policy: order.input.policy.compensation, summary }, (a) => a[name]({ orderId }));
  },
});

const releaseInventory = (context: OrderContext): Compensation =>
  sqlCompensation(context, 'inventory', 'releaseInventory', 'Give the stock back');

const cancelFulfillment = (context: OrderContext): Compensation =>
  sqlCompensation(context, 'fulfillment', 'cancelFulfillment', 'Cancel the fulfillment');

const compensationOf = (context: OrderContext, name: CompensationName): Compensation =>
  ({ releaseInventory, refundPayment, cancelFulfillment, voidShipment })[name](context);

function moveTo({ order }: OrderContext, status: OrderStatus): void {
  Object.assign(order, { status, updatedAtUtc: isoNow() });
}

/**
 * Undoes what may have happened and ends the order; an error that is no answer passes through (a bug). The note comes
 * first: it makes the decision durable, and only then local activities act on it.
 */
async function takeBack(context: OrderContext, saga: Saga, error: unknown): Promise<void> {
  const { order } = context;
  let refusal = refusalOf(error);
  if (!refusal && judge(error) !== 'interrupted') throw error;
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
  await noteOvertaken(context, { why: 'the order was being taken back', which: () => true });
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
  await noteOvertaken(context, { why, which: () => true });
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

/** Waits for what runs beside the order, shows the end, and closes the run. */
async function close(context: OrderContext): Promise<OrderResult> {
  const { order, orderId } = context;
  await settleBeside(context);
  Object.assign(order, { sagaState: 'ended', updatedAtUtc: isoNow() });
  context.publish();
  await condition(allHandlersFinished);
  await settleBeside(context);
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

/** Also what comes to run beside the order while the rest is awaited. */
async function settleBeside({ beside }: OrderContext): Promise<void> {
  for (let next = beside.shift(); next; next = beside.shift()) await next;
}

const TEMPORAL = 'temporal';

/**
 * Temporal's own cancel (Web UI, CLI) has the effect of a customer's, also on a label that was not dispatched. It cannot
 * be refused: where that one would be, it is recorded and the order goes on.
 */
function watchTemporalCancel(context: OrderContext): void {
  const { order } = context;
  const act = { actor: TEMPORAL, reason: "canceled by Temporal's own cancel" };
  const decide = (): string | undefined | Promise<string | undefined> => {
    const reason = refuseCancelNow(order);
    if (reason) return reason;
    return checkCancel(context)?.then((late) => late ?? cancel(order, act)) ?? cancel(order, act);
  };
  const refuse = (reason: string): void => {
    order.remarks.push(`Temporal's cancel came too late at ${isoNow()}: ${reason}`);
    const note = { actor: TEMPORAL, act: 'cancel', result: 'refused', reason };
    context.beside.push(CancellationScope.nonCancellable(() => context.note('recordNote', note)));
  };
  CancellationScope.current().cancelRequested.catch(() => {
    if (mustWait(order)) {
      context.beside.push(keep(context, { name: 'cancel', id: TEMPORAL, decide, refuse }));
      return;
    }
    const decided = decide();
    if (typeof decided === 'string') refuse(decided);
    else if (decided) context.beside.push(decided.then((reason) => reason && refuse(reason)));
  });
}
