import { CancellationScope, patched } from '@temporalio/workflow';
import type { Act } from './messages.ts';
import type { OrderContext } from './order-context.ts';
import type { OrderState } from './order-state.ts';

/** An act that was accepted and whose audit row is still to be written. */
export interface AcceptedAct {
  /** Name of its update and signal. */
  name: string;
  act: Act;
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
