import type { EventFacts } from '../domain/events.ts';
import { TechnicalFailure } from '../domain/failures.ts';
import { operationKeys, type OrderId } from '../domain/ids.ts';
import { formatAmount } from '../domain/money.ts';
import { isKeySpent, type PaymentAnswer } from '../ports/payment-gateway.ts';
import type { OrderRow, PaymentRow, StoreTransaction } from '../ports/store.ts';
import type { ActivityDeps } from './deps.ts';
import { runProviderCompensation } from './provider-compensation.ts';
import { writeTransition } from './transition.ts';

/**
 * Compensates processPayment, for all its payment updates: cancels what is not charged (so that a late confirmation
 * is refused), refunds what is. A safe no-op where nothing was created.
 * Idempotent by `refund-payment-<orderId>`; at the provider by `refund-<orderId>-<n>`.
 * Fails technically only (retried without end).
 * Writes: Payments, AuditLog, OutboxMessages(payment.refunded.v1 per refund; payment.failed.v1 for a payment that
 * waited for the customer), in one transaction.
 */
export const createRefundPayment =
  (deps: ActivityDeps) =>
  ({ orderId, attemptTimeoutMs }: { orderId: OrderId; attemptTimeoutMs: number }): Promise<null> =>
    runProviderCompensation<null, PaymentRow[]>(deps, {
      name: { key: operationKeys.refundPayment(orderId), orderId, step: 'payment' },
      attemptTimeoutMs,
      read: (tx) => tx.payments.list(orderId),
      settle: async (payments, timeoutMs) => {
        const settled: PaymentRow[] = [];
        for (const payment of payments) settled.push(await settlePayment(deps, payment, timeoutMs));
        return settled;
      },
      commit: async (tx, order, payments) => {
        await writeRefund(deps, tx, { order, payments });
        return null;
      },
    });

async function settlePayment(
  deps: ActivityDeps,
  payment: PaymentRow,
  timeoutMs: number,
): Promise<PaymentRow> {
  if (payment.state === 'refunded' || payment.state === 'canceled') return payment;
  /* Without a stored id nothing was confirmed: an intent nobody knows of can never charge. */
  if (!payment.intentId) return { ...payment, state: 'canceled' };
  const { orderId, n, intentId } = payment;
  return { ...payment, ...(await takeBackPayment(deps, { orderId, n, intentId, timeoutMs })) };
}

/**
 * Refunds or cancels one intent at the provider, whichever its state asks for. Idempotent by `refund-<orderId>-<n>`
 * and `cancel-<orderId>-<n>`; the amount refunded is what the provider says was charged.
 */
export async function takeBackPayment(
  deps: ActivityDeps,
  input: { orderId: OrderId; n: number; intentId: string; timeoutMs: number },
): Promise<Pick<PaymentRow, 'state' | 'intentId' | 'refundId'>> {
  const { orderId, n, intentId, timeoutMs } = input;
  const now = await deps.payments.retrieve({ intentId, timeoutMs });
  if (now.status === 'canceled') return { state: 'canceled', intentId };
  const left = now.status === 'charged' ? now : await cancelIntent(deps, input);
  if (left.status === 'canceled') return { state: 'canceled', intentId };
  if (left.status === 'charged') {
    const { refundId } = await underFreshKey(`refund-${orderId}-${n}`, (idempotencyKey) =>
      deps.payments.refund({ idempotencyKey, intentId, amount: left.amount, timeoutMs }),
    );
    return { state: 'refunded', intentId, refundId };
  }
  throw new TechnicalFailure(
    'OutcomeUnknown',
    `Intent ${intentId} of order ${orderId} is ${left.status}: it can be neither canceled nor refunded yet`,
    { retryAfterMs: 5_000 },
  );
}

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

/** Records taken-back payments: once per payment, whoever comes first. */
export async function writeRefund(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, payments }: { order: OrderRow; payments: readonly PaymentRow[] },
): Promise<void> {
  for (const payment of payments) {
    const before = await tx.payments.find({ orderId: payment.orderId, n: payment.n });
    if (before?.state === payment.state) continue;
    await tx.payments.put(payment);
    const event = refundEvent(payment, before);
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
}

function refundEvent(payment: PaymentRow, before: PaymentRow | undefined): EventFacts | undefined {
  if (payment.state === 'refunded') return refundedEvent(payment);
  if (before?.state !== 'action_required') return undefined;
  const reason = 'The customer did not authenticate the payment.';
  return { type: 'payment.failed.v1', details: { failureType: 'CustomerActionRequired', reason } };
}

function refundedEvent({ orderId, n, intentId, refundId, amount }: PaymentRow): EventFacts {
  if (!intentId || !refundId) {
    throw new Error(
      `Payment ${n} of order ${orderId} is refunded: expected its intent and refund ids stored`,
    );
  }
  const refundedAmount = Number(formatAmount(amount));
  return { type: 'payment.refunded.v1', details: { paymentId: intentId, refundId, refundedAmount } };
}
