import type { EventFacts } from '../../domain/events.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { MoneyAct } from '../../domain/money-act.ts';
import { decimalAmount, formatAmount, sumMinor } from '../../domain/money.ts';
import type { Dispute, DisputeState } from '../../domain/refunds.ts';
import type { ProviderDispute } from '../../ports/payment-gateway.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { knownThere } from './late-news.ts';
import { inOrder, type RecordPayment } from './refund-order.ts';
import { moneyActOf } from '../order/order-place.ts';
import { writeTransition } from '../transition.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { PaymentRow } from '../../ports/store/money.ts';

/** What a dispute has come to, and the debt that its end lets settle. */
export interface RecordedDispute {
  state: DisputeState;
  owed?: { orderId: OrderId; n: number };
  /** The order that is not shipped while it is open. */
  waits?: OrderId;
}

/**
 * Looks up a dispute at the provider and records what it says now; while it is open, and after it was lost, the order is
 * not refunded. null for one of no order here.
 * Idempotent: a dispute only goes forward (inquiry, open, then won or lost), so late looks change nothing. Fails
 * technically only.
 * Writes: Disputes, AuditLog, OutboxMessages(payment.disputed.v1, dispute.closed.v1), in one transaction.
 */
export const createRecordDispute =
  (deps: ActivityDeps) =>
  async ({ subject, attemptTimeoutMs }: RecordPayment): Promise<RecordedDispute | null> => {
    const ask = deps.payments.findDispute({ disputeId: subject.id, timeoutMs: attemptTimeoutMs * 0.9 });
    const found = await knownThere(deps, subject, ask);
    if (!found) return null;
    const news = { ...found, kind: 'dispute' as const, id: found.disputeId };
    const recorded = await inOrder(deps, news, async (tx, of) => {
      const state = await writeDispute(deps, tx, { ...of, found });
      const { orderId, n } = of.payment;
      const owed = (await tx.refunds.list(orderId)).some((row) => row.n === n && row.state === 'owed');
      const waits = of.order.status === 'payment_disputed';
      return {
        state,
        ...(owed && isClosed(state) ? { owed: { orderId, n } } : {}),
        ...(waits ? { waits: orderId } : {}),
      };
    });
    return recorded ?? null;
  };

/** Brings SQL to what the provider says about a payment's disputes (newest first): each once, whoever comes first. */
export async function recordDisputes(
  deps: ActivityDeps,
  tx: StoreTransaction,
  {
    order,
    payment,
    disputes,
  }: { order: OrderRow; payment: PaymentRow; disputes: readonly ProviderDispute[] },
): Promise<void> {
  for (const found of disputes.toReversed()) await writeDispute(deps, tx, { order, payment, found });
}

const rank: Record<DisputeState, number> = { inquiry: 0, open: 1, won: 2, lost: 2 };
const isClosed = (state: DisputeState): boolean => rank[state] === 2;

async function writeDispute(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, payment, found }: { order: OrderRow; payment: PaymentRow; found: ProviderDispute },
): Promise<DisputeState> {
  const before = (await tx.disputes.list(order.orderId)).find((one) => one.disputeId === found.disputeId);
  if (before && (before.state === found.state || rank[found.state] < rank[before.state])) return before.state;
  /* Heard of when it was over: that it was opened is told all the same. */
  const states = before || !isClosed(found.state) ? [found.state] : (['open', found.state] as const);
  let last = before;
  for (const state of states)
    last = await writeState(deps, tx, { order, payment, found, before: last, state });
  return found.state;
}

interface DisputeChange {
  order: OrderRow;
  payment: PaymentRow;
  found: ProviderDispute;
  before: Dispute | undefined;
  state: DisputeState;
}

async function writeState(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, payment, found, before, state }: DisputeChange,
): Promise<Dispute> {
  const { clock } = deps;
  const { disputeId, amount, reason } = found;
  const dispute: Dispute = {
    orderId: order.orderId,
    disputeId,
    n: payment.n,
    state,
    amount,
    reason,
    openedAtUtc: before?.openedAtUtc ?? found.createdAtUtc,
    updatedAtUtc: clock.nowUtc(),
    ...(found.dueByUtc ? { dueByUtc: found.dueByUtc } : {}),
  };
  await tx.disputes.put(dispute);
  const refundedAmount = await refundedOf(tx, payment);
  const moneyAct = await moneyActOf(deps, tx, order);
  await writeTransition(tx, {
    order,
    actor: 'provider',
    step: 'payment',
    aside: true,
    from: before ? `dispute_${before.state}` : payment.state,
    to: `dispute_${state}`,
    reason: `${disputeId}, ${formatAmount(amount)} ${amount.currency}, the bank says: ${reason}`,
    event: eventOf({ dispute, before, payment, refundedAmount, moneyAct }),
    nowUtc: clock.nowUtc(),
  });
  return dispute;
}

/** What of the payment has gone back, as a decimal. */
async function refundedOf(tx: StoreTransaction, { orderId, n, amount }: PaymentRow): Promise<number> {
  const refunds = await tx.refunds.list(orderId);
  const back = refunds.filter((refund) => refund.n === n && refund.state === 'refunded');
  const amountMinor = sumMinor(back.map((refund) => refund.amount.amountMinor));
  return decimalAmount({ ...amount, amountMinor });
}

function eventOf({
  dispute: { disputeId, state, amount, reason },
  before,
  payment: { intentId = '' },
  refundedAmount,
  moneyAct,
}: {
  dispute: Dispute;
  before: Dispute | undefined;
  payment: PaymentRow;
  refundedAmount: number;
  moneyAct: MoneyAct;
}): EventFacts {
  const disputedAmount = decimalAmount(amount);
  const facts = { paymentId: intentId, disputeId, disputedAmount, reason, refundedAmount, moneyAct };
  return isClosed(state)
    ? {
        type: 'dispute.closed.v1',
        details: { ...facts, outcome: state, inquiry: before?.state === 'inquiry' },
      }
    : { type: 'payment.disputed.v1', details: { ...facts, refundable: state === 'inquiry' } };
}
