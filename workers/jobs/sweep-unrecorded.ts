import type { ListOrders, OrderSummary, OrderWorkflows, OrderRuns } from '../../ports/temporal.ts';
import { orderSubject } from '../../domain/audit.ts';
import type { OrderId } from '../../domain/ids.ts';
import { notedRunState } from '../../domain/recovery.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';
import { inTurns } from './in-turns.ts';
import type { UnrecordedOrder } from '../../ports/store/upkeep.ts';

const MINUTE = 60_000;
/** One page of Temporal's list comes within the 2 s that its caller waits, also on a busy machine. */
const PAGE = 250;
/** Pages of closed runs that one sweep goes on with: so it looks at all that Temporal keeps, a part at a time. */
const PATROL_PAGES = 4;

export interface UnrecordedDeps {
  store: Pick<Store, 'transaction' | 'read' | 'upkeep'>;
  workflows: Pick<OrderWorkflows, 'list'>;
  runs: OrderRuns;
  clock: Clock;
  /** Runs that started later are left for the next sweep. Default 2 min. */
  startedForMs?: number;
}

/** How far the patrol over closed runs has come; each process remembers its own. */
export interface Patrol {
  startedBeforeUtc?: string;
  pageToken?: Uint8Array;
}

type Scope = Pick<ListOrders, 'open' | 'closed' | 'status' | 'startedBeforeUtc'>;

/**
 * Finds runs of orders that SQL has no row of, and forgets those that it has one of by now. What SQL does not know is in
 * no list of orders and tells nobody: the run was terminated before SQL took it, cannot be recorded, or SQL lost its row.
 *
 * Looked at are all open runs, all closed ones that never got beyond `received`, and a part of the other closed ones,
 * another one each time: so one sweep is bounded, however many orders there were. Temporal's list comes late and is only
 * where to look; its own description and a second look into SQL decide. Run twice or at the same time: the same rows.
 */
export async function sweepUnrecorded(
  deps: UnrecordedDeps,
  patrol: Patrol = {},
): Promise<{ looked: number; found: number }> {
  const { clock, startedForMs = 2 * MINUTE } = deps;
  const startedBeforeUtc = new Date(Date.parse(clock.nowUtc()) - startedForMs).toISOString();
  const counts = { looked: 0, found: 0 };
  const look = async (scope: Scope, pageToken?: Uint8Array): Promise<Uint8Array | undefined> => {
    const page = await deps.workflows.list({ ...scope, pageSize: PAGE, ...(pageToken && { pageToken }) });
    counts.looked += page.orders.length;
    counts.found += await lookAt(deps, page.orders);
    return page.nextPageToken;
  };
  await forgetRecorded(deps);
  for (const scope of [{ open: true }, { closed: true, status: 'received' }] as const) {
    let token = await look({ ...scope, startedBeforeUtc });
    while (token) token = await look({ ...scope, startedBeforeUtc }, token);
  }
  for (let pages = 0; pages < PATROL_PAGES; pages += 1) {
    patrol.startedBeforeUtc ??= startedBeforeUtc;
    const scope = { closed: true, startedBeforeUtc: patrol.startedBeforeUtc };
    const next = await look(scope, patrol.pageToken);
    if (next) patrol.pageToken = next;
    else {
      delete patrol.pageToken;
      delete patrol.startedBeforeUtc;
      break;
    }
  }
  return counts;
}

async function lookAt(deps: UnrecordedDeps, orders: readonly OrderSummary[]): Promise<number> {
  if (orders.length === 0) return 0;
  const known = new Set(await deps.store.upkeep.recorded(orders.map(({ orderId }) => orderId)));
  const unknown = orders.filter(({ orderId }) => !known.has(orderId));
  const found = await inTurns(unknown, (order) => note(deps, order));
  return found.filter(Boolean).length;
}

/** False when SQL knows the order after all, or Temporal has forgotten its run meanwhile. */
async function note({ runs, store, clock }: UnrecordedDeps, order: OrderSummary): Promise<boolean> {
  const { orderId, status, startedAtUtc } = order;
  const last = await runs.last(orderId);
  if (!last) return false;
  const { runId, closedAs } = last;
  if (closedAs && (await isNoted(store, orderId, runId))) return false;
  const found: UnrecordedOrder = {
    orderId,
    runId,
    ...(closedAs ? { closedAs } : {}),
    status: last.orderStatus ?? status,
    startedAtUtc,
    foundAtUtc: clock.nowUtc(),
  };
  return store.transaction(async (tx) => {
    if ((await tx.orders.find(orderId)) || (await tx.orders.purged(orderId))) return false;
    const before = await tx.unrecordedOrders.find(orderId);
    await tx.unrecordedOrders.put(found);
    return before === undefined;
  });
}

/** An operator has taken note of it. */
async function isNoted({ read }: UnrecordedDeps['store'], id: OrderId, runId: string): Promise<boolean> {
  const rows = await read.audit(orderSubject(id));
  return rows.some((row) => row.to === notedRunState && row.runId === runId);
}

/** An order that Temporal has forgotten as well stays: nothing else remembers it. */
async function forgetRecorded({ store }: UnrecordedDeps): Promise<void> {
  for (let after = ''; ;) {
    const page = await store.read.unrecordedOrders({ after, limit: PAGE });
    const recorded = await store.upkeep.recorded(page.map(({ orderId }) => orderId));
    for (const id of recorded) await store.transaction((tx) => tx.unrecordedOrders.remove(id));
    const last: OrderId | undefined = page.at(-1)?.orderId;
    if (!last) return;
    after = last;
  }
}
