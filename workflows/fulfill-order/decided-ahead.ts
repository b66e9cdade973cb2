import { patched } from '@temporalio/workflow';
import type { OrderState } from './state.ts';

/** Changes of the workflow that are met behind local activities. */
type Change =
  | 'acts-kept-at-once'
  | 'address-corrected-meanwhile'
  | 'address-rules'
  | 'ask-what-people-charged'
  | 'ask-what-people-did'
  | 'overtaken-acts'
  | 'parked-compensation-recovers'
  | 'taken-back-in-order'
  | 'void-without-the-carrier';

/**
 * Decides that those changes are in force, from here on in this run. Called where an event leads (the run's start, an
 * act), or before a local activity, since a patch must not be decided right behind one: where a query is answered in the
 * moment in which it ends, its marker closes a workflow task and the patch's stands in the next one; a replay then knows
 * the first and not yet the second, decides otherwise, and the order stands still. The marker is read by
 * adapters/temporal/accepted-acts.ts as well.
 */
export function decideAhead(order: OrderState): void {
  order.decidedAhead ||= patched('decided-ahead');
}

/** Whether a change is in force. Histories that have decided nothing ahead decide each change where it is met. */
export const inForce = ({ decidedAhead, afterReset }: OrderState, change: Change): boolean =>
  decidedAhead || afterReset || patched(change);
