import { CancellationScope, condition } from '@temporalio/workflow';
import { givenAct } from '../../domain/given-act.ts';
import { inForce } from './decided-ahead.ts';
import type { Act } from '../../domain/order-run.ts';
import type { OrderContext } from './context.ts';
import { isAnothers, type OrderState } from './state.ts';
import type { ActView } from '../../domain/order.ts';

/** How long whoever acts waits for SQL; after that the act is told as pending. A run may have ten open updates. */
const ANSWER_WITHIN_MS = 1_000;
/** So many wait at a time; Temporal refuses the eleventh open update. */
const MAXIMUM_WAITERS = 4;

interface NamedAct {
  name: string;
  act: Act;
  id: string;
}

/** What is known of an act from now on; its answer and whoever asks for it by its id are told so. */
export function track({ acts }: Pick<OrderState, 'acts'>, { name, act, id }: NamedAct): ActView {
  const { fingerprint } = act;
  const view: ActView = {
    actId: id,
    name,
    state: 'pending',
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
  acts.set(id, view);
  return view;
}

/**
 * Has SQL keep an act that was accepted and has its effect here: a run that is lost must not lose it. One after the
 * other, so that the last one accepted is the newest, and after the note that was being written when it came, such as
 * that of the hold which it ends. Never onto an order that this run is none of. False in histories from before acts
 * were written down at once.
 */
export function writeAct(context: OrderContext, { name, act, id }: NamedAct): boolean {
  if (!inForce(context.order, 'acts-kept-at-once')) return false;
  const { order, orderId, steps, policyOf } = context;
  const view = order.acts.get(id) ?? track(order, { name, act, id });
  const { step, actsWritten: before } = order;
  const noted = context.lastNote();
  const { budgetMs: _, ...policy } = policyOf('notification');
  const given = givenAct(name, id, act);
  const write = async (): Promise<void> => {
    await before;
    await noted;
    await condition(() => order.recorded);
    if (isAnothers(order)) {
      Object.assign(view, { state: 'overtaken', reason: order.failure?.reason });
      return;
    }
    await steps.orders({ policy, summary: `Keep the act ${name}` }).recordAct({ orderId, step, ...given });
    if (view.state === 'pending') view.state = 'accepted';
  };
  order.actsWritten = CancellationScope.nonCancellable(write);
  context.background.push(order.actsWritten);
  return true;
}

/**
 * Waits a moment until more is known of an act than that it is pending. Not where many wait already, or where SQL has just
 * been waited for in vain: none may fill the run's updates up behind an SQL that is away.
 */
export async function untilKnown(order: OrderState, act: ActView): Promise<void> {
  const isKnown = () => act.state !== 'pending';
  if (isKnown() || order.waiters >= MAXIMUM_WAITERS || order.storeIsSlow?.()) return;
  order.waiters += 1;
  const known = await CancellationScope.nonCancellable(() => condition(isKnown, ANSWER_WITHIN_MS));
  order.waiters -= 1;
  if (!known) order.storeIsSlow = () => !isKnown();
}
