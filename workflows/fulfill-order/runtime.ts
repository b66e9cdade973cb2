import { CancellationScope, condition, isCancellation, patched } from '@temporalio/workflow';
import { nextWaitMs } from '../../domain/long-waits.ts';
import type { Parked, SagaState } from '../../domain/order.ts';
import { askFromHereOn } from './asked-first.ts';
import { inForce } from './decided-ahead.ts';
import { attemptsOf, describeFailure, failureTypeOf, classifyFailure, SagaInterrupted } from '../failures.ts';
import type { ResolveParked } from '../messages.ts';
import { isoNow, type OrderContext } from './context.ts';
import type { OrderState } from './state.ts';
import { nameOf, recorded, untilWritten } from './superseded-acts.ts';
import { waitForProvider } from './provider-wait.ts';
import { legalActions, needsOf, type ParkedActivity } from '../parked/rules.ts';
import type { Parking, Resolution, SagaRuntime } from '../saga.ts';
import { waitForStore } from './store-wait.ts';

/** The saga kernel's world inside a workflow: cancellation scopes, parking and the order's state. */
export function createRuntime(context: OrderContext): SagaRuntime {
  const { order } = context;

  async function interruptible<T>(work: () => Promise<T>): Promise<T> {
    const stop = stopOf(order);
    if (stop) throw stop;
    const scope = new CancellationScope();
    order.interrupt = () => scope.cancel();
    try {
      const result = await scope.run(work);
      /* Accepted in the moment in which the work ended. */
      const late = stopOf(order);
      if (late) throw late;
      return result;
    } catch (error) {
      throw (isCancellation(error) ? stopOf(order) : undefined) ?? error;
    } finally {
      delete order.interrupt;
    }
  }

  return {
    interruptible,
    classifyFailure,
    enter({ name, atomic }) {
      if (order.cancelRequested && !atomic) throw new SagaInterrupted();
      order.step = name;
    },
    park: (parking) => park(context, parking),
    recovered: () => recover(context),
  };
}

/** Why nothing goes forward any more; undefined while it does. */
const stopOf = ({ stop, cancelRequested }: OrderState): Error | undefined =>
  stop ?? (cancelRequested ? new SagaInterrupted() : undefined);

/**
 * Parks the order: search attributes and details at once (they need no SQL), then audit row and event, then waits for
 * `resolve`. A parked compensation also tries again by itself after another budget: it is never dropped.
 */
async function park(context: OrderContext, parking: Parking): Promise<Resolution> {
  const { order } = context;
  const compensating = parking.direction === 'compensating';
  const before = order.parked?.activity === parking.activity ? order.parked : undefined;
  if (!before && (await waitForStore(context, parking))) return 'again';
  if (!before && (await waitForProvider(context, parking))) return 'again';
  Object.assign(order, parkedAs(order, parking, before), { attended: true });
  if (compensating) order.takenBackParked = patched('taken-back-while-parked');
  else if (order.hold) order.parkedInHold = patched('parked-in-hold');
  show(context, 'parked');
  if (!before && order.parked) await context.note('parkOrder', { parked: order.parked });
  const resolved = () => order.resolve !== undefined;
  if (compensating) await condition(resolved, untilNextTryMs(order));
  else await condition(resolved);
  return order.resolve ? unpark(context, { ...order.resolve, compensating }) : 'again';
}

/** A compensation tries again by itself after as long as its budget, and later as the policy's long waits say. */
function untilNextTryMs({ input, parked }: OrderState): number {
  const { compensation, longWaits } = input.policy;
  const waitedMs = Date.now() - Date.parse(parked?.sinceUtc ?? isoNow());
  return nextWaitMs(longWaits, { shortMs: compensation.budgetMs, waitedMs });
}

/** `failureType` stays that of the failure that parked it; how often it failed goes on counting over people's retries. */
function parkedAs(
  order: OrderState,
  { step, activity, error, direction, onlyForward }: Parking,
  before?: Parked,
) {
  const parkedActivity: ParkedActivity = { activity, direction, onlyForward };
  const used = order.usedUp?.activity === activity ? order.usedUp : { budgets: 0, attempts: 0 };
  const budgets = used.budgets + 1;
  const attempts = used.attempts + (attemptsOf(error) ?? 0);
  const parked: Parked = {
    step,
    activity,
    failure: describeFailure(error).slice(0, 500),
    failureType: before?.failureType ?? failureTypeOf(error),
    budgets,
    ...(attempts > 0 ? { attempts } : {}),
    sinceUtc: before?.sinceUtc ?? isoNow(),
    actions: legalActions(parkedActivity),
    needs: needsOf(parkedActivity),
  };
  return { parked, parkedActivity, usedUp: { activity, budgets, attempts } };
}

/** Ends the parking as the operator (or a compensation that succeeded by itself) says. */
async function unpark(
  context: OrderContext,
  act: ResolveParked & { compensating: boolean },
): Promise<Resolution> {
  const { order } = context;
  const { compensating, actor, action } = act;
  const accepted = order.resolve;
  delete order.resolve;
  delete order.parked;
  const { service, paymentMethodId } = (action === 'retry-with' && act.input) || {};
  if (service) order.service = service;
  show(context, compensating ? 'compensating' : order.hold ? 'held' : 'running');
  const { sagaState } = order;
  const gives = service !== undefined || paymentMethodId !== undefined;
  const named = accepted ? nameOf(order, accepted, gives) : {};
  if (accepted && named.actId !== undefined) await untilWritten(order, accepted);
  const changed = {
    ...(paymentMethodId ? { paymentMethodId } : {}),
    ...named,
    ...(service && named.actId ? { service } : {}),
  };
  const numbers = await context.note('resumeOrder', { actor, reason: reasonOf(act), sagaState, ...changed });
  if (!compensating) askFromHereOn(order);
  if (paymentMethodId) order.payment = { n: numbers?.payment ?? order.payment.n + 1, paymentMethodId };
  if (accepted) recorded(order, accepted);
  return action === 'skip' ? 'skip' : 'again';
}

/** A compensation that tried again by itself has succeeded: it is parked no more. */
async function recover(context: OrderContext): Promise<void> {
  const { order } = context;
  if (!order.parked || !inForce(order, 'parked-compensation-recovers')) return;
  const byItself = { action: 'retry', actor: 'saga', reason: 'it went through when tried again' } as const;
  await unpark(context, { ...(order.resolve ?? byItself), compensating: true });
}

/** The audit trail says what was done where it was more than another try. */
function reasonOf({ action, input, reference, reason }: ResolveParked): string {
  const what = { 'retry-with': input?.service ?? 'another payment method', 'mark-done': reference };
  const facts = action === 'retry-with' || action === 'mark-done' ? ` (${what[action]})` : '';
  return action === 'retry' ? reason : `${action}${facts}: ${reason}`.slice(0, 500);
}

function show({ order, publish }: OrderContext, sagaState: SagaState): void {
  Object.assign(order, { sagaState, updatedAtUtc: isoNow() });
  publish();
}
