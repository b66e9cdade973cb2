import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { Parked, SagaState } from '../domain/order.ts';
import { describeFailure, judge, SagaInterrupted } from './judge.ts';
import { isoNow, type OrderContext } from './order-context.ts';
import { waitForProvider } from './provider-wait.ts';
import type { Parking, SagaRuntime } from './saga.ts';

/** The saga kernel's world inside a workflow: cancellation scopes, parking and the order's state. */
export function createRuntime(context: OrderContext): SagaRuntime {
  const { order } = context;

  async function interruptible<T>(work: () => Promise<T>): Promise<T> {
    if (order.cancelRequested) throw new SagaInterrupted();
    const scope = new CancellationScope();
    order.interrupt = () => scope.cancel();
    try {
      const result = await scope.run(work);
      /* Accepted in the moment in which the work ended. */
      if (order.cancelRequested) throw new SagaInterrupted();
      return result;
    } catch (error) {
      throw order.cancelRequested && isCancellation(error) ? new SagaInterrupted() : error;
    } finally {
      delete order.interrupt;
    }
  }

  return {
    interruptible,
    judge,
    enter({ name, atomic }) {
      if (order.cancelRequested && !atomic) throw new SagaInterrupted();
      order.step = name;
    },
    park: (parking) => park(context, parking),
  };
}

/**
 * Parks the order: search attributes and details at once (they need no SQL), then audit row and event, then waits for
 * `resolve`. A parked compensation also tries again by itself after another budget: it is never dropped.
 */
async function park(context: OrderContext, parking: Parking): Promise<void> {
  const { order } = context;
  const compensating = parking.direction === 'compensating';
  const before = order.parked?.activity === parking.activity ? order.parked : undefined;
  if (!before && (await waitForProvider(context, parking))) return;
  order.parked = parkedStep(parking, before);
  show(context, 'parked');
  if (!before) await context.note('parkOrder', { parked: order.parked });
  const resolved = () => order.resolve !== undefined;
  if (compensating) await condition(resolved, order.input.policy.compensation.budgetMs);
  else await condition(resolved);
  await unpark(context, compensating);
}

function parkedStep({ step, activity, error }: Parking, before: Parked | undefined): Parked {
  return {
    step,
    activity,
    failure: describeFailure(error).slice(0, 500),
    budgets: (before?.budgets ?? 0) + 1,
    sinceUtc: before?.sinceUtc ?? isoNow(),
    actions: ['retry'],
  };
}

/** Without a `resolve` (a compensation tries again by itself) the order stays shown as parked. */
async function unpark(context: OrderContext, compensating: boolean): Promise<void> {
  const { order } = context;
  const { resolve } = order;
  if (!resolve) return;
  delete order.resolve;
  delete order.parked;
  show(context, compensating ? 'compensating' : order.hold ? 'held' : 'running');
  const { sagaState } = order;
  await context.note('resumeOrder', { actor: resolve.actor, reason: resolve.reason, sagaState });
}

function show({ order, publish }: OrderContext, sagaState: SagaState): void {
  Object.assign(order, { sagaState, updatedAtUtc: isoNow() });
  publish();
}
