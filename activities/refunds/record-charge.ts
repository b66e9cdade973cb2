import { operationKeys, type OrderId } from '../../domain/ids.ts';
import { isEnded } from '../../domain/order.ts';
import { formatAmount, sumMinor } from '../../domain/money.ts';
import type { Dispute } from '../../domain/refunds.ts';
import type { PaymentAnswer, ProviderRefund } from '../../ports/payment-gateway.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import { closeIntent, mayCharge } from '../payment/close-intent.ts';
import type { ActivityDeps } from '../deps.ts';
import { writeHelpDeskMail } from '../mail/help-desk-mail.ts';
import { knownThere, tellUnknownCharge } from './late-news.ts';
import { inProgress, requestTimes } from '../operation.ts';
import type { PaymentProcessed } from '../payment/payment-facts.ts';
import type { RecordPayment } from './refund-order.ts';
import { takeBackPayment, takingBackRequests, writeTakenBack } from './refund-payment.ts';
import { findOrder, writeTransition } from '../transition.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { PaymentRow } from '../../ports/store/money.ts';

/** What became of a charge that the provider told of; `held`: the order that waits for it and has to be told. */
export interface RecordedCharge {
  result: 'nothing' | 'known' | 'adopted' | 'refunded' | 'owed' | 'told';
  held?: OrderId;
}

type Charge = Extract<PaymentAnswer, { status: 'charged' }> & { orderId: OrderId };

/** What SQL makes of the charge: nothing is left to do, other intents are closed first, or it goes back. */
type Decision = RecordedCharge | { close: PaymentRow[] } | { refund: PaymentRow; disputes: Dispute[] };

/**
 * Settles a charge that came when no attempt of its order was waiting for it: the customer has confirmed a declined or
 * forgotten intent in another tab, or the run that confirmed it is gone. An order that is open, unpaid and at its payment
 * takes it, also where a part of it was refunded at the provider meanwhile, and the first to be recorded where there are
 * several; of every other order, in whatever state, it is refunded in full.
 * Idempotent by the intent: run twice, at the same time, killed anywhere or with a lost reply, it finds what was recorded,
 * and the refund goes by the compensation's own key `refund-<orderId>-<n>`. Waits for attempts of the order's own that are
 * under way, and leaves to a walk back what that has yet to take back. An intent that SQL does not know is touched by
 * nobody: the help desk is told of it, as of a charge that goes back.
 * A held order is signalled by the caller. One that is parked at payment is not, and need not be: its operation has the
 * charge for its answer, so the operator's retry finds it, a mark-done is answered with it, and a cancel refunds it.
 * What a dispute holds is owed, as by the compensation; the debt's own run settles it. Stopped for longer than its time:
 * nothing more is sent, the next attempt looks anew. Fails technically only (retried without end).
 * Writes: Payments, Operations, Orders, Refunds, Disputes, AuditLog, OutboxMessages(payment.processed.v1; payment.refunded.v1;
 * payment.disputed.v1; refund.owed.v1), in one transaction.
 */
export const createRecordCharge =
  (deps: ActivityDeps) =>
  async ({ subject, attemptTimeoutMs }: RecordPayment): Promise<RecordedCharge> => {
    const intentId = subject.id;
    const requests = 2 + takingBackRequests;
    const timeoutMs = requestTimes(deps, { key: `charge ${intentId}`, attemptTimeoutMs, requests });
    const ask = deps.payments.retrieve({ intentId, timeoutMs: timeoutMs() });
    const now = await knownThere(deps, subject, ask);
    if (now?.status !== 'charged' || now.orderId === undefined) return { result: 'nothing' };
    const charge: Charge = { ...now, orderId: now.orderId };
    const refunds = await deps.payments.refunds({ intentId, timeoutMs: timeoutMs() });
    const decision = await deps.store.transaction((tx) => decide(deps, tx, { charge, refunds }));
    deps.bell.ring();
    if ('result' in decision) return decision;
    if ('close' in decision) {
      const charged: string[] = [];
      for (const payment of decision.close) {
        const left = await closeIntent(deps, { payment, intentId: payment.intentId ?? '', timeoutMs });
        if (left.status === 'charged') charged.push(left.intentId);
      }
      const again = await deps.store.transaction(async (tx) => {
        await findOrder(tx, charge.orderId);
        for (const payment of decision.close) await markCanceled(tx, payment, charged);
        return decide(deps, tx, { charge, refunds, charged });
      });
      if ('result' in again) {
        /* They have notices of their own; this is for one that does not come (any more). */
        for (const id of charged)
          await createRecordCharge(deps)({ subject: { ...subject, id }, attemptTimeoutMs });
        return again;
      }
      throw inProgress({
        key: operationKeys.refundPayment(charge.orderId),
        orderId: charge.orderId,
        step: 'payment',
      });
    }
    const { refund: payment, disputes } = decision;
    const taken = await takeBackPayment(deps, { payment, intentId, disputes, timeoutMs });
    await deps.store.transaction(async (tx) => {
      await writeTakenBack(deps, tx, { order: await findOrder(tx, charge.orderId), payments: [taken] });
    });
    deps.bell.ring();
    return { result: taken.left ? 'owed' : 'refunded' };
  };

/** As it stands now: another notice may have settled it meanwhile. */
async function markCanceled(
  tx: StoreTransaction,
  payment: PaymentRow,
  charged: readonly string[],
): Promise<void> {
  const now = await tx.payments.find(payment);
  if (!now?.intentId || now.intentId !== payment.intentId || charged.includes(now.intentId)) return;
  if (mayCharge(now) && now.state !== 'charged') await tx.payments.put({ ...now, state: 'canceled' });
}

/** `charged`: other intents that were found charged when they had to be closed; they go back once this one is adopted. */
async function decide(
  deps: ActivityDeps,
  tx: StoreTransaction,
  {
    charge,
    refunds,
    charged = [],
  }: { charge: Charge; refunds: readonly ProviderRefund[]; charged?: readonly string[] },
): Promise<Decision> {
  const { orderId, intentId, amount } = charge;
  const order = await tx.orders.find(orderId);
  const payments = order ? await tx.payments.list(orderId) : [];
  const payment = payments.find((one) => one.intentId === intentId);
  if (!order || !payment) {
    await tellUnknownCharge(deps, tx, { orderId, intentId, amount, orderIsHere: order !== undefined });
    return { result: 'told' };
  }
  if (payment.state === 'refunded') return { result: 'known' };
  if (payment.state === 'charged' && !(await isLeftOver(tx, { order, payment, payments })))
    return { result: 'known', ...heldBy(order) };
  const { nowUtc } = deps.clock;
  const name = { key: operationKeys.processPayment(orderId, payment.n), orderId, step: 'payment' };
  if ((await tx.operations.leased({ orderId, step: 'payment', nowUtc: nowUtc() })).length > 0)
    throw inProgress(name);
  if (await isTakenBack(tx, order)) {
    const undone = await tx.operations.find(operationKeys.refundPayment(orderId));
    if (!isEnded(order.status) && !undone?.outcome) return { result: 'known' };
    return giveBack(deps, tx, { order, payment });
  }
  const others = payments.filter((one) => one !== payment && mayCharge(one));
  const gone = refunds.filter(({ status }) => status !== 'failed').map((refund) => refund.amount.amountMinor);
  const kept = sumMinor(gone) < amount.amountMinor;
  if (!kept || !awaitsPayment(order, charge) || others.some(({ state }) => state === 'charged'))
    return giveBack(deps, tx, { order, payment });
  const open = others.filter((one) => !charged.includes(one.intentId ?? ''));
  if (open.length > 0) return { close: open };
  return adopt(deps, tx, { order, payment, payments });
}

/**
 * A refund of a part was heard of before the charge was: that made it the order's charge, while the order waits for
 * another card.
 */
async function isLeftOver(
  tx: StoreTransaction,
  {
    order: { orderId, status },
    payment,
    payments,
  }: { order: OrderRow; payment: PaymentRow; payments: readonly PaymentRow[] },
): Promise<boolean> {
  if (status !== 'payment_failed') return false;
  for (const { n } of payments) {
    const operation = await tx.operations.find(operationKeys.processPayment(orderId, n));
    const outcome = operation?.outcome;
    if (outcome && 'done' in outcome && (outcome.done as PaymentProcessed).intentId === payment.intentId)
      return false;
  }
  return true;
}

const heldBy = ({ orderId, sagaState }: OrderRow): { held?: OrderId } =>
  sagaState === 'held' ? { held: orderId } : {};

/** The walk back has begun, or the order has ended without shipping or with. */
const isTakenBack = async (tx: StoreTransaction, { orderId, status, sagaState, detail }: OrderRow) =>
  isEnded(status) ||
  sagaState === 'compensating' ||
  detail.cancelRequested !== undefined ||
  (await tx.operations.find(operationKeys.refundPayment(orderId))) !== undefined ||
  (await tx.operations.find(operationKeys.releaseInventory(orderId))) !== undefined;

const awaitsPayment = ({ status, total }: OrderRow, { amount }: Charge): boolean =>
  (status === 'inventory_reserved' || status === 'payment_failed' || status === 'payment_action_required') &&
  amount.amountMinor === total?.amountMinor &&
  amount.currency === total.currency;

/** The charge is the order's payment: the operation that was refused has an answer now, whichever run asks for it. */
async function adopt(
  { clock }: ActivityDeps,
  tx: StoreTransaction,
  { order, payment, payments }: { order: OrderRow; payment: PaymentRow; payments: readonly PaymentRow[] },
): Promise<RecordedCharge> {
  const { orderId } = order;
  const { intentId = '', amount } = payment;
  const key = operationKeys.processPayment(orderId, Math.max(...payments.map(({ n }) => n)));
  await tx.operations.begin({ key, orderId, step: 'payment' });
  await tx.operations.revise({ key, outcome: { done: { intentId, amount } } });
  await tx.payments.put({ ...payment, state: 'charged' });
  await writeTransition(tx, {
    order,
    actor: 'provider',
    step: 'payment',
    status: 'payment_processed',
    reason: 'charged: the customer has paid after all',
    event: { type: 'payment.processed.v1', details: { paymentId: intentId } },
    nowUtc: clock.nowUtc(),
  });
  return { result: 'adopted', ...heldBy(order) };
}

/** What nothing is shipped for goes back; the trail says once why. */
async function giveBack(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, payment }: { order: OrderRow; payment: PaymentRow },
): Promise<Decision> {
  const { orderId } = order;
  const key = operationKeys.lateCharge(orderId, payment.n);
  const { fence } = await tx.operations.begin({ key, orderId, step: 'late charge' });
  if (fence === 1) {
    await writeTransition(tx, {
      order,
      actor: 'provider',
      step: 'payment',
      aside: true,
      from: payment.state,
      to: 'charged_late',
      reason: `${payment.intentId} was charged when the order was ${order.status}: it goes back`,
      nowUtc: deps.clock.nowUtc(),
    });
    await writeHelpDeskMail(deps, tx, {
      orderId,
      subject: `Order ${orderId} was charged late: ${formatAmount(payment.amount)} ${payment.amount.currency}`,
      lines: [
        `Payment ${payment.intentId} was charged when the order was ${order.status}: the customer has paid in a tab that was still open, or its first answer was lost. Nothing is shipped for it.`,
        'It is refunded in full by itself, and the customer is told. What keeps it from going back is told in a mail of its own.',
      ],
    });
  }
  return { refund: payment, disputes: await tx.disputes.list(orderId) };
}
