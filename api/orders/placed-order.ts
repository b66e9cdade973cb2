import { isEnded, type Checkout, type OrderStatus } from '../../domain/order.ts';
import { isSameRequest, type AskedRequest } from '../../domain/placed-request.ts';
import type { PlacedOrder } from '../../ports/store/orders.ts';
import type { AppDeps } from '../app-deps.ts';
import { within } from '../../ports/bounded.ts';
import { ApiProblem } from '../http/problems.ts';

/** Longest wait for SQL in a checkout, which depends on Temporal alone. */
export const ASK_STORE_MS = 200;

/** The order of that id as SQL has it: undefined where there is none, `unanswered` where SQL does not say in time. */
export type Placed = PlacedOrder | 'unanswered' | undefined;

export const placedOrder = ({ store }: Pick<AppDeps, 'store'>, id: Checkout['orderId']): Promise<Placed> =>
  within(ASK_STORE_MS, 'store', () => store.read.placed(id)).catch(() => 'unanswered' as const);

export const isKnown = (placed: Placed): placed is PlacedOrder =>
  placed !== undefined && placed !== 'unanswered';

/** Refuses a request whose key belongs to an order that was placed with another body, also long ago. */
export function refuseAnothers(placed: Placed, asked: AskedRequest): void {
  if (!isKnown(placed)) return;
  const changed = placed.acts.map(({ kind }) => kind);
  if (!isSameRequest(placed.order, changed, asked)) throw keyReused(asked.checkout.orderId);
}

export const keyReused = (id: Checkout['orderId']): ApiProblem =>
  new ApiProblem('idempotency-key-reused', {
    detail: `This Idempotency-Key belongs to order ${id}, which was placed with another body.`,
  });

export const hasEnded = (placed: Placed): boolean =>
  isKnown(placed) && isEnded(placed.order.status satisfies OrderStatus);
