import type { Refusal } from '../../domain/failures.ts';
import { formatAmount, type Money } from '../../domain/money.ts';
import { holdDefaults } from '../../domain/policy.ts';
import { askFromHereOn } from './asked-first.ts';
import { beginHold, endHold, holdExpired, waitInHold } from './hold.ts';
import type { OrderContext } from './context.ts';
import type { OrderState } from './state.ts';
import { wentFurther } from './recover.ts';
import type { Saga } from '../saga.ts';

/**
 * Waits for an operator where the policy asks for approval, before anything is charged; at the deadline the order ends.
 */
export async function awaitApproval(context: OrderContext, saga: Saga): Promise<void> {
  const { order } = context;
  const { hold, paymentBegun, approved } = order.recovered ?? {};
  /* What waited for approval in another run waits for it here, whatever this run's policy asks for. */
  const asked = hold?.status === 'awaiting_approval' ? hold.reason : undefined;
  const reason = needsApproval(order) ?? asked;
  if (!reason || paymentBegun || approved) return;
  const { status } = order;
  const refusal: Refusal = { type: 'ApprovalMissing', reason };
  order.step = 'payment';
  await saga.interruptible(async () => {
    await beginHold(context, { status: 'awaiting_approval', refusal, forMs: approvalMs(order) });
    await waitInHold(context, () => order.approval !== undefined);
  });
  const approval = order.approval ?? wentFurther(order);
  if (!approval) throw holdExpired(refusal, 'approved it');
  await saga.interruptible(() => endHold(context, approval, { status }));
  askFromHereOn(order);
}

const approvalMs = ({ input: { policy } }: OrderState): number =>
  policy.holdApprovalMs ?? holdDefaults.holdApprovalMs;

/** Why an operator has to look at the order first; undefined when nobody has to. */
function needsApproval({ input, total }: OrderState): string | undefined {
  const { approval } = input.policy;
  const { riskMark } = input.checkout;
  const limit = total && approval?.aboveMinor?.[total.currency];
  if (total && limit !== undefined && total.amountMinor > limit) {
    return `The total of ${text(total)} is above ${text({ ...total, amountMinor: limit })}: it needs approval.`;
  }
  return approval?.riskMarked && riskMark !== undefined
    ? `The shop marked the order as a risk (${riskMark}): it needs approval.`
    : undefined;
}

const text = (money: Money): string => `${formatAmount(money)} ${money.currency}`;
