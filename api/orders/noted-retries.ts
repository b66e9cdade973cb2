import type { NotedRetry, Retrying } from '../../domain/retries.ts';
import type { ApiCaller, AppDeps } from '../app-deps.ts';
import { within } from '../../ports/bounded.ts';
import type { OrderBody } from './order-body.ts';
import { toRetryingBody, goesByItself } from './retrying-body.ts';

const NOTES_TIMEOUT_MS = 200;

/** Most notes that a list is told with. */
const MAX_NOTES = 1_000;

/** Orders of a list, with what workers have noted of them: a list asks nobody about each order. */
export async function withNotedRetries(
  deps: AppDeps,
  caller: ApiCaller,
  orders: readonly OrderBody[],
): Promise<OrderBody[]> {
  if (!orders.some(goesByItself)) return [...orders];
  const nowUtc = deps.clock.nowUtc();
  const notes = await within(NOTES_TIMEOUT_MS, 'store', () =>
    deps.store.read.retries({ nowUtc, moreThan: 0, limit: MAX_NOTES }),
  ).catch((): NotedRetry[] => []);
  /* The most stubborn first. */
  const worst = new Map(notes.toReversed().map((note) => [note.orderId as string, note]));
  return orders.map((order) => {
    const note = goesByItself(order) ? worst.get(order.orderId) : undefined;
    const retrying = note && toRetryingBody(upcoming(note, nowUtc), caller);
    return retrying ? { ...order, retrying } : order;
  });
}

/** A time that has passed says nothing any more: the attempt is under way, or its provider is held up. */
function upcoming({ nextAttemptAtUtc, ...note }: NotedRetry, nowUtc: string): Retrying {
  return nextAttemptAtUtc > nowUtc ? { ...note, nextAttemptAtUtc } : note;
}
