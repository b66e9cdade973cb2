import type { OrderId } from '../domain/ids.ts';
import { isEnded, type OrderStatus } from '../domain/order.ts';
import type { AppDeps } from './app-deps.ts';
import { within } from './bounded.ts';
import { ASK_STORE_MS } from './placed-order.ts';
import { ApiProblem } from './problems.ts';

/** How a run closes that has not come to its order's end. */
const lost = new Set(['TERMINATED', 'TIMED_OUT', 'FAILED']);

/** A run as Temporal describes it. */
interface DescribedRun {
  closedAs?: string | undefined;
  /** The order's status as the run shows it: beyond `received` something was reserved, and later charged. */
  status?: OrderStatus | undefined;
}

/** The run has closed without having come to its order's end. */
export const isLost = ({ closedAs }: DescribedRun): boolean => closedAs !== undefined && lost.has(closedAs);

/** Acts that are safe on an order that SQL has no row of: only where nothing was done for it yet. */
export const mayStartAgain = (run: DescribedRun): boolean => isLost(run) && run.status === 'received';

/** What became of an order that SQL has no row of, for operators. */
export function unrecordedText({ closedAs, status }: DescribedRun): string {
  const how = closedAs ? `Temporal closed its run (${closedAs})` : 'Its run is open';
  if (status !== 'received') {
    return `${how}, which had come to ${status}, and SQL has no row of it: SQL is behind; act on nothing before it is back`;
  }
  return closedAs
    ? `${how} before SQL had taken it; nothing was reserved or charged`
    : `${how} and SQL has not taken it; nothing is reserved or charged, and it goes on by itself once SQL takes it`;
}

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
