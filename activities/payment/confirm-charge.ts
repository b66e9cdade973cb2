import { formatAmount, type Money } from '../../domain/money.ts';
import type { PaymentAnswer, ProviderDispute } from '../../ports/payment-gateway.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { ActivityDeps } from '../deps.ts';
import type { PaymentProcessed } from './payment-facts.ts';

/** A charge that somebody has made, with what the provider says of it, or why it is not taken as the order's. */
export type ConfirmedCharge =
  { charge: PaymentProcessed; disputes: ProviderDispute[] } | { objection: string };

/** Requests of `confirmCharge` at most, beside the look at the payment itself. */
export const confirmingRequests = 2;

/**
 * Everything that the provider says of a charge against the order: it is charged with the order's total in its currency,
 * carries the order's id (or is stored as the order's), nothing of it was refunded, and no bank holds it or has given it
 * back. A bank that only asks has taken nothing. Whether it is another order's is SQL's to say, when it is recorded.
 */
export async function confirmCharge(
  { payments }: ActivityDeps,
  {
    order,
    known,
    stored,
    timeoutMs,
  }: {
    order: OrderRow;
    known: PaymentAnswer;
    /** A row of the order has it already. */
    stored: boolean;
    timeoutMs(): number;
  },
): Promise<ConfirmedCharge> {
  const { orderId, total } = order;
  const { intentId } = known;
  if (known.status !== 'charged')
    return { objection: `Payment ${intentId} is ${known.status} at the provider; expected charged.` };
  if (!stored && known.orderId !== orderId) {
    const says = known.orderId ?? 'nothing';
    return { objection: `Payment ${intentId} says about its order: ${says}; expected orderId ${orderId}.` };
  }
  const { amount } = known;
  if (amount.amountMinor !== total?.amountMinor || amount.currency !== total.currency)
    return { objection: `Payment ${intentId} charged ${text(amount)}; expected ${text(total)}.` };
  const refund = (await payments.refunds({ intentId, timeoutMs: timeoutMs() })).find(
    ({ status }) => status !== 'failed',
  );
  if (refund) return { objection: `Payment ${intentId} was refunded (${refund.refundId}).` };
  const disputes = await payments.disputes({ intentId, timeoutMs: timeoutMs() });
  const dispute = disputes.find(({ state }) => state === 'lost' || state === 'open');
  if (!dispute) return { charge: { intentId, amount }, disputes };
  const { disputeId, state } = dispute;
  const means = state === 'lost' ? 'the bank has given the money back' : 'the bank holds the money';
  return { objection: `Payment ${intentId} is disputed (${disputeId}, ${state}): ${means}.` };
}

const text = (money: Money | undefined): string =>
  money ? `${formatAmount(money)} ${money.currency}` : 'nothing, the order has no total';
