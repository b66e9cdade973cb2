import { patched } from '@temporalio/workflow';
import type { StepPolicy } from '../domain/policy.ts';
import { isReset } from './kept-acts.ts';
import type { OrderContext } from './order-context.ts';
import type { OrderState } from './order-state.ts';
import type { Compensation } from './saga.ts';

/**
 * Whether a provider is asked what people have done there before a step takes effect: since the order was parked, or went
 * on in another run, a person may have helped it by hand. A fresh order asks nothing more than its step needs.
 */
export const askedFirst = (
  order: OrderState,
  patch: 'ask-what-people-did' | 'ask-what-people-charged',
): { asked?: true } => (mayHaveHelped(order) && patched(patch) ? { asked: true } : {});

const mayHaveHelped = ({ attended, recovered, input }: OrderState): boolean =>
  attended === true || recovered !== undefined || input.recovered !== undefined || isReset();

/**
 * What is left to ask when an order has been taken back: whether people have charged or bought a label for it, which none of
 * its own compensations know. Also of an order that is canceled while it is, or was, held: somebody may have taken the
 * payment by phone. What is found parks the order and is looked at again by itself; a person may leave it as it is.
 */
export function seekStrangers(context: OrderContext): Compensation[] {
  const { order } = context;
  const helped = mayHaveHelped(order);
  const canceled = order.cancelRequested !== undefined && order.wasHeld !== undefined;
  if (!order.recorded || order.pivotPassed || !(helped || canceled)) return [];
  if (!patched('ask-when-taken-back')) return [];
  const shipping = helped || order.wasHeld === 'shipping';
  return [...(shipping ? [seekLabels(context)] : []), seekCharges(context)];
}

/** A list of days takes its time. */
const READ_FOR_MS = 2 * 60 * 1_000;

const seekingPolicy = ({ order: { input } }: OrderContext): StepPolicy => {
  const { compensation } = input.policy;
  const { attemptTimeoutMs, budgetMs } = compensation;
  return { ...compensation, attemptTimeoutMs: Math.max(attemptTimeoutMs, Math.min(READ_FOR_MS, budgetMs)) };
};

const seekCharges = (context: OrderContext): Compensation => {
  const policy = seekingPolicy(context);
  const { attemptTimeoutMs } = policy;
  const { orderId, steps } = context;
  return {
    name: 'seekCharges',
    step: 'payment',
    skippable: true,
    run: async () => {
      await steps
        .payments({ policy, summary: 'Look for charges that nobody here made' })
        .seekCharges({ orderId, attemptTimeoutMs });
    },
  };
};

const seekLabels = (context: OrderContext): Compensation => {
  const policy = seekingPolicy(context);
  const { attemptTimeoutMs } = policy;
  const { orderId, steps } = context;
  return {
    name: 'seekLabels',
    step: 'shipping',
    skippable: true,
    run: async () => {
      await steps
        .carrier({ policy, summary: 'Look for labels that nobody here bought' })
        .seekLabels({ orderId, attemptTimeoutMs });
    },
  };
};
