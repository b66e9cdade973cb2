import { ApplicationFailure } from '@temporalio/workflow';
import type { Refusal } from '../../domain/failures.ts';
import { nextWaitMs } from '../../domain/long-waits.ts';
import { holdDefaults } from '../../domain/policy.ts';
import type { DisputeState } from '../../domain/refunds.ts';
import { askFromHereOn } from './asked-first.ts';
import { beginHold, endHold, holdExpired, waitInHold } from './hold.ts';
import { classifyFailure } from '../failures.ts';
import type { OrderContext } from './context.ts';
import { wentFurther } from './recover.ts';
import type { Saga } from '../saga.ts';

/**
 * Keeps an order from shipping while its customer's bank has its money. Won, or no more than an inquiry: it goes on; lost,
 * or at the deadline: it is taken back. A corrected address ends the hold as well: the carrier looks at it first.
 */
export async function holdDispute(context: OrderContext, saga: Saga, refusal: Refusal): Promise<void> {
  const { order } = context;
  const { status, addressVersion } = order;
  const forMs = order.input.policy.holdDisputeMs ?? holdDefaults.holdDisputeMs;
  order.paymentNoticed = false;
  await saga.interruptible(() => beginHold(context, { status: 'payment_disputed', refusal, forMs }));
  const answer = await followDispute(context, saga, { refusal, addressVersion });
  const { disputeId = '' } = refusal.details ?? {};
  if (answer === 'deadline') throw holdExpired(refusal, 'settled the dispute');
  if (answer === 'lost') throw lost(refusal, disputeId);
  const decided = answer === 'won' ? 'was won' : 'is no more than an inquiry';
  const act =
    answer === 'address' || answer === 'elsewhere'
      ? (order.addressAct ?? wentFurther(order))
      : { actor: 'provider', reason: `the dispute ${disputeId} ${decided}` };
  if (!act) return;
  await saga.interruptible(() => endHold(context, act, { status }));
  askFromHereOn(order);
}

const lost = ({ type }: Refusal, disputeId: string): ApplicationFailure =>
  ApplicationFailure.create({
    type,
    nonRetryable: true,
    message: `Dispute ${disputeId} was lost: the customer's bank has given the money back.`,
  });

/**
 * Looks the dispute up at the provider: when its end was noticed, and by itself at growing intervals. `addressVersion` is
 * the refused label's: an address that comes while the hold is being recorded is a correction as well.
 */
async function followDispute(
  context: OrderContext,
  saga: Saga,
  { refusal, addressVersion }: { refusal: Refusal; addressVersion: number },
): Promise<'won' | 'inquiry' | 'lost' | 'address' | 'elsewhere' | 'deadline'> {
  const { order } = context;
  const { longWaits, actionPollMs } = order.input.policy;
  const sinceMs = Date.now();
  for (let shortMs = 4 * actionPollMs; ; shortMs = Math.min(2 * shortMs, MAXIMUM_POLL_MS)) {
    const pollMs = nextWaitMs(longWaits, { shortMs, waitedMs: Date.now() - sinceMs });
    const mended = await saga.interruptible(() =>
      waitInHold(
        context,
        () => order.paymentNoticed || order.addressVersion !== addressVersion,
        Math.min(pollMs, MAXIMUM_POLL_MS),
      ),
    );
    if (order.addressVersion !== addressVersion) return 'address';
    if (wentFurther(order)) return 'elsewhere';
    if (mended === false) return 'deadline';
    order.paymentNoticed = false;
    const state = await lookUp(context, saga, refusal.details?.['disputeId'] ?? '');
    if (state && state !== 'open') return state;
  }
}

/** A dispute takes weeks: a minute after the hold, by default, then ever more rarely. */
const MAXIMUM_POLL_MS = 6 * 60 * 60 * 1_000;

/** Undefined where the provider cannot be asked now: the next look does. */
async function lookUp(
  { steps, policyOf }: OrderContext,
  saga: Saga,
  id: string,
): Promise<DisputeState | undefined> {
  const policy = policyOf('payment');
  const { attemptTimeoutMs } = policy;
  const subject = { kind: 'dispute', id } as const;
  try {
    const recorded = await saga.interruptible(() =>
      steps
        .payments({ policy, summary: `Look up dispute ${id}` })
        .recordDispute({ subject, attemptTimeoutMs }),
    );
    return recorded?.state;
  } catch (error) {
    if (classifyFailure(error) !== 'technical') throw error;
    return undefined;
  }
}
