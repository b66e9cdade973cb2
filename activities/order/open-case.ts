import { operationKeys, workflowIdOf } from '../../domain/ids.ts';
import { closedRunActivity, notedRunActivity, storeBehind } from '../../domain/recovery.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import { writeTransition } from '../transition.ts';
import type { OrderRow } from '../../ports/store/orders.ts';

export interface FoundCase {
  actor: string;
  /** The run that it is told of, once. */
  runId: string;
  /** What happened, for people. */
  failure: string;
  /** SQL knows less of the order than its run did: no act is safe on it. */
  behind?: boolean;
  nowUtc: string;
}

/**
 * Parks an open order that has lost its run as a case, in the caller's transaction, which holds the order's lock: row,
 * audit row and order.parked.v1, which tells the help desk. Once per run: false where it is there already.
 */
export async function openCase(
  tx: StoreTransaction,
  order: OrderRow,
  { actor, runId, failure, behind, nowUtc }: FoundCase,
): Promise<boolean> {
  const { orderId, step, detail, sagaState } = order;
  const key = operationKeys.openCase(orderId, runId);
  const { outcome } = await tx.operations.begin({ key, orderId, step: 'case' });
  if (outcome && [closedRunActivity, notedRunActivity].includes(detail.parked?.activity ?? '')) return false;
  const parked = {
    step,
    activity: closedRunActivity,
    failure,
    ...(behind ? { failureType: storeBehind } : {}),
    budgets: 0,
    sinceUtc: nowUtc,
    actions: [],
  };
  await writeTransition(tx, {
    order,
    actor,
    step,
    run: { workflowId: workflowIdOf(orderId), runId },
    sagaState: 'parked',
    detail: { ...detail, parked },
    from: sagaState,
    to: 'parked',
    reason: failure,
    event: {
      type: 'order.parked.v1',
      details: { step, activity: closedRunActivity, failure, budgets: 0 },
    },
    nowUtc,
  });
  await tx.operations.finish({ key, outcome: { done: null } });
  return true;
}
