import { orderSubject } from '../../domain/audit.ts';
import { workflowIdOf, type OrderId } from '../../domain/ids.ts';
import { isEnded } from '../../domain/order.ts';
import { closedRunActivity, notedRunActivity, notedRunState, storeBehind } from '../../domain/recovery.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { AppDeps } from '../app-deps.ts';
import { ApiProblem } from '../http/problems.ts';
import { storeUnavailable } from '../http/read-store.ts';

export interface TakenNote {
  orderId: OrderId;
  actor: string;
  reason: string;
  /** Only looks whether there is such a case. */
  dryRun?: true | undefined;
}

/** What an act on a case takes. */
export const refusedCase = (id: OrderId, reason: string): ApiProblem =>
  new ApiProblem('act-refused', { detail: `Order ${id}: ${reason}.`, code: 'act_refused' });

/**
 * Takes note of a case on which no other act is safe: it leaves the list, the gauge and the alert, and an audit row says
 * who looked and why. Nothing else is changed, so that mending SQL finds the order as it is. Run twice: the second finds
 * no such case.
 */
export async function takeNote(deps: AppDeps, note: TakenNote): Promise<void> {
  const nowUtc = deps.clock.nowUtc();
  const noted = await deps.store
    .transaction(async (tx) => (await noteBehind(tx, note, nowUtc)) ?? noteUnrecorded(tx, note, nowUtc))
    .catch((error: unknown) => {
      throw storeUnavailable(deps, error);
    });
  if (!noted)
    throw refusedCase(note.orderId, 'there is no such case; GET /cases lists them with what can be done');
}

/** Undefined where SQL has no row of the order; false where its case has other acts, or is none. */
async function noteBehind(
  tx: StoreTransaction,
  note: TakenNote,
  nowUtc: string,
): Promise<boolean | undefined> {
  const order = await tx.orders.find(note.orderId);
  if (!order) return undefined;
  const { parked } = order.detail;
  const behind = parked?.activity === closedRunActivity && parked.failureType === storeBehind;
  if (!parked || !behind || isEnded(order.status)) return false;
  if (note.dryRun) return true;
  await audit(tx, note, { runId: order.runId, nowUtc, step: order.step });
  const detail = { ...order.detail, parked: { ...parked, activity: notedRunActivity } };
  await tx.orders.update({ orderId: order.orderId, detail, updatedAtUtc: nowUtc });
  return true;
}

async function noteUnrecorded(tx: StoreTransaction, note: TakenNote, nowUtc: string): Promise<boolean> {
  const found = await tx.unrecordedOrders.find(note.orderId);
  if (!found?.closedAs) return false;
  if (note.dryRun) return true;
  await audit(tx, note, { runId: found.runId, nowUtc, step: 'receive' });
  return tx.unrecordedOrders.remove(note.orderId);
}

const audit = (
  tx: StoreTransaction,
  { orderId, actor, reason }: TakenNote,
  { runId, nowUtc, step }: { runId: string; nowUtc: string; step: string },
): Promise<unknown> =>
  tx.audit.append({
    subject: orderSubject(orderId),
    actor,
    step,
    from: 'case',
    to: notedRunState,
    reason,
    causingEventId: '',
    workflowId: workflowIdOf(orderId),
    runId,
    occurredAtUtc: nowUtc,
  });
