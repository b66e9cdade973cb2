import type { Checkout, OrderStatus } from '../../domain/order.ts';
import type { ApiCaller, AppDeps } from '../app-deps.ts';
import { pause, unlessAborted } from '../../ports/bounded.ts';
import type { OrderBody } from './order-body.ts';
import { ApiProblem } from '../http/problems.ts';
import { readOrder } from './read-order.ts';

const FIRST_INTERVAL_MS = 40;
const LAST_INTERVAL_MS = 250;

/** Statuses in which nothing about the money is open any more or a person is asked. */
const decided: ReadonlySet<OrderStatus> = new Set<OrderStatus>([
  'payment_processed',
  'fulfillment_created',
  'shipment_generated',
  'completed',
  'payment_failed',
  'payment_action_required',
  'address_rejected',
  'awaiting_approval',
  'payment_disputed',
  'cancelled',
  'failed',
]);

/**
 * The order once payment is processed or it is held or has ended; undefined when the seconds pass, the client hangs
 * up or the server drains. Looks by the same path as GET /orders/{id}, first after 40 ms, then up to every 250 ms.
 */
export async function waitForDecision(
  deps: AppDeps,
  input: { caller: ApiCaller; checkout: Checkout; seconds: number; client: AbortSignal },
): Promise<OrderBody | undefined> {
  const deadline = AbortSignal.timeout(input.seconds * 1_000);
  const stop = AbortSignal.any([deadline, deps.draining, input.client]);
  for (let interval = FIRST_INTERVAL_MS; await pause(interval, stop); interval = next(interval)) {
    const order = await unlessAborted(stop, readWhenPossible(deps, input));
    if (order && decided.has(order.status)) return order;
  }
  return undefined;
}

const next = (interval: number): number => Math.min(LAST_INTERVAL_MS, interval * 1.5);

/** Temporal may go away while a client waits; the order does not, so waiting goes on. */
async function readWhenPossible(
  deps: AppDeps,
  { caller, checkout }: { caller: ApiCaller; checkout: Checkout },
): Promise<OrderBody | undefined> {
  try {
    return await readOrder(deps, caller, checkout.orderId);
  } catch (error) {
    if (error instanceof ApiProblem) return undefined;
    throw error;
  }
}
