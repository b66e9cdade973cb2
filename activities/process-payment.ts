import { TechnicalFailure, type Refusal } from '../domain/failures.ts';
import { operationKeys, type OrderId } from '../domain/ids.ts';
import type { Money } from '../domain/money.ts';
import type { NextAction } from '../domain/order.ts';
import { isKeySpent, type PaymentAnswer } from '../ports/payment-gateway.ts';
import type { OrderRow, PaymentRow, StoreTransaction } from '../ports/store.ts';
import type { ActivityDeps } from './deps.ts';
import { refusalFailure } from './failures.ts';
import { runProviderOperation, type Attempt, type Settled } from './operation.ts';
import { takeBackPayment, writeRefund } from './refund-payment.ts';
import { findOrder, writeTransition } from './transition.ts';

export interface ProcessPayment {
  orderId: OrderId;
  /** Number of the accepted payment update: 1 for the checkout's own payment method. */
  n: number;
  paymentMethodId: string;
  attemptTimeoutMs: number;
}

export interface PaymentProcessed {
  intentId: string;
  amount: Money;
}

/** After this the provider may have forgotten a create's idempotency key (Stripe: at least 24 h). */
const CREATE_KEY_LIFE_MS = 23 * 60 * 60 * 1_000;

/**
 * Charges the order's total once.
 * Idempotent by `payment-<orderId>-<n>`: create an unconfirmed intent (free) -> store its id -> confirm (charges).
 * An attempt that finds a stored id asks the provider before it confirms; a create that may be older than its
 * idempotency key is looked up by metadata, never sent again. A stored 5xx is answered by a look-up and the next key.
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
    return runProviderOperation<PaymentProcessed, PaymentProcessed, PaymentRow>(deps, {
      name: {
        key,
        orderId: input.orderId,
        step: 'payment',
        tombstoneKey: operationKeys.refundPayment(input.orderId),
      },
      attemptTimeoutMs: input.attemptTimeoutMs,
      requests: 4,
      prepare: (tx, order) => openPayment(deps, tx, { input, order }),
      settle: (attempt) => settlePayment(deps, { input, key, attempt }),
      commit: (tx, order, settled) => commitPayment(deps, tx, { input, order, settled }),
      takeBack: (intentId) => takeBackLatePayment(deps, input, intentId),
    });
  };

type SettledPayment = Settled<PaymentProcessed>;
interface Protocol {
  input: ProcessPayment;
  key: string;
  attempt: Attempt<PaymentRow>;
}

async function openPayment(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { input: { orderId, n }, order }: { input: ProcessPayment; order: OrderRow },
): Promise<PaymentRow> {
  const known = await tx.payments.find({ orderId, n });
  if (known) return known;
  if (!order.total) throw new Error(`Order ${orderId} has no total; a payment needs a priced order`);
  const payment: PaymentRow = {
    orderId,
    n,
    state: 'creating',
    amount: order.total,
    createRequestedAtUtc: deps.clock.nowUtc(),
    createKeyNumber: 1,
    confirmKeyNumber: 1,
  };
  await tx.payments.put(payment);
  return payment;
}

async function settlePayment(deps: ActivityDeps, protocol: Protocol): Promise<SettledPayment> {
  const { attempt } = protocol;
  const payment = attempt.facts;
  const known = payment.intentId
    ? await deps.payments.retrieve({ intentId: payment.intentId, timeoutMs: attempt.requestTimeoutMs })
    : await createIntent(deps, protocol, payment);
  if (known.status === 'refused') return { refused: declined(known.reason, known.declineCode) };
  const answer =
    known.status === 'unconfirmed' ? await confirmIntent(deps, protocol, payment, known.intentId) : known;
  return readAnswer(protocol, answer);
}

type Created = PaymentAnswer | { status: 'refused'; reason: string; declineCode?: string };

/** Creates the intent, or finds the one an earlier attempt created without hearing of it; stores its id. */
async function createIntent(deps: ActivityDeps, protocol: Protocol, payment: PaymentRow): Promise<Created> {
  const { input, key, attempt } = protocol;
  const age = Date.parse(deps.clock.nowUtc()) - Date.parse(payment.createRequestedAtUtc);
  if (age > CREATE_KEY_LIFE_MS) return adoptOrNextCreateKey(deps, protocol);
  const request = {
    idempotencyKey: numbered(key, payment.createKeyNumber),
    operationKey: key,
    orderId: input.orderId,
    amount: payment.amount,
    paymentMethodId: input.paymentMethodId,
    timeoutMs: attempt.requestTimeoutMs,
  };
  const created = await deps.payments.create(request).catch((error: unknown) => {
    if (!isKeySpent(error)) throw error;
    return adoptOrNextCreateKey(deps, protocol);
  });
  if (created.status === 'created') {
    await storeIntent(protocol, created.intentId);
    return { status: 'unconfirmed', intentId: created.intentId };
  }
  return created;
}

/** The key can no longer tell: adopt the intent that is there, else leave the next key to the next attempt. */
async function adoptOrNextCreateKey(deps: ActivityDeps, protocol: Protocol): Promise<PaymentAnswer> {
  const { key, attempt } = protocol;
  const [found] = await deps.payments.findByOperation({
    operationKey: key,
    timeoutMs: attempt.requestTimeoutMs,
  });
  if (found) {
    await storeIntent(protocol, found.intentId);
    return found;
  }
  await changePayment(protocol, (payment) => ({
    ...payment,
    createKeyNumber: payment.createKeyNumber + 1,
    createRequestedAtUtc: deps.clock.nowUtc(),
  }));
  throw new TechnicalFailure(
    'ProviderUnavailable',
    `No intent exists for ${key}; the next attempt creates it under a new key`,
  );
}

async function confirmIntent(
  deps: ActivityDeps,
  protocol: Protocol,
  payment: PaymentRow,
  intentId: string,
): Promise<PaymentAnswer> {
  const { key, attempt } = protocol;
  const timeoutMs = attempt.requestTimeoutMs;
  try {
    const idempotencyKey = numbered(`${key}-confirm`, payment.confirmKeyNumber);
    return await deps.payments.confirm({ idempotencyKey, intentId, timeoutMs });
  } catch (error) {
    if (!isKeySpent(error)) throw error;
    const now = await deps.payments.retrieve({ intentId, timeoutMs });
    if (now.status !== 'unconfirmed') return now;
    await changePayment(protocol, (row) => ({ ...row, confirmKeyNumber: row.confirmKeyNumber + 1 }));
    throw error;
  }
}

/** An intent is stored before anything is charged; when the compensation was faster, it is taken back instead. */
const storeIntent = ({ attempt, input }: Protocol, intentId: string): Promise<void> =>
  attempt.save(intentId, (tx) =>
    putPayment(tx, input, (payment) => ({ ...payment, intentId, state: 'created' })),
  );

const changePayment = (
  { attempt, input }: Protocol,
  change: (payment: PaymentRow) => PaymentRow,
): Promise<void> => attempt.save(attempt.facts.intentId, (tx) => putPayment(tx, input, change));

async function putPayment(
  tx: StoreTransaction,
  { orderId, n }: ProcessPayment,
  change: (payment: PaymentRow) => PaymentRow,
): Promise<void> {
  const payment = await tx.payments.find({ orderId, n });
  if (payment) await tx.payments.put(change(payment));
}

const numbered = (key: string, number: number): string => (number === 1 ? key : `${key}-r${number}`);

const declined = (reason: string, declineCode?: string): Refusal => ({
  type: 'CardDeclined',
  reason,
  ...(declineCode ? { details: { declineCode } } : {}),
});

async function readAnswer(protocol: Protocol, answer: PaymentAnswer): Promise<SettledPayment> {
  switch (answer.status) {
    case 'charged':
      return { effect: { intentId: answer.intentId, amount: answer.amount }, reference: answer.intentId };
    case 'declined':
      return { refused: declined(answer.reason, answer.declineCode) };
    case 'canceled':
      return { refused: declined('The payment was canceled at the payment provider.') };
    case 'action_required':
      return awaitCustomer(protocol, answer.nextAction);
    case 'unconfirmed':
      throw new TechnicalFailure(
        'OutcomeUnknown',
        `Intent ${answer.intentId} of order ${protocol.input.orderId} is still unconfirmed after its confirmation`,
      );
  }
}

async function awaitCustomer(protocol: Protocol, nextAction: NextAction): Promise<never> {
  await changePayment(protocol, (payment) => ({ ...payment, state: 'action_required' }));
  throw refusalFailure({
    type: 'CustomerActionRequired',
    reason: 'The customer has to authenticate this payment.',
    details: { nextAction: JSON.stringify(nextAction) },
  });
}

async function commitPayment(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { input, order, settled }: { input: ProcessPayment; order: OrderRow; settled: SettledPayment },
) {
  const charged = 'effect' in settled;
  await putPayment(tx, input, (payment) => ({ ...payment, state: charged ? 'charged' : 'declined' }));
  await writeTransition(tx, {
    order,
    step: 'payment',
    status: charged ? 'payment_processed' : 'payment_failed',
    reason: charged ? 'charged' : settled.refused.reason,
    event: charged
      ? { type: 'payment.processed.v1', details: { paymentId: settled.effect.intentId } }
      : {
          type: 'payment.failed.v1',
          details: { failureType: settled.refused.type, reason: settled.refused.reason },
        },
    nowUtc: deps.clock.nowUtc(),
  });
  return charged ? { done: settled.effect } : settled;
}

/** A charge, or what may become one, was found after refundPayment had begun: take it back, with its own record. */
async function takeBackLatePayment(
  deps: ActivityDeps,
  { orderId, n, attemptTimeoutMs }: ProcessPayment,
  reference: string | undefined,
): Promise<void> {
  const stored = await deps.store.transaction((tx) => tx.payments.find({ orderId, n }));
  const intentId = reference ?? stored?.intentId;
  if (!stored || !intentId) return;
  const timeoutMs = Math.floor(attemptTimeoutMs / 4);
  const taken = await takeBackPayment(deps, { orderId, n, intentId, timeoutMs });
  await deps.store.transaction(async (tx) => {
    const order = await findOrder(tx, orderId);
    await writeRefund(deps, tx, { order, payments: [{ ...stored, ...taken }] });
  });
}
