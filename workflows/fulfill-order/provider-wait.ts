import { ActivityFailure, patched, sleep, TimeoutFailure } from '@temporalio/workflow';
import type { ProviderQuestion } from '../../activities/provider-state.ts';
import { foundAtProvider, orderNotInStore, serviceNotOffered } from '../../domain/failures.ts';
import { nextWaitMs } from '../../domain/long-waits.ts';
import {
  providerOf,
  type BudgetAdvice,
  type ProviderName,
  type ProviderWait,
} from '../../domain/providers.ts';
import { failureTypeOf } from '../failures.ts';
import { isoNow, type OrderContext } from './context.ts';
import type { OrderState } from './state.ts';
import type { Parking } from '../saga.ts';

/** How often an order whose budget has ended asks at first whether its provider takes steps again. */
const ASK_EVERY_MS = 10 * 60 * 1_000;

/**
 * A step whose budget ended because its provider was paused or its circuit open is not at fault: it waits here until
 * the provider takes steps again, and then has a fresh budget. True when it is tried again; false when it is parked.
 * The wait burns no attempts, ends by a cancel, and is shown in the details and once in the audit trail.
 */
export async function waitForProvider(
  context: OrderContext,
  { step, activity, direction, error }: Parking,
): Promise<boolean> {
  const { order } = context;
  const provider = providerOf(activity);
  if (!provider || !patched('wait-for-provider')) return false;
  if (needsPerson(error)) {
    delete order.heldUp;
    return false;
  }
  const { compensation, longWaits } = order.input.policy;
  const { budgetMs = ASK_EVERY_MS } = direction === 'compensating' ? compensation : context.policyOf(step);
  const shortMs = Math.min(budgetMs, ASK_EVERY_MS);
  const sinceMs = heldUpSinceMs(order, activity);
  const pauseMs = (least: number) =>
    nextWaitMs(longWaits, { shortMs: least, waitedMs: Date.now() - sinceMs });
  const timedOut = error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
  try {
    for (;;) {
      const answer = await ask(context, { provider, budgetMs, timedOut });
      if (answer.advice !== 'wait') {
        const again = answer.advice === 'again' || order.waitingFor !== undefined;
        if (!again) delete order.heldUp;
        /* A provider that comes and goes renews the budget each time: then the pause comes first. */
        else if (!order.waitingFor && pauseMs(0) > 0)
          await sleep(pauseMs(0), { summary: `Wait for ${provider}: held up again and again` });
        return again;
      }
      await show(context, provider, answer.wait);
      await sleep(pauseMs(shortMs), { summary: `Wait for ${provider}: ${answer.wait.state}` });
    }
  } finally {
    if (order.waitingFor) {
      delete order.waitingFor;
      context.publish();
    }
  }
}

/** No provider that is back cures it: a person decides, or brings the order's row back. */
function needsPerson(error: unknown): boolean {
  const type = failureTypeOf(error);
  if (type === orderNotInStore) return true;
  return (type === foundAtProvider || type === serviceNotOffered) && patched('people-decide-at-once');
}

/** Since when this activity is held up from outside, over all its budgets. */
export function heldUpSinceMs(order: OrderState, activity: string): number {
  if (order.heldUp?.activity !== activity) order.heldUp = { activity, sinceMs: Date.now() };
  return order.heldUp.sinceMs;
}

/** Ordinary, never local: another worker may know better than the one that runs the workflow. */
function ask({ steps, policyOf }: OrderContext, question: ProviderQuestion): Promise<BudgetAdvice> {
  const { budgetMs: _, ...policy } = policyOf('notification');
  return steps
    .orders({ policy, summary: `Ask whether ${question.provider} takes steps` })
    .providerState(question);
}

async function show(context: OrderContext, provider: ProviderName, wait: ProviderWait): Promise<void> {
  const { order } = context;
  const first = order.waitingFor === undefined && !order.heldUp?.noted;
  order.waitingFor = { provider, ...wait };
  order.updatedAtUtc = isoNow();
  context.publish();
  if (!first) return;
  if (order.heldUp && order.input.policy.longWaits) order.heldUp.noted = true;
  const reason = `${wait.state} since ${wait.sinceUtc}: ${wait.reason}`.slice(0, 500);
  await context.note('recordNote', { actor: 'saga', act: `budget of ${provider}`, result: 'waits', reason });
}
