import { CancellationScope, patched } from '@temporalio/workflow';
import type { Act } from './messages.ts';
import type { OrderContext } from './order-context.ts';
import type { OrderState } from './order-state.ts';

/** An act that was accepted and whose audit row is still to be written. */
export interface AcceptedAct {
  /** Name of its update and signal. */
  name: string;
  act: Act;
  /** Names it for good, in every run that hears of it. */
  id: string;
}

/** The act's id, for the step that numbers what it gives. Histories from before acts were numbered in SQL have none. */
export function nameOf(order: OrderState, act: Act): { actId?: string } {
  const actId = order.accepted.find((one) => one.act === act)?.id;
  return actId !== undefined && patched('acts-numbered-in-sql') ? { actId } : {};
}

/** The act has its audit row. */
export function recorded(order: OrderState, act: Act): void {
  order.accepted = order.accepted.filter((one) => one.act !== act);
}

/**
 * Writes down acts that were accepted and then came to nothing, since something else accepted at the same moment went
 * first: so every accepted act has its audit row, whatever interrupts meanwhile.
 */
export async function noteOvertaken(
  context: OrderContext,
  { which, why }: { which(act: AcceptedAct): boolean; why: string },
): Promise<void> {
  const { order } = context;
  const late = order.accepted.filter(which);
  if (late.length === 0 || !patched('overtaken-acts')) return;
  for (const { name, act } of late) {
    const reason = `${why}: ${act.reason}`.slice(0, 500);
    const note = { actor: act.actor, act: name, result: 'overtaken', reason };
    await CancellationScope.nonCancellable(() => context.note('recordNote', note));
    recorded(order, act);
  }
}
