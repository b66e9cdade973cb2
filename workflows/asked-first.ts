import { patched } from '@temporalio/workflow';
import { isReset } from './kept-acts.ts';
import type { OrderState } from './order-state.ts';

/**
 * Whether a provider is asked what people have done there before a step takes effect: since the order was parked, or went
 * on in another run, a person may have helped it by hand. A fresh order asks nothing more than its step needs.
 */
export const askedFirst = ({ attended, recovered, input }: OrderState): { asked?: true } =>
  (attended || recovered || input.recovered || isReset()) && patched('ask-what-people-did')
    ? { asked: true }
    : {};
