import type { OrderId } from '../../domain/ids.ts';
import { isEnded } from '../../domain/order.ts';
import type { AppDeps } from '../app-deps.ts';
import { within } from '../../ports/bounded.ts';
import { ASK_STORE_MS } from './placed-order.ts';
import { ApiProblem } from '../http/problems.ts';
import { type DescribedRun, isLost, mayStartAgain, unrecordedText } from '../../domain/lost-run.ts';

/** What happens next with an order that has no audit row (a purged one has none either), where nothing does by itself. */
export async function nextOfUnrecorded(
  { workflows }: Pick<AppDeps, 'workflows'>,
  id: OrderId,
): Promise<{ next?: string }> {
  const run = await workflows.describe(id);
  if (run?.closedAs && isEnded(run.status)) return { next: 'Nothing more: the order has ended.' };
  if (!run || !mayStartAgain(run)) return {};
  return {
    next: 'The order was stopped before it was taken in: nothing was set aside or charged. Our staff start it again or cancel it.',
  };
}

/**
 * Refuses a repeated checkout whose order will not go on by itself: its run was closed before SQL knew the order, or the
 * order had ended so long ago that it was purged. As far as SQL says so in time; else the order stands as it was taken.
 */
export async function refuseUsedUp(
  { store }: Pick<AppDeps, 'store'>,
  id: OrderId,
  run: DescribedRun & { failureType?: string | undefined },
): Promise<void> {
  const over = run.failureType === 'OrderClosed' || run.failureType === 'KeyReused';
  if (!over && !isLost(run)) return;
  const known = await within(ASK_STORE_MS, 'store', () => store.read.order(id)).catch(() => 'unavailable');
  if (known) return;
  throw over
    ? new ApiProblem('order-closed', {
        detail: `This Idempotency-Key belongs to order ${id}, which ended long ago; a new order needs a new key.`,
        code: 'order_closed',
      })
    : new ApiProblem('run-lost', {
        detail: `Order ${id}: ${unrecordedText(run)}. An operator restarts it (POST /cases/${id}/restart).`,
        code: 'run_lost',
      });
}
