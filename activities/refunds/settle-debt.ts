import { operationKeys, type OrderId } from '../../domain/ids.ts';
import type { Dispute, Refund } from '../../domain/refunds.ts';
import type { RefundRow } from '../../ports/refunds.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { exclusively, requestTimes } from '../operation.ts';
import { recordDisputes } from './record-dispute.ts';
import { notRefunded, refundLeft, type GivenBack } from './refund-payment.ts';
import { compensationId, endDebt, recordRefunds } from './refund-records.ts';
import { findOrder } from '../transition.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { PaymentRow } from '../../ports/store/money.ts';

export interface SettleDebt {
  orderId: OrderId;
  /** Number of the payment. */
  n: number;
  attemptTimeoutMs: number;
}

/** The debt as it is now, and the dispute that it waits for. */
export interface DebtStanding extends Pick<Refund, 'state' | 'amount' | 'failure'> {
  sinceUtc: string;
  dispute?: Pick<Dispute, 'disputeId' | 'dueByUtc'>;
}

interface DebtFacts {
  row: RefundRow;
  payment: PaymentRow;
}

/**
 * Settles a debt as far as it can be settled now: while the dispute is open nothing is sent; when it is over, what the
 * provider's lists of refunds and disputes leave of the charge is refunded. Nothing left: the debt is canceled. Refused for
 * good, or failed: the debt has failed, which is told, and a person pays it.
 * Idempotent by the row's state; at the provider by the compensation's own key `refund-<orderId>-<n>` after a look at the
 * refunds there are, so that nothing goes back twice, also beside an attempt of the compensation that lands late.
 * Run twice: the row. At the same time: the lock lets one through, without Redis the provider's key keeps the refund
 * single and the row goes forward once. Killed anywhere, or a lost reply: asked again under the same keys.
 * Fails technically only (retried without end).
 * Writes: Refunds, Payments, Disputes, AuditLog, OutboxMessages(payment.refunded.v1, refund.failed.v1, payment.disputed.v1,
 * dispute.closed.v1), in one transaction.
 */
export const createSettleDebt =
  (deps: ActivityDeps) =>
  async (debt: SettleDebt): Promise<DebtStanding> => {
    const { orderId, attemptTimeoutMs } = debt;
    const name = { key: operationKeys.refundPayment(orderId), orderId, step: 'payment' };
    const timeoutMs = requestTimes(deps, { key: name.key, attemptTimeoutMs, requests: 4 });
    return exclusively(deps, name, attemptTimeoutMs, async () => {
      const facts = await deps.store.transaction((tx) => readDebt(tx, debt));
      if (facts.row.state !== 'owed') return standingOf(facts.row, []);
      const given = await giveBack(deps, facts, timeoutMs);
      const standing = await deps.store.transaction(async (tx) => {
        const order = await findOrder(tx, orderId);
        await writeSettled(deps, tx, { debt, order, given });
        const { row } = await readDebt(tx, debt);
        return standingOf(row, await tx.disputes.list(orderId));
      });
      deps.bell.ring();
      return standing;
    });
  };

async function readDebt(tx: StoreTransaction, { orderId, n }: SettleDebt): Promise<DebtFacts> {
  await findOrder(tx, orderId);
  const row = (await tx.refunds.list(orderId)).find(({ refundId }) => refundId === compensationId(n));
  const payment = await tx.payments.find({ orderId, n });
  if (row && payment) return { row, payment };
  throw new Error(
    `Order ${orderId} has no debt of payment ${n} in the store; expected refundPayment to have written it`,
  );
}

async function giveBack(
  deps: ActivityDeps,
  { payment }: DebtFacts,
  timeoutMs: () => number,
): Promise<GivenBack> {
  const { intentId = '', amount: charged } = payment;
  const disputes = await deps.payments.disputes({ intentId, timeoutMs: timeoutMs() });
  if (disputes.some(({ state }) => state === 'open')) return { refunds: [], disputes };
  return { disputes, ...(await refundLeft(deps, { payment, intentId, charged, disputes, timeoutMs })) };
}

async function writeSettled(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { debt, order, given }: { debt: SettleDebt; order: OrderRow; given: GivenBack },
): Promise<void> {
  const { refunds, disputes = [], left } = given;
  const { payment } = await readDebt(tx, debt);
  await recordDisputes(deps, tx, { order, payment, disputes });
  const own = operationKeys.refundLeft(debt.orderId, debt.n);
  const answered = left?.code === 'failed' ? refunds[0] : undefined;
  /* Earlier tries that failed under the debt's key are history; they say nothing of it. */
  const news = refunds.filter(
    (refund) => refund === answered || refund.status !== 'failed' || refund.operationKey !== own,
  );
  await recordRefunds(deps, tx, { order, payment, refunds: news });
  const { row } = await readDebt(tx, debt);
  if (row.state !== 'owed' || disputes.some(({ state }) => state === 'open')) return;
  if (!left) return endDebt(deps, tx, { order, payment, row });
  const lost = disputes.some(({ state }) => state === 'lost');
  if (left.code === 'look_again') throw notRefunded(debt.orderId, left.reason);
  /* Right after a dispute was won the provider may still refuse; after a lost one it does for good. */
  if (left.code === 'disputed' && !lost) return;
  await endDebt(deps, tx, { order, payment, row: { ...row, amount: left.amount }, failure: left.reason });
}

function standingOf(
  { state, amount, failure, requestedAtUtc: sinceUtc, n }: RefundRow,
  disputes: readonly Dispute[],
) {
  const open = disputes.find((dispute) => dispute.n === n && dispute.state === 'open');
  const { disputeId, dueByUtc } = open ?? {};
  return {
    state,
    amount,
    sinceUtc,
    ...(failure ? { failure } : {}),
    ...(disputeId ? { dispute: { disputeId, ...(dueByUtc ? { dueByUtc } : {}) } } : {}),
  };
}
