import { CancellationScope, patched } from '@temporalio/workflow';
import type { ActView } from '../../domain/order.ts';
import { inForce } from './decided-ahead.ts';
import type { Act } from '../../domain/order-run.ts';
import type { OrderContext } from './context.ts';
import type { OrderState, AcceptedAct } from './state.ts';

/**
 * The act's id, for the note that tells what came of it and numbers what it `gives`. Histories from before acts were
 * written down at once name those alone that give something, and earlier ones none.
 */
export function nameOf(order: OrderState, act: Act, gives: boolean): { actId?: string } {
  const one = order.accepted.find((accepted) => accepted.act === act);
  if (!one) return {};
  return one.written || (gives && patched('acts-numbered-in-sql')) ? { actId: one.id } : {};
}

/** An act has its row before anything tells what came of it, and what it gives is numbered in the order of acceptance. */
export async function untilWritten(
  { accepted, actsWritten, recorded: known }: OrderState,
  act: Act,
): Promise<void> {
  /* Before SQL knows the order its notes wait as well. */
  if (!known) return;
  if (accepted.some((one) => one.act === act && one.written)) await actsWritten;
}

/** What is told of an accepted act; undefined once it is recorded, and in earlier histories. */
export const actViewOf = ({ accepted, acts }: OrderState, act: Act): ActView | undefined =>
  acts.get(accepted.find((one) => one.act === act)?.id ?? '');

/** The act has its effect, and its audit row. */
export function recorded(order: OrderState, act: Act): void {
  const view = actViewOf(order, act);
  if (view?.state === 'accepted') view.state = 'done';
  order.accepted = order.accepted.filter((one) => one.act !== act);
}

/**
 * Writes down acts that were accepted and then came to nothing, since something else accepted at the same moment went
 * first: so every accepted act has its audit row, whatever interrupts meanwhile.
 */
export async function noteSuperseded(
  context: OrderContext,
  { which, why }: { which(act: AcceptedAct): boolean; why: string },
): Promise<void> {
  const { order } = context;
  const late = order.accepted.filter(which);
  if (late.length === 0 || !inForce(order, 'overtaken-acts')) return;
  for (const { name, act } of late) {
    const reason = `${why}: ${act.reason}`.slice(0, 500);
    await untilWritten(order, act);
    const note = { actor: act.actor, act: name, result: 'overtaken', reason, ...nameOf(order, act, false) };
    await CancellationScope.nonCancellable(() => context.note('recordNote', note));
    supersede(order, act, reason);
    recorded(order, act);
  }
}

function supersede(order: OrderState, act: Act, reason: string): void {
  const view = actViewOf(order, act);
  if (view) Object.assign(view, { state: 'overtaken', reason });
}
