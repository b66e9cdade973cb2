import { operationKeys } from '../../domain/ids.ts';
import { isEnded } from '../../domain/order.ts';
import type { MoneyAct } from '../../domain/money-act.ts';
import { decimalAmount, formatAmount, type Money } from '../../domain/money.ts';
import { owedInAll, owedOf } from '../../domain/owed.ts';
import { leftToRefund, refundStates, type RefundState } from '../../domain/refunds.ts';
import type { EventFacts } from '../../domain/events.ts';
import type { ProviderDispute, ProviderRefund } from '../../ports/payment-gateway.ts';
import type { RefundRow } from '../../ports/refunds.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import { writeCustomerMail } from '../mail/customer-mail.ts';
import type { ActivityDeps } from '../deps.ts';
import { moneyActOf } from '../order/order-place.ts';
import { writeTransition } from '../transition.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { PaymentRow } from '../../ports/store/money.ts';

/** A payment with what the provider says went back from it. */
export interface RefundedPayment {
  order: OrderRow;
  payment: PaymentRow;
  refunds: readonly ProviderRefund[];
}

/**
 * Brings SQL to what the provider says about a payment's refunds: rows, the payment's state, one audit row and event
 * for each change. Whoever comes first records it: the operator's refund, the compensation or a notice. A refund only
 * goes forward (requested, pending, refunded, failed), so that an older look never overwrites a newer one.
 * Returns the rows of these refunds, oldest first.
 */
export async function recordRefunds(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, payment, refunds }: RefundedPayment,
): Promise<RefundRow[]> {
  const rows = await tx.refunds.list(order.orderId);
  const recorded: RefundRow[] = [];
  for (const refund of refunds.toReversed()) {
    const before = rowOf(rows, payment, refund);
    const after = advanced(deps, { payment, before, refund });
    if (!after) continue;
    if (after !== before) await writeRefund(deps, tx, { order, payment, before, after });
    recorded.push(after);
  }
  return recorded;
}

const ownKey = ({ orderId, refundId, n }: Pick<RefundRow, 'orderId' | 'refundId' | 'n'>): string =>
  refundId === compensationId(n)
    ? operationKeys.refundLeft(orderId, n)
    : operationKeys.refundOrder(orderId, refundId);

export const compensationId = (n: number): string => `compensation-${n}`;

/** The row of a provider's refund: by its id, or the one that waits for it under its key. */
const rowOf = (
  rows: readonly RefundRow[],
  payment: PaymentRow,
  { refundId, operationKey }: ProviderRefund,
): RefundRow | undefined =>
  rows.find(({ providerRefundId }) => providerRefundId === refundId) ??
  rows.find((row) => row.n === payment.n && !row.providerRefundId && ownKey(row) === operationKey);

const stateOf: Record<ProviderRefund['status'], RefundState> = {
  pending: 'pending',
  succeeded: 'refunded',
  failed: 'failed',
};

/** The row as it has to be now; undefined for a refund that failed before anybody here had heard of it. */
function advanced(
  { clock }: ActivityDeps,
  { payment, before, refund }: { payment: PaymentRow; before: RefundRow | undefined; refund: ProviderRefund },
): RefundRow | undefined {
  const state = stateOf[refund.status];
  if (!before) return state === 'failed' ? undefined : newRow(clock.nowUtc(), { payment, refund });
  const known = before.providerRefundId !== undefined;
  const forward = refundStates.indexOf(state) > refundStates.indexOf(before.state);
  if (!forward && (known || state === 'failed')) return before;
  const { failure: _, ...rest } = before;
  return {
    ...rest,
    state,
    /* A debt may have become less: a lost dispute, or another refund, has given a part. */
    amount: before.state === 'owed' ? refund.amount : before.amount,
    settledAtUtc: clock.nowUtc(),
    /* One that failed at once was never on its way. */
    ...(known || state !== 'failed' ? { providerRefundId: refund.refundId } : {}),
    ...(state === 'failed' ? { failure: refund.failure ?? 'The refund failed.' } : {}),
  };
}

/** A refund that nobody asked for here: the compensation's, or one made at the provider's own desk. */
function newRow(
  nowUtc: string,
  { payment, refund }: { payment: PaymentRow; refund: ProviderRefund },
): RefundRow {
  const { orderId, n } = payment;
  const compensating = refund.operationKey === operationKeys.refundLeft(orderId, n);
  return {
    orderId,
    refundId: compensating ? compensationId(n) : refund.refundId,
    n,
    state: stateOf[refund.status],
    amount: refund.amount,
    reason: compensating ? 'compensation' : 'Refunded at the payment provider',
    actor: compensating ? 'saga' : 'provider',
    requestedAtUtc: nowUtc,
    settledAtUtc: nowUtc,
    providerRefundId: refund.refundId,
    fingerprint: '',
    keyNumber: 1,
  };
}

/**
 * Records that the compensation's refund of a payment is owed, in the transaction that lets the order go on without it.
 * Once: a row that is there already, whatever became of it, stays; one that failed is owed again.
 */
export async function writeDebt(
  deps: ActivityDeps,
  tx: StoreTransaction,
  debt: Pick<RefundedPayment, 'order' | 'payment'> & {
    left: { amount: Money };
    disputes: readonly Pick<ProviderDispute, 'disputeId' | 'state' | 'dueByUtc'>[];
  },
): Promise<void> {
  const { order: ofOrder, payment, left, disputes } = debt;
  const { orderId, n } = payment;
  const refundId = compensationId(n);
  const before = (await tx.refunds.list(orderId)).find((row) => row.refundId === refundId);
  if (before && before.state !== 'failed') return;
  const after: RefundRow = {
    orderId,
    refundId,
    n,
    state: 'owed',
    amount: left.amount,
    reason: 'compensation',
    actor: 'saga',
    requestedAtUtc: deps.clock.nowUtc(),
    fingerprint: '',
    keyNumber: 1,
  };
  const dispute = disputes.find(({ state }) => state === 'open');
  await writeRefund(deps, tx, { order: ofOrder, payment, before, after, ...(dispute ? { dispute } : {}) });
}

/** Ends a debt without a refund: nothing of it is left to give back, or the provider never will. */
export async function endDebt(
  deps: ActivityDeps,
  tx: StoreTransaction,
  debt: Pick<RefundedPayment, 'order' | 'payment'> & { row: RefundRow; failure?: string },
): Promise<void> {
  const { order: ofOrder, payment, row, failure } = debt;
  const after: RefundRow = {
    ...row,
    state: failure ? 'failed' : 'canceled',
    settledAtUtc: deps.clock.nowUtc(),
    ...(failure ? { failure } : {}),
  };
  await writeRefund(deps, tx, { order: ofOrder, payment, before: row, after });
}

interface RefundChange {
  order: OrderRow;
  payment: PaymentRow;
  before: RefundRow | undefined;
  after: RefundRow;
  /** Of a debt: what it waits for. */
  dispute?: Pick<ProviderDispute, 'disputeId' | 'dueByUtc'>;
}

/** Writes one change of a refund: its row, what is left of the payment, audit row and event. */
export async function writeRefund(
  deps: ActivityDeps,
  tx: StoreTransaction,
  change: RefundChange,
): Promise<void> {
  const { order: ofOrder, payment, before, after } = change;
  await tx.refunds.put(after);
  const left = await writePayment(tx, payment, after);
  const failed = after.state === 'failed';
  const event = eventOf(change, {
    owed: failed ? await owedNow(tx, ofOrder) : undefined,
    ...(failed ? { moneyAct: await moneyActOf(deps, tx, ofOrder) } : {}),
  });
  await writeTransition(tx, {
    order: ofOrder,
    actor: after.actor,
    step: 'payment',
    aside: true,
    from: before ? auditState[before.state] : payment.state,
    to: auditState[after.state],
    reason: reasonOf(change, left),
    ...(event ? { event } : {}),
    nowUtc: deps.clock.nowUtc(),
  });
  if (event?.type === 'payment.refunded.v1' && !isToldByEnd(change)) {
    const mail = { template: 'money-refunded', amount: after.amount } as const;
    await writeCustomerMail(tx, { order: ofOrder, mail, nowUtc: deps.clock.nowUtc() });
  }
}

/** The mail about the order's end tells of what the compensation has refunded. */
const isToldByEnd = ({ order: { status }, after }: RefundChange): boolean =>
  after.refundId === compensationId(after.n) && !isEnded(status);

/** Words of the audit trail. */
const auditState: Record<RefundState, string> = {
  owed: 'refund_owed',
  requested: 'refund_requested',
  pending: 'refund_pending',
  refunded: 'refunded',
  failed: 'refund_failed',
  canceled: 'refund_canceled',
  paid_otherwise: 'refund_paid_otherwise',
};

/** The payment is refunded when nothing of it is left; returns what is. */
async function writePayment(tx: StoreTransaction, payment: PaymentRow, after: RefundRow): Promise<Money> {
  const { orderId, n, amount } = payment;
  const refunds = (await tx.refunds.list(orderId)).filter((refund) => refund.n === n);
  const settled = refunds.filter(({ state }) => state !== 'requested' && state !== 'owed');
  const keptMinor = leftToRefund({ charged: amount, refunds: settled, disputes: [] });
  const { refundId: last, ...rest } = (await tx.payments.find({ orderId, n })) ?? payment;
  const refundId = after.providerRefundId ?? last;
  await tx.payments.put({
    ...(payment.intentId ? { intentId: payment.intentId } : {}),
    ...rest,
    state: keptMinor === 0 ? 'refunded' : 'charged',
    ...(refundId ? { refundId } : {}),
  });
  return { ...amount, amountMinor: leftToRefund({ charged: amount, refunds, disputes: [] }) };
}

/** What the order owes its customer, all in all: a refund that failed may have been made good by another, or by a bank. */
async function owedNow(tx: StoreTransaction, { orderId, status }: OrderRow): Promise<Money | undefined> {
  const payments = await tx.payments.list(orderId);
  const refunds = await tx.refunds.list(orderId);
  const disputes = await tx.disputes.list(orderId);
  return owedInAll(owedOf({ status, payments, refunds, disputes }));
}

function eventOf(
  { payment, before, after, dispute }: RefundChange,
  { owed, moneyAct }: { owed: Money | undefined; moneyAct?: MoneyAct },
): EventFacts | undefined {
  if (after.state === 'owed') {
    return {
      type: 'refund.owed.v1',
      details: {
        paymentId: payment.intentId ?? '',
        refundId: after.refundId,
        amount: decimalAmount(after.amount),
        disputeId: dispute?.disputeId ?? null,
        respondByUtc: dispute?.dueByUtc ?? null,
      },
    };
  }
  const ids = { paymentId: payment.intentId ?? '', refundId: after.providerRefundId ?? after.refundId };
  if (after.state === 'failed') {
    const amount = decimalAmount(after.amount);
    const details = { ...ids, amount, reason: after.failure ?? '', owed: owed ? decimalAmount(owed) : 0 };
    return { type: 'refund.failed.v1', details: { ...details, ...(moneyAct ? { moneyAct } : {}) } };
  }
  const given = after.state === 'pending' || after.state === 'refunded';
  if (!given || before?.providerRefundId) return undefined;
  return {
    type: 'payment.refunded.v1',
    details: { ...ids, refundedAmount: decimalAmount(after.amount) },
  };
}

const shown = (money: Money): string => `${formatAmount(money)} ${money.currency}`;

const reasonOf = ({ after, dispute }: RefundChange, left: Money): string => {
  const { state, amount, reason, failure } = after;
  if (state === 'owed') {
    return `${shown(amount)} are owed until ${dispute ? `dispute ${dispute.disputeId}` : 'the dispute'} is over: ${reason}`;
  }
  if (state === 'canceled') return `${shown(amount)}, nothing of it is left to give back: ${reason}`;
  return failure
    ? `${shown(amount)} did not go back (${failure}); ${shown(left)} of the charge are left: ${reason}`
    : `${shown(amount)}, ${shown(left)} of the charge are left: ${reason}`;
};
