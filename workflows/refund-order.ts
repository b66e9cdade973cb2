import {
  CancellationScope,
  getExternalWorkflowHandle,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { RecordedDispute } from '../activities/refunds/record-dispute.ts';
import { debtWorkflowIdOf, workflowIdOf, type OrderId } from '../domain/ids.ts';
import { nextWaitMs } from '../domain/long-waits.ts';
import type { StepPolicy } from '../domain/policy.ts';
import type { Refund, RefundAnswer } from '../domain/refunds.ts';
import { paymentNotice } from './messages.ts';
import { debtChanged, paymentFound, type FollowPayment, type RefundOrder } from './refund-messages.ts';
import { createSteps } from './steps.ts';

/** Longest pause between two looks, but for the policy's long waits. */
const LONGEST_PAUSE_MS = 6 * 60 * 60 * 1_000;

/**
 * One refund that an operator asked for, whatever has become of the order's own workflow: reserves the amount in SQL,
 * asks the provider without end, and follows a refund that is on its way. It cannot be canceled, since nobody knows
 * whether the provider has the request; a run that was terminated goes on when the same request is repeated.
 */
export async function refundOrder(input: RefundOrder): Promise<RefundAnswer> {
  return CancellationScope.nonCancellable(() => runRefund(input));
}

async function runRefund({ refund, policy, taskQueues }: RefundOrder): Promise<RefundAnswer> {
  const { orderId, refundId } = refund;
  const steps = createSteps({ policy, taskQueues });
  const sql = steps.orders({ policy: unbounded(policy.steps.completion), summary: 'Reserve the amount' });
  const provider = (summary: string) => steps.payments({ policy: unbounded(policy.steps.payment), summary });
  show(`Refund of order ${orderId} for ${refund.actor}: ${refund.reason}`);
  const answer = await sql.requestRefund(refund);
  if (answer.status === 'refused') {
    show(`**refused** (${answer.code}): ${answer.reason}`);
    return answer;
  }
  showRefund(answer.refund);
  const { attemptTimeoutMs } = policy.steps.payment;
  let now = await provider('Refund the amount').refundPart({ orderId, refundId, attemptTimeoutMs });
  showRefund(now);
  const sinceMs = Date.now();
  for (let pauseMs = 4 * policy.actionPollMs; now.state === 'pending'; pauseMs *= 2) {
    const shortMs = Math.min(pauseMs, LONGEST_PAUSE_MS);
    await sleep(nextWaitMs(policy.longWaits, { shortMs, waitedMs: Date.now() - sinceMs }));
    const subject = { kind: 'refund', id: now.providerRefundId ?? '' } as const;
    now =
      (await provider('Look whether the refund has arrived').recordRefund({ subject, attemptTimeoutMs })) ??
      now;
    showRefund(now);
  }
  return { status: 'taken', refund: now };
}

/**
 * Asks the provider about a refund, a dispute or a late charge that it told of, and records what it says now: late,
 * repeated and overtaken notices change nothing. Once per notice; retried without end.
 */
export async function followPayment({ subject, policy, taskQueues }: FollowPayment): Promise<void> {
  const { attemptTimeoutMs } = policy.steps.payment;
  await CancellationScope.nonCancellable(async () => {
    const payments = createSteps({ policy, taskQueues }).payments({
      policy: unbounded(policy.steps.payment),
      summary: `Look up ${subject.kind} ${subject.id}`,
    });
    if (subject.kind === 'payment') {
      const { held } = await payments.recordCharge({ subject, attemptTimeoutMs });
      if (held) await tellHeld(held);
    } else if (subject.kind === 'dispute') {
      const recorded = await payments.recordDispute({ subject, attemptTimeoutMs });
      await tellDebt(recorded);
      await tellWaiting(recorded);
    } else await payments.recordRefund({ subject, attemptTimeoutMs });
  });
}

/** An order that waits for the dispute looks at once; its own next look does otherwise. */
async function tellWaiting(recorded: RecordedDispute | null): Promise<void> {
  if (!recorded?.waits) return;
  const { workflowId: eventId } = workflowInfo();
  try {
    await getExternalWorkflowHandle(workflowIdOf(recorded.waits)).signal(paymentNotice, { eventId });
  } catch {
    /* It has ended meanwhile. */
  }
}

/** A debt that waits for the dispute need not wait for its own next look. An answer from before debts is the state alone. */
async function tellDebt(recorded: RecordedDispute | null): Promise<void> {
  if (!recorded?.owed) return;
  const { orderId, n } = recorded.owed;
  try {
    await getExternalWorkflowHandle(debtWorkflowIdOf(orderId, n)).signal(debtChanged);
  } catch {
    /* It does not run at present: whoever starts it lets it look at once. */
  }
}

/** An order that is held goes on with the charge that was found. */
async function tellHeld(orderId: OrderId): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowIdOf(orderId)).signal(paymentFound);
  } catch {
    /* Its run is gone: whatever takes the order up finds the charge in SQL. */
  }
}

const unbounded = ({ budgetMs: _, ...policy }: StepPolicy) => policy;

const show = (text: string): void => setCurrentDetails(text);

const showRefund = ({ state, orderId, amount, reason, actor, failure, providerRefundId }: Refund): void =>
  show(
    [
      `**${state}**: ${amount.amountMinor} minor units ${amount.currency} of order ${orderId}`,
      ...(providerRefundId ? [`At the payment provider: ${providerRefundId}`] : []),
      ...(failure ? [`Failed: ${failure}`] : []),
      `Asked for by ${actor}: ${reason}`,
    ].join('\n\n'),
  );
