import type { FailureType } from '../../domain/failures.ts';
import { orderId as toOrderId, type OrderId } from '../../domain/ids.ts';
import { isEnded, type OrderView } from '../../domain/order.ts';
import type { ApiCaller, AppDeps } from '../app-deps.ts';
import { within } from '../../ports/bounded.ts';
import { maySee } from '../http/callers.ts';
import { withoutPersonalData } from '../operations/erase-customer.ts';
import { fromSummary, fromView, type OrderBody } from './order-body.ts';
import { isOrderId } from './order-identity.ts';
import { TemporalUnavailable } from '../../ports/temporal.ts';
import { ApiProblem } from '../http/problems.ts';

/** Longest wait for one read of the store. */
export const STORE_TIMEOUT_MS = 500;

interface OwnedOrder {
  callerId: string;
  body: OrderBody;
}

type Reading = OwnedOrder | undefined | 'unavailable';

export const unknownOrder = (id: string): ApiProblem =>
  new ApiProblem('unknown-order', {
    detail: `There is no order ${JSON.stringify(id.slice(0, 64).toWellFormed())}.`,
  });

/** The path's order id; 404 when it cannot be one. */
export function readOrderId(text: string | undefined): OrderId {
  if (text === undefined || !isOrderId(text)) throw unknownOrder(text ?? '');
  return toOrderId(text);
}

/**
 * The order as it is now: its workflow (300 ms), else SQL (500 ms), else Temporal's own description (500 ms). One that has
 * ended: SQL, which erasure reaches.
 * 404 when it is unknown or another caller's; 503 when nobody who could know it answers.
 */
export async function readOrder(deps: AppDeps, caller: ApiCaller, id: OrderId): Promise<OrderBody> {
  let silent = false;
  for (const read of [fromWorkflow, fromStore, fromTemporal]) {
    const reading = await read(deps, id);
    if (reading === 'unavailable') silent = true;
    else if (reading) {
      if (!maySee(caller, reading.callerId)) throw unknownOrder(id);
      return reading.body;
    }
  }
  if (!silent) throw unknownOrder(id);
  throw new ApiProblem('temporal-unavailable', {
    detail: 'Neither the workflow, the store nor Temporal could say whether this order exists.',
  });
}

/** 404 unless the caller may see the order; the cheapest source that knows it decides. */
export async function requireOrder(deps: AppDeps, caller: ApiCaller, id: OrderId): Promise<void> {
  const owner = async (read: typeof fromStore) => {
    const reading = await read(deps, id);
    return reading === 'unavailable' ? undefined : reading?.callerId;
  };
  const callerId = await owner(fromStore);
  if (callerId === undefined) await readOrder(deps, caller, id);
  else if (!maySee(caller, callerId)) throw unknownOrder(id);
}

/**
 * The store has an order that has ended: a run goes on telling of personal data that was erased since, and one that found
 * its order ended, as after a reset, knows no more than that. While the store does not answer, what could have been erased
 * is left out. Acts that wait are known to the run alone.
 * Nothing is told of a run that was started for another request; it may be one as long as it has no price.
 */
async function fromWorkflow(deps: AppDeps, id: OrderId): Promise<Reading> {
  try {
    const view = await deps.workflows.query(id);
    if (!view || view.failure?.type === anothers) return undefined;
    const own = (body: OrderView, source: 'workflow' | 'store'): Reading => ({
      callerId: view.callerId,
      body: fromView(body, source),
    });
    const unsure = view.status === 'received' && !view.total;
    if (!isEnded(view.status) && !unsure) return own(view, 'workflow');
    const stored = await storedView(deps, id);
    if (!stored || stored === 'unavailable')
      return own(unsure ? view : withoutPersonalData(view), 'workflow');
    /* Nothing of an order is erased before SQL knows that it has ended. */
    if (!unsure && !isEnded(stored.status)) return own(view, 'workflow');
    const { pending, cancelRequested } = view;
    const taken = unsure && cancelRequested ? { cancelRequested } : {};
    return own({ ...stored, ...(pending ? { pending } : {}), ...taken }, 'store');
  } catch (error) {
    return silence(error);
  }
}

/** Failure of a run that was started for another request than the order's; nothing of it is shown. */
const anothers: FailureType = 'KeyReused';

async function fromStore(deps: AppDeps, id: OrderId): Promise<Reading> {
  const view = await storedView(deps, id);
  return view === 'unavailable' ? view : view && { callerId: view.callerId, body: fromView(view, 'store') };
}

async function storedView(deps: AppDeps, id: OrderId): Promise<OrderView | undefined | 'unavailable'> {
  try {
    return await within(STORE_TIMEOUT_MS, 'store', () => deps.store.read.order(id));
  } catch (error) {
    deps.logger.warn({ err: error, orderId: id }, 'The store did not answer; the order is read elsewhere');
    return 'unavailable';
  }
}

async function fromTemporal(deps: AppDeps, id: OrderId): Promise<Reading> {
  try {
    const summary = await deps.workflows.describe(id);
    if (summary?.failureType === anothers) return undefined;
    return summary && { callerId: summary.memo.callerId, body: fromSummary(summary) };
  } catch (error) {
    return silence(error);
  }
}

function silence(error: unknown): 'unavailable' {
  if (error instanceof TemporalUnavailable) return 'unavailable';
  throw error;
}
