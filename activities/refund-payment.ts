import type { EventFacts } from '../domain/events.ts';
import { TechnicalFailure } from '../domain/failures.ts';
import { operationKeys, type OrderId } from '../domain/ids.ts';
import { sumMinor, type Money } from '../domain/money.ts';
import type { Dispute } from '../domain/refunds.ts';
import { isKeySpent, type PaymentAnswer, type ProviderRefund } from '../ports/payment-gateway.ts';
import type { OrderRow, PaymentRow, StoreTransaction } from '../ports/store.ts';
import type { ActivityDeps } from './deps.ts';
import { runProviderCompensation } from './provider-compensation.ts';
import { recordRefunds } from './refund-records.ts';
import { writeTransition } from './transition.ts';

/** A payment of the order, and what the provider says went back from it. */
export interface TakenBack {
  payment: PaymentRow;
  refunds: readonly ProviderRefund[];
}

/**
 * Compensates processPayment, for all its payment updates: cancels what is not charged (so that a late confirmation
 * is refused), refunds what is left of what is. A safe no-op where nothing was created. A charge under dispute is not
 * refunded but waited for; what a lost dispute has given the customer is not given twice.
 * Idempotent by `refund-payment-<orderId>`; at the provider by `refund-<orderId>-<n>`, after a look at the refunds
 * there are.
 * Fails technically only (retried without end).
 * Writes: Payments, Refunds, AuditLog, OutboxMessages(payment.refunded.v1 per refund; payment.failed.v1 for a payment
 * that waited for the customer), in one transaction.
 */
export const createRefundPayment =
  (deps: ActivityDeps) =>
  ({ orderId, attemptTimeoutMs }: { orderId: OrderId; attemptTimeoutMs: number }): Promise<null> =>
    runProviderCompensation<null, (TakenBack & { disputes: Dispute[] })[]>(deps, {
      name: { key: operationKeys.refundPayment(orderId), orderId, step: 'payment' },
      attemptTimeoutMs,
      read: async (tx) => {
        const disputes = await tx.disputes.list(orderId);
        return (await tx.payments.list(orderId)).map((payment) => ({ payment, refunds: [], disputes }));
      },
      settle: async (payments, timeoutMs) => {
        const settled = [];
        for (const { payment, disputes } of payments) {
          settled.push({ ...(await settlePayment(deps, { payment, disputes, timeoutMs })), disputes });
        }
        return settled;
      },
      commit: async (tx, order, payments) => {
        await writeTakenBack(deps, tx, { order, payments });
        return null;
      },
    });

async function settlePayment(
  deps: ActivityDeps,
  { payment, disputes, timeoutMs }: { payment: PaymentRow; disputes: readonly Dispute[]; timeoutMs: number },
): Promise<TakenBack> {
  if (payment.state === 'canceled') return { payment, refunds: [] };
  /* Without a stored id nothing was confirmed: an intent nobody knows of can never charge. */
  if (!payment.intentId) return { payment: { ...payment, state: 'canceled' }, refunds: [] };
  return takeBackPayment(deps, { payment, intentId: payment.intentId, disputes, timeoutMs });
}

/**
 * Refunds or cancels one intent at the provider, whichever its state asks for. Idempotent by `refund-<orderId>-<n>`
 * and `cancel-<orderId>-<n>`; the amount refunded is what the provider says is left of the charge.
 */
export async function takeBackPayment(
  deps: ActivityDeps,
  input: { payment: PaymentRow; intentId: string; disputes: readonly Dispute[]; timeoutMs: number },
): Promise<TakenBack> {
  const { intentId, timeoutMs } = input;
  const { orderId, n } = input.payment;
  const payment = { ...input.payment, intentId };
  const now = await deps.payments.retrieve({ intentId, timeoutMs });
  const left =
    now.status === 'charged' || now.status === 'canceled'
      ? now
      : await cancelIntent(deps, { orderId, n, intentId, timeoutMs });
  if (left.status === 'canceled') return { payment: { ...payment, state: 'canceled' }, refunds: [] };
  if (left.status === 'charged') {
    return { payment, refunds: await refundLeft(deps, { ...input, charged: left.amount }) };
  }
  throw new TechnicalFailure(
    'OutcomeUnknown',
    `Intent ${intentId} of order ${orderId} is ${left.status}: it can be neither canceled nor refunded yet`,
    { retryAfterMs: 5_000 },
  );
}

/** Gives back what the provider's own list of refunds leaves; all refunds of the charge afterwards, newest first. */
async function refundLeft(
  deps: ActivityDeps,
  input: {
    payment: PaymentRow;
    intentId: string;
    charged: Money;
    disputes: readonly Dispute[];
    timeoutMs: number;
  },
): Promise<ProviderRefund[]> {
  const { intentId, charged, timeoutMs } = input;
  const { orderId, n } = input.payment;
  const operationKey = operationKeys.refundLeft(orderId, n);
  const refunds = await deps.payments.refunds({ intentId, timeoutMs });
  const lost = input.disputes.filter((dispute) => dispute.n === n && dispute.state === 'lost');
  const gone = [...refunds.filter(({ status }) => status !== 'failed'), ...lost];
  const amountMinor = charged.amountMinor - sumMinor(gone.map(({ amount }) => amount.amountMinor));
  if (amountMinor <= 0) return refunds;
  const key = keyOfLeft(operationKey, { refunds, charged, amountMinor });
  const answer = await underFreshKey(key, (idempotencyKey) =>
    deps.payments.refund({
      idempotencyKey,
      operationKey,
      orderId,
      intentId,
      amount: { ...charged, amountMinor },
      timeoutMs,
    }),
  );
  if (answer.status === 'taken' && answer.refund.status !== 'failed') return [answer.refund, ...refunds];
  throw notRefunded(orderId, answer);
}

/** Another amount, or another try after a refund that failed, is another request to the provider. */
const keyOfLeft = (
  key: string,
  {
    refunds,
    charged,
    amountMinor,
  }: { refunds: readonly ProviderRefund[]; charged: Money; amountMinor: number },
): string => {
  const failed = refunds.filter(
    ({ operationKey, status }) => operationKey === key && status === 'failed',
  ).length;
  const part = amountMinor < charged.amountMinor ? `-${amountMinor}` : '';
  return `${key}${part}${failed > 0 ? `-r${failed + 1}` : ''}`;
};

const notRefunded = (
  orderId: OrderId,
  answer: Awaited<ReturnType<ActivityDeps['payments']['refund']>>,
): TechnicalFailure => {
  const why = answer.status === 'taken' ? `it failed: ${answer.refund.failure}` : answer.reason;
  const disputed = answer.status === 'refused' && answer.code === 'disputed';
  return new TechnicalFailure(
    'ProviderUnavailable',
    `The charge of order ${orderId} was not refunded: ${why}${disputed ? '; it waits for the end of the dispute' : ''}`,
    { retryAfterMs: disputed ? 60_000 : 1_000 },
  );
};

/** Makes a later charge of the intent impossible; answers its state where it is too late. Key `cancel-<orderId>-<n>`. */
export const cancelIntent = (
  deps: ActivityDeps,
  { orderId, n, intentId, timeoutMs }: { orderId: OrderId; n: number; intentId: string; timeoutMs: number },
): Promise<PaymentAnswer> =>
  underFreshKey(`cancel-${orderId}-${n}`, (idempotencyKey) =>
    deps.payments.cancel({ idempotencyKey, intentId, timeoutMs }),
  );

/**
 * Sends under `key`, and once more under a key of its own when the provider keeps a 5xx of its own under that. Only for
 * requests that the provider refuses a second time whatever their key: canceling an intent, refunding all of a charge.
 * A key that is used once and forgotten cannot be spent by an earlier attempt.
 */
async function underFreshKey<Answer>(
  key: string,
  send: (idempotencyKey: string) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await send(key);
  } catch (error) {
    if (!isKeySpent(error)) throw error;
    return send(`${key}-${crypto.randomUUID()}`);
  }
}

/** Records taken-back payments: once per payment and refund, whoever comes first. */
export async function writeTakenBack(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, payments }: { order: OrderRow; payments: readonly TakenBack[] },
): Promise<void> {
  for (const { payment, refunds } of payments) {
    const before = await tx.payments.find({ orderId: payment.orderId, n: payment.n });
    if (payment.state === 'canceled') await writeCanceled(deps, tx, { order, payment, before });
    else
      await recordRefunds(deps, tx, {
        order,
        payment: { ...(before ?? payment), intentId: payment.intentId ?? '' },
        refunds,
      });
  }
}

async function writeCanceled(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, payment, before }: { order: OrderRow; payment: PaymentRow; before: PaymentRow | undefined },
): Promise<void> {
  if (before?.state === 'canceled') return;
  await tx.payments.put(payment);
  const event = before?.state === 'action_required' ? notAuthenticated : undefined;
  await writeTransition(tx, {
    order,
    step: 'payment',
    from: before?.state ?? '',
    to: payment.state,
    reason: 'compensation',
    ...(event ? { event } : {}),
    nowUtc: deps.clock.nowUtc(),
  });
}

const notAuthenticated: EventFacts = {
  type: 'payment.failed.v1',
  details: {
    failureType: 'CustomerActionRequired',
    reason: 'The customer did not authenticate the payment.',
  },
};
