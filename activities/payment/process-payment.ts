import type { Refusal } from '../../domain/failures.ts';
import { operationKeys, tombstoneKeys, type OrderId } from '../../domain/ids.ts';
import type { Actor } from '../../domain/order.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import { closingRequests, mayCharge } from './close-intent.ts';
import { confirmingRequests } from './confirm-charge.ts';
import type { ActivityDeps } from '../deps.ts';
import { leftToPerson } from './find-charge.ts';
import { notConfirmed } from '../mark-done.ts';
import { requestTimes } from '../operation.ts';
import { runProviderOperation } from '../provider-operation.ts';
import { isOfAnother, paymentRequests, settlePayment } from './payment-protocol.ts';
import { takeBackPayment, takingBackRequests, writeTakenBack } from '../refunds/refund-payment.ts';
import { recordDisputes } from '../refunds/record-dispute.ts';
import { findOrder, writeTransition } from '../transition.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { PaymentRow } from '../../ports/store/money.ts';
import type {
  Charge,
  PaymentFacts,
  PaymentProcessed,
  ProcessPayment,
  SettledPayment,
} from './payment-facts.ts';

/**
 * Charges the order's total once.
 * Idempotent by `payment-<orderId>-<n>`: create an unconfirmed intent (free) -> store its id -> confirm (charges).
 * An attempt that finds a stored id asks the provider before it confirms; a create that may be older than its
 * idempotency key is looked up by metadata, never sent again. A stored 5xx is answered by a look-up and the next key.
 * Earlier payments of the order, declined ones as well, are canceled first and known to be, so that only one can ever
 * charge; their operations end. A charge that is found and was given back at the provider pays for nothing.
 * Where a person may have charged at the provider (`asked`), a charge made there for the order is the order's when it is the
 * only one and nothing speaks against it; anything else charges nothing (FoundAtProvider, not stored, not retried).
 * Takes at most `attemptTimeoutMs`.
 * Fails with CardDeclined (stored, not retried, order held), CustomerActionRequired (not stored: the same call later
 * looks again; order held), or technically (retried).
 * Late after refundPayment: charges nothing; a charge that has just landed is refunded here.
 * Writes: Payments, Operations; at the end Payments, Orders, AuditLog, OutboxMessages(payment.processed.v1 or
 * payment.failed.v1), in one transaction.
 */
export const createProcessPayment =
  (deps: ActivityDeps) =>
  (input: ProcessPayment): Promise<PaymentProcessed> => {
    const key = operationKeys.processPayment(input.orderId, input.n);
    let byHand: string | undefined;
    return runProviderOperation<PaymentProcessed, Charge, PaymentFacts>(deps, {
      ...paymentOperation(deps, input),
      /* Beside the pages of a list, which end by their own share of the time. */
      requests: (facts) =>
        paymentRequests(facts) + (input.asked ? 2 + confirmingRequests + closingRequests : 0),
      settle: async (attempt) => {
        const settled = await settlePayment(deps, { input, key, attempt });
        if ('effect' in settled && settled.effect.byHand) byHand = settled.reference;
        return settled;
      },
      /* A person's charge that was not recorded is a person's to give back. */
      takeBack: (intentId) => takeBackLatePayment(deps, input, intentId === byHand ? undefined : intentId),
    });
  };

/** An order's nth payment, charged by us or, as `marked` says, found by a person. */
export interface PaymentOf {
  orderId: OrderId;
  n: number;
  /** Absent where a person has found the charge. */
  paymentMethodId?: string;
  attemptTimeoutMs: number;
  marked?: { actor: Actor; reason: string };
}

/** What charging an order has in common with taking a charge that a person has found. */
export const paymentOperation = (deps: ActivityDeps, input: PaymentOf) => ({
  name: {
    key: operationKeys.processPayment(input.orderId, input.n),
    orderId: input.orderId,
    step: 'payment',
    tombstoneKeys: tombstoneKeys(input.orderId, 'refundPayment'),
    untilEnd: true as const,
  },
  attemptTimeoutMs: input.attemptTimeoutMs,
  /* The refund cancels the intent: what is not charged by then never will be. */
  landsLaterMs: 0,
  prepare: (tx: StoreTransaction, order: OrderRow) => openPayment(deps, tx, { input, order }),
  commit: (tx: StoreTransaction, order: OrderRow, settled: SettledPayment) =>
    commitPayment(deps, tx, { input, order, settled }),
});

async function openPayment(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { input: { orderId, n, paymentMethodId }, order }: { input: PaymentOf; order: OrderRow },
): Promise<PaymentFacts> {
  const payments = await tx.payments.list(orderId);
  const known = payments.find((payment) => payment.n === n);
  const isEarlier = (payment: PaymentRow) => payment.n !== n || isOfAnother(payment, { paymentMethodId });
  const earlier = payments.filter((payment) => isEarlier(payment) && mayCharge(payment));
  const intents = payments.flatMap(({ intentId }) => intentId ?? []);
  if (known) return { payment: known, earlier, known: intents };
  if (!order.total) throw new Error(`Order ${orderId} has no total; a payment needs a priced order`);
  const payment: PaymentRow = {
    orderId,
    n,
    state: 'creating',
    amount: order.total,
    createRequestedAtUtc: deps.clock.nowUtc(),
    createKeyNumber: 1,
    confirmKeyNumber: 1,
    cancelKeyNumber: 1,
    refundKeyNumber: 1,
    ...(paymentMethodId ? { paymentMethodId } : {}),
  };
  await tx.payments.put(payment);
  await closeEarlier(tx, { orderId, payments });
  return { payment, earlier, known: intents };
}

/**
 * A new payment method ends the operations of earlier ones that wait for the customer: an attempt of theirs that comes
 * late, or years later, finds an answer and moves nothing. What they charged after all is this payment's to find.
 */
async function closeEarlier(
  tx: StoreTransaction,
  { orderId, payments }: { orderId: OrderId; payments: readonly PaymentRow[] },
): Promise<void> {
  const refused: Refusal = { type: 'CardDeclined', reason: 'Another payment method was given.' };
  for (const { n } of payments) {
    await tx.operations.finish({ key: operationKeys.processPayment(orderId, n), outcome: { refused } });
  }
}

async function commitPayment(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { input, order, settled }: { input: PaymentOf; order: OrderRow; settled: SettledPayment },
) {
  const charged = 'effect' in settled;
  if (charged) await adopt(tx, input, settled.effect);
  const payments = await tx.payments.list(input.orderId);
  const recorded = charged && (await isOnRecord(tx, { input, payments, charge: settled.effect }));
  await closePayments(tx, { input, payments, settled });
  const done = charged && { intentId: settled.effect.intentId, amount: settled.effect.amount };
  if (done && recorded) return { done };
  await writeTransition(tx, {
    order,
    step: 'payment',
    status: charged ? 'payment_processed' : 'payment_failed',
    reason: charged ? wordsFor(settled.effect) : settled.refused.reason,
    ...(charged ? input.marked : undefined),
    event: charged
      ? { type: 'payment.processed.v1', details: { paymentId: settled.effect.intentId } }
      : {
          type: 'payment.failed.v1',
          details: { failureType: settled.refused.type, reason: settled.refused.reason },
        },
    nowUtc: deps.clock.nowUtc(),
  });
  if (!done) return settled as Extract<SettledPayment, { refused: Refusal }>;
  const payment = (await tx.payments.list(input.orderId)).find(({ intentId }) => intentId === done.intentId);
  if (payment) await recordDisputes(deps, tx, { order, payment, disputes: settled.effect.disputes ?? [] });
  return { done };
}

const wordsFor = ({ byHand }: Charge): string =>
  byHand ? 'a charge that somebody had made at the payment provider' : 'charged';

/**
 * A charge that a person has made becomes the payment that is tried now, unless an earlier one is it. One that is another
 * order's stays there, whatever it says at the provider by now.
 */
async function adopt(
  tx: StoreTransaction,
  { orderId, n, marked }: PaymentOf,
  { intentId, byHand }: Charge,
): Promise<void> {
  if (!byHand && !marked) return;
  const payments = await tx.payments.list(orderId);
  if (payments.some((payment) => payment.intentId === intentId)) return;
  const [other] = await tx.payments.ordersOf(intentId);
  if (other) {
    const why = `Payment ${intentId} is that of order ${other}.`;
    throw marked ? notConfirmed(why) : leftToPerson(orderId, why);
  }
  const present = payments.find((payment) => payment.n === n);
  if (present) await tx.payments.put({ ...present, intentId, state: 'created' });
}

/** Whether another payment's operation has the charge for its answer, which did not arrive. */
async function isOnRecord(
  tx: StoreTransaction,
  {
    input: { orderId, n },
    payments,
    charge: { intentId },
  }: { input: PaymentOf; payments: readonly PaymentRow[]; charge: PaymentProcessed },
): Promise<boolean> {
  for (const payment of payments) {
    if (payment.n === n) continue;
    const operation = await tx.operations.find(operationKeys.processPayment(orderId, payment.n));
    const outcome = operation?.outcome;
    if (outcome && 'done' in outcome && (outcome.done as PaymentProcessed).intentId === intentId) return true;
  }
  return false;
}

/** One payment of the order is charged or none; what could still charge was canceled. What went back stays so. */
async function closePayments(
  tx: StoreTransaction,
  {
    input,
    payments,
    settled,
  }: { input: PaymentOf; payments: readonly PaymentRow[]; settled: SettledPayment },
): Promise<void> {
  const chargedIntent = 'effect' in settled ? settled.effect.intentId : undefined;
  for (const payment of payments) {
    const own = payment.n === input.n && payment.state !== 'refunded';
    if (!own && !mayCharge(payment) && payment.state !== 'creating') continue;
    const unused = own && !chargedIntent ? 'declined' : 'canceled';
    const state = payment.intentId && payment.intentId === chargedIntent ? 'charged' : unused;
    await tx.payments.put({ ...payment, state });
  }
}

/** A charge, or what may become one, was found after refundPayment had begun: take it back, with its own record. */
export async function takeBackLatePayment(
  deps: ActivityDeps,
  { orderId, n, attemptTimeoutMs, marked }: PaymentOf,
  reference: string | undefined,
): Promise<void> {
  const { payments, disputes } = await deps.store.transaction(async (tx) => ({
    payments: await tx.payments.list(orderId),
    disputes: await tx.disputes.list(orderId),
  }));
  /* The charge may be an earlier payment's. */
  const stored =
    payments.find((payment) => reference && payment.intentId === reference) ??
    payments.find((payment) => payment.n === n);
  const intentId = reference ?? stored?.intentId;
  if (!stored || !intentId) return;
  /* An intent that is not the stored one was never confirmed by us: another attempt was faster. */
  if (!marked && stored.intentId && stored.intentId !== intentId) return;
  const key = operationKeys.refundPayment(orderId);
  const timeoutMs = requestTimes(deps, { key, attemptTimeoutMs, requests: takingBackRequests });
  const taken = await takeBackPayment(deps, { payment: stored, intentId, disputes, timeoutMs });
  await deps.store.transaction(async (tx) => {
    const order = await findOrder(tx, orderId);
    await writeTakenBack(deps, tx, { order, payments: [taken] });
  });
}
