/* Entry of the workflow bundle: every exported function is a workflow type. */
export { fulfillOrder } from './fulfill-order.ts';
export { replayDeadLetters } from './replay-dead-letters.ts';
