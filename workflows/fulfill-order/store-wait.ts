import { sleep } from '@temporalio/workflow';
import { nextWaitMs } from '../../domain/long-waits.ts';
import { providerOf } from '../../domain/providers.ts';
import { failureTypeOf } from '../failures.ts';
import { isoNow, type OrderContext } from './context.ts';
import { heldUpSinceMs } from './provider-wait.ts';
import type { Parking } from '../saga.ts';

/**
 * A budget that ended because SQL did not answer says nothing about the order, and nothing could tell people of a
 * parking: it is renewed, after a pause that grows with the time waited, and nobody has to resolve thousands of orders
 * after an outage. True when the step is tried again. What SQL answers parks as ever. The pause ends by a cancel.
 */
export async function waitForStore(
  { order, publish }: OrderContext,
  { activity, error }: Parking,
): Promise<boolean> {
  const { waitForStore: waits, longWaits } = order.input.policy;
  if (!waits || !isUnanswered(activity, failureTypeOf(error))) return false;
  if (order.heldUp?.activity !== activity) {
    order.remarks.push(`SQL had not answered ${activity} by ${isoNow()}; the order goes on by itself.`);
    publish();
  }
  const waitedMs = Date.now() - heldUpSinceMs(order, activity);
  const pauseMs = nextWaitMs(longWaits, { shortMs: 0, waitedMs });
  if (pauseMs > 0) await sleep(pauseMs, { summary: 'Wait for SQL, which does not answer' });
  return true;
}

/** A step that only touches SQL and gave no answer at all had none from SQL either. */
const isUnanswered = (activity: string, failureType: string): boolean =>
  failureType === 'StoreUnavailable' ||
  (failureType === 'TimeoutFailure' && providerOf(activity) === undefined);
