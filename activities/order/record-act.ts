import type { GivenAct } from '../../domain/given-act.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { StepName } from '../../domain/order.ts';
import type { ActivityDeps } from '../deps.ts';
import { takeAct } from './take-act.ts';
import { findOrder } from '../transition.ts';

export interface RecordAct extends GivenAct {
  orderId: OrderId;
  step: StepName;
}

/**
 * Writes an act down that the order's run has accepted, whatever its effect waits for: a run that is lost must not lose it.
 * Idempotent by the act: run twice, at the same time, late, after a reset or in a second run, an act that is on record
 * changes nothing. Killed anywhere, reply lost: all or nothing. Late after the order's end or once it is being taken back:
 * the row and the trail alone. Fails technically only (retried without end).
 * Writes: Acts, OrderActs, Orders, AuditLog, in one transaction; no event.
 */
export const createRecordAct =
  (deps: ActivityDeps) =>
  ({ orderId, step, ...act }: RecordAct): Promise<null> =>
    deps.store.transaction(async (tx) => {
      await takeAct(deps, tx, { order: await findOrder(tx, orderId), step, act });
      return null;
    });
