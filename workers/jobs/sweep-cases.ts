import { openCase } from '../../activities/order/open-case.ts';
import { operationKeys, type OrderId } from '../../domain/ids.ts';
import { isEnded } from '../../domain/order.ts';
import {
  closedRunActivity,
  isStoreBehind,
  lackingIn,
  storeBehindText,
  withoutHistory,
  type RunEffects,
} from '../../domain/recovery.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OutboxBell } from '../../ports/locks.ts';
import type { LastRun, OrderRuns } from '../../ports/temporal.ts';
import type { Store, StoreTransaction } from '../../ports/store.ts';
import { inTurns } from './in-turns.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { OpenOrder } from '../../ports/store/upkeep.ts';

const SECOND = 1_000;
const PAGE = 200;

export interface SweepDeps {
  store: Pick<Store, 'transaction' | 'upkeep'>;
  runs: OrderRuns;
  bell: Pick<OutboxBell, 'ring'>;
  clock: Clock;
  /** Orders that were changed later are left for the next sweep. Default 30 s. */
  unchangedForMs?: number;
}

/**
 * Finds orders that are open in SQL while Temporal has closed their run (terminated, timed out, failed) or forgotten it,
 * and parks each as a case, once per run: row, audit row and order.parked.v1, which tells the help desk.
 *
 * A run that ends an order ends it in SQL before it closes. So an order that is still open after its run was seen
 * closed has lost it; what was changed between the two looks is left for the next sweep. Temporal's own description
 * is asked, not its list, which comes later. Where the run had come further than SQL, or its history holds a charge or a
 * label that SQL lacks, SQL is behind (a backup was put back): such a case says so and has no act. A case whose
 * run Temporal has forgotten, since it was found as well, says that what the run had accepted is not known. Run twice or at the same time: the second finds the case there.
 */
export async function sweepCases(deps: SweepDeps): Promise<{ looked: number; found: number }> {
  const { store, clock, unchangedForMs = 30 * SECOND } = deps;
  const updatedBeforeUtc = new Date(Date.parse(clock.nowUtc()) - unchangedForMs).toISOString();
  const counts = { looked: 0, found: 0 };
  for (let after: OpenOrder | undefined; ;) {
    const page = await store.upkeep.openOrders({ updatedBeforeUtc, limit: PAGE, ...(after && { after }) });
    const found = await inTurns(page, (order) => lookAt(deps, order));
    counts.looked += page.length;
    counts.found += found.filter(Boolean).length;
    after = page.at(-1);
    if (!after) return counts;
  }
}

async function lookAt(deps: SweepDeps, order: OpenOrder): Promise<boolean> {
  const run = await deps.runs.last(order.orderId);
  if (run && !run.closedAs) return false;
  return open(deps, order, { run, effects: run && (await effectsOf(deps, order, run)) });
}

/** Of a run that was looked at before nothing is read again. */
async function effectsOf(
  { store, runs }: SweepDeps,
  { orderId }: OpenOrder,
  { runId }: LastRun,
): Promise<RunEffects | undefined> {
  const key = operationKeys.openCase(orderId, runId);
  const known = await store.transaction((tx) => tx.operations.find(key));
  return known?.outcome ? undefined : runs.effects(orderId, runId);
}

/** False when the order has ended, was changed since it was seen, or is a case already. */
async function open(
  deps: SweepDeps,
  seen: OpenOrder,
  { run, effects }: { run: LastRun | undefined; effects: RunEffects | undefined },
): Promise<boolean> {
  const { orderId } = seen;
  const opened = await deps.store.transaction(async (tx) => {
    const order = await tx.orders.find(orderId);
    if (!order || isEnded(order.status) || order.updatedAtUtc !== seen.updatedAtUtc) return false;
    const runId = run?.runId ?? order.runId;
    const lacking = effects && (await lackingOf(tx, orderId, effects));
    const behind = run && (isStoreBehind(order.status, run) || lacking !== undefined);
    const nowUtc = deps.clock.nowUtc();
    const found = await openCase(tx, order, {
      actor: 'sweep',
      runId,
      failure: behind ? behindText(order, run, lacking) : failureOf(runId, run),
      ...(behind ? { behind } : {}),
      nowUtc,
    });
    if (!found && !run) await tellForgotten(tx, order, nowUtc);
    return found;
  });
  if (opened) deps.bell.ring();
  return opened;
}

const failureOf = (runId: string, run: LastRun | undefined): string =>
  run?.closedAs
    ? `Temporal closed run ${runId} (${run.closedAs}) while the order was open; nothing was taken back`
    : `Temporal no longer knows run ${runId} of the order, which is open: ${withoutHistory}`;

/** The case was found while Temporal still knew the run; whoever acts on it now has to know what is missing. */
async function tellForgotten(tx: StoreTransaction, order: OrderRow, nowUtc: string): Promise<void> {
  const { orderId, detail } = order;
  const { parked } = detail;
  if (parked?.activity !== closedRunActivity || parked.failure.endsWith(withoutHistory)) return;
  const failure = `${parked.failure}; ${withoutHistory}`;
  await tx.orders.update({
    orderId,
    detail: { ...detail, parked: { ...parked, failure } },
    updatedAtUtc: nowUtc,
  });
}

const lackingOf = async (tx: StoreTransaction, orderId: OrderId, effects: RunEffects) =>
  lackingIn(
    { payments: await tx.payments.list(orderId), shipments: await tx.shipments.list(orderId) },
    effects,
  );

function behindText(
  { status }: OrderRow,
  { runId, closedAs, orderStatus = status }: LastRun,
  lacking: string | undefined,
): string {
  const came = lacking
    ? `${lacking}, of which SQL knows nothing`
    : `had come to ${orderStatus}, SQL only to ${status}`;
  return `${storeBehindText}: run ${runId} (${closedAs}) ${came}; act on nothing before it is mended`;
}
