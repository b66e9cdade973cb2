import { patched } from '@temporalio/workflow';
import type { StepPolicy } from '../../domain/policy.ts';
import { inForce } from './decided-ahead.ts';
import type { OrderContext } from './context.ts';
import { type OrderState, mayHaveHelped } from './state.ts';
import type { Compensation } from '../saga.ts';

/**
 * From here on the providers are asked what people have done there: a person has moved the order on, and may have helped it
 * at a provider's desk before. Called right after the note that says so: a patch behind a local activity can stand in a
 * later workflow task than at replay.
 */
export function askFromHereOn(order: OrderState): void {
  order.askFirst ||= patched('ask-after-people-acted');
}

/**
 * Whether a provider is asked what people have done there before a step takes effect: since the order was held or parked,
 * or went on in another run, a person may have helped it by hand. A fresh order asks nothing more than its step needs, and
 * a poll that waits for the customer not either, unless the order was parked or went on in another run: a whole list at
 * each poll may take longer than the poll has.
 */
export const askedFirst = (
  order: OrderState,
  patch: 'ask-what-people-did' | 'ask-what-people-charged',
  { polls = false } = {},
): { asked?: true } =>
  (order.askFirst && !polls) || (mayHaveHelped(order) && inForce(order, patch)) ? { asked: true } : {};

/**
 * What is left to ask when an order has been taken back: whether people have charged or bought a label for it, which none of
 * its own compensations know. Also of an order that is canceled while it is, or was, held, or whose hold a person has ended
 * or extended: somebody may have taken the payment by phone. What is found parks the order and is looked at again by
 * itself; a person may leave it as it is.
 */
export function seekStrangers(context: OrderContext): Compensation[] {
  const { order, orderId, steps } = context;
  const helped = mayHaveHelped(order);
  const canceled = order.cancelRequested !== undefined && order.wasHeld !== undefined;
  const actedOn = order.askFirst === true || order.extensions > 0;
  if (!order.recorded || order.pivotPassed || !(helped || canceled || actedOn)) return [];
  if (!patched('ask-when-taken-back')) return [];
  const policy = seekingPolicy(order);
  const sought = { orderId, attemptTimeoutMs: policy.attemptTimeoutMs };
  const labels: Compensation = {
    name: 'seekLabels',
    step: 'shipping',
    skipped: () => undefined,
    run: async () => {
      await steps.carrier({ policy, summary: 'Look for labels that nobody here bought' }).seekLabels(sought);
    },
  };
  const charges: Compensation = {
    name: 'seekCharges',
    step: 'payment',
    skipped() {
      order.chargeLeft = true;
    },
    run: async () => {
      await steps.payments({ policy, summary: 'Look for charges that nobody here made' }).seekCharges(sought);
    },
  };
  const atLabel = order.wasHeld === 'shipping' || (order.heldAtLabel && patched('labels-after-a-later-hold'));
  return [...(helped || atLabel ? [labels] : []), charges];
}

/** A list of days takes its time. */
const READ_FOR_MS = 2 * 60 * 1_000;

function seekingPolicy({ input }: OrderState): StepPolicy {
  const { compensation } = input.policy;
  const { attemptTimeoutMs, budgetMs } = compensation;
  return { ...compensation, attemptTimeoutMs: Math.max(attemptTimeoutMs, Math.min(READ_FOR_MS, budgetMs)) };
}
