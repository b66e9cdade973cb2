import {
  CancellationScope,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { DebtStanding } from '../activities/refunds/settle-debt.ts';
import { formatAmount } from '../domain/money.ts';
import { debtChanged, type SettleDebt } from './refund-messages.ts';
import { createSteps } from './steps.ts';

const LONGEST_PAUSE_MS = 24 * 60 * 60 * 1_000;
/** Looks of one run: some 1,300 events, and three months when nobody tells of anything. */
const LOOKS = 100;

/**
 * Owns what an order that was taken back owes to its customer while the bank holds the charge: looks when it is told that
 * the dispute has changed, and seldom otherwise, until the debt is settled. It cannot be canceled; one that was terminated
 * is started again by the workers' sweep, and finds in SQL how far it had come.
 */
export async function settleDebt(input: SettleDebt): Promise<DebtStanding> {
  return CancellationScope.nonCancellable(() => follow(input));
}

async function follow(input: SettleDebt): Promise<DebtStanding> {
  const { orderId, n, policy, taskQueues } = input;
  const { budgetMs: _, ...unbounded } = policy.steps.payment;
  const { attemptTimeoutMs } = unbounded;
  const payments = createSteps({ policy, taskQueues }).payments({
    policy: unbounded,
    summary: 'Settle the debt, or see what it waits for',
  });
  let told = false;
  setHandler(debtChanged, () => {
    told = true;
  });
  let pauseMs = input.pauseMs ?? 4 * policy.actionPollMs;
  for (let look = 1; ; look += 1) {
    told = false;
    const standing = await payments.settleDebt({ orderId, n, attemptTimeoutMs });
    show(input, standing);
    if (standing.state !== 'owed') return standing;
    await condition(() => told, pauseMs);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    if (look === LOOKS) await continueAsNew<typeof settleDebt>({ ...input, pauseMs });
  }
}

function show({ orderId, n }: SettleDebt, { state, amount, sinceUtc, failure, dispute }: DebtStanding): void {
  const due = dispute?.dueByUtc ? `; the bank can be answered until ${dispute.dueByUtc}` : '';
  setCurrentDetails(
    [
      `**${state}**: ${formatAmount(amount)} ${amount.currency} of order ${orderId}, payment ${n}, since ${sinceUtc}`,
      ...(dispute ? [`Waits for the end of dispute ${dispute.disputeId}${due}`] : []),
      ...(failure ? [`Failed: ${failure}`] : []),
    ].join('\n\n'),
  );
}
