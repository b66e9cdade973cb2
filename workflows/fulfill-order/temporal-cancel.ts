import { CancellationScope } from '@temporalio/workflow';
import { cancel } from './handlers.ts';
import { keep, mustWait } from './kept-acts.ts';
import { isoNow, type OrderContext } from './context.ts';
import { refuseCancelNow } from './state.ts';
import { checkCancel } from './stop-shipping.ts';

export const TEMPORAL = 'temporal';

/**
 * Temporal's own cancel (Web UI, CLI) has the effect of a customer's, also on a label that was not dispatched. It cannot
 * be refused: where that one would be, it is recorded and the order goes on.
 */
export function watchTemporalCancel(context: OrderContext): void {
  const { order } = context;
  const act = { actor: TEMPORAL, reason: "canceled by Temporal's own cancel" };
  const decide = (): string | undefined | Promise<string | undefined> => {
    const reason = refuseCancelNow(order);
    if (reason) return reason;
    return checkCancel(context)?.then((late) => late ?? cancel(order, act)) ?? cancel(order, act);
  };
  const refuse = (reason: string): void => {
    order.remarks.push(`Temporal's cancel came too late at ${isoNow()}: ${reason}`);
    const note = { actor: TEMPORAL, act: 'cancel', result: 'refused', reason };
    context.background.push(CancellationScope.nonCancellable(() => context.note('recordNote', note)));
  };
  CancellationScope.current().cancelRequested.catch(() => {
    if (mustWait(order)) {
      context.background.push(keep(context, { name: 'cancel', id: TEMPORAL, decide, refuse }));
      return;
    }
    const decided = decide();
    if (typeof decided === 'string') refuse(decided);
    else if (decided) context.background.push(decided.then((reason) => reason && refuse(reason)));
  });
}
