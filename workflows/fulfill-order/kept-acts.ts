import { CancellationScope, condition, patched } from '@temporalio/workflow';
import type { RecoveredOrder } from '../../domain/recovery.ts';
import { goOnAs, wentFurther } from './recover.ts';
import type { OrderContext } from './context.ts';
import { isReset, wentOnAfterReset, type KeptAct, type OrderState, type Standing } from './state.ts';

/** How long whoever acts waits until it is judged, before the moment in which it is written (write-acts.ts). */
const JUDGED_WITHIN_MS = 500;

/** Another run may have taken steps of the order that this one has not come to. */
export const isBegunElsewhere = (order: OrderState): boolean =>
  wentOnAfterReset(order) || order.recovered !== undefined;

/**
 * Whether acts wait for SQL here: a run that follows another one does not know how far the order had come. A first run
 * does, so that a cancel is accepted at any time, also while SQL is away. After a reset every act asks anew; a run that
 * was started again is told by recordOrder.
 */
export const followsAnother = ({ input, recorded }: OrderState): boolean =>
  isReset() || (input.recovered !== undefined && !recorded);

/** The same for an act that has come; histories from before acts were kept have decided it at once. */
export const mustWait = (order: OrderState): boolean => followsAnother(order) && patched('acts-wait-for-sql');

/** Keeps an act until SQL has answered. The promise ends when it is decided, and else after a moment. */
export async function keep(context: OrderContext, kept: KeptAct): Promise<void> {
  const { order } = context;
  order.kept.push(kept);
  if (order.recorded && !order.askingSql) context.background.push(askSql(context));
  await CancellationScope.nonCancellable(() => condition(() => kept.settled !== undefined, JUDGED_WITHIN_MS));
}

/** Retried without end: until it is answered, nobody can say whether the act comes too late. */
async function askSql(context: OrderContext): Promise<void> {
  const { order } = context;
  order.askingSql = true;
  while (order.kept.length > 0) {
    const standing = await readStanding(context);
    decideKeptActs(context, standing);
    goOnAs(order, standing);
  }
  order.askingSql = false;
}

function readStanding({ orderId, steps, policyOf }: OrderContext): Promise<RecoveredOrder> {
  const { budgetMs: _, ...policy } = policyOf('notification');
  const question = { policy, summary: 'Ask where the order stands by what is on record' };
  return CancellationScope.nonCancellable(() => steps.orders(question).readStanding({ orderId }));
}

/**
 * Whether another run has gone on from the hold whose deadline has come: nobody takes an order back for a hold that only
 * a reset has brought it back into.
 */
export async function overElsewhere(context: OrderContext): Promise<boolean> {
  const { order } = context;
  if (!isReset() || !patched('deadline-asks-sql')) return false;
  goOnAs(order, await readStanding(context));
  if (order.stop) throw order.stop;
  return wentFurther(order) !== undefined;
}

/** Decides what was kept, in its order. `takenUp`: the run itself begins from where SQL says the order stands. */
export function decideKeptActs(
  { order, background }: OrderContext,
  standing: Standing & Pick<RecoveredOrder, 'acts'>,
  takenUp = false,
): void {
  for (const kept of order.kept.splice(0)) {
    const decided = decide(order, kept, { standing, takenUp });
    if (decided instanceof Promise) background.push(decided.then((reason) => settle(kept, reason)));
    else settle(kept, decided);
  }
}

/**
 * An act that is on record with its number was accepted before: a run that begins from there has its effect already, and
 * one that was reset to a later point is led along by it once more, under the same number.
 */
function decide(
  order: OrderState,
  kept: KeptAct,
  { standing, takenUp }: { standing: Standing & Pick<RecoveredOrder, 'acts'>; takenUp: boolean },
): string | undefined | Promise<string | undefined> {
  const onRecord = standing.acts?.includes(kept.id) ?? false;
  if (onRecord && takenUp) {
    kept.taken?.();
    return undefined;
  }
  if (onRecord) return kept.decide();
  order.standing = standing;
  try {
    return kept.decide();
  } finally {
    delete order.standing;
  }
}

function settle(kept: KeptAct, reason: string | undefined): void {
  kept.settled = reason === undefined ? {} : { reason };
  if (reason !== undefined) kept.refuse(reason);
}
