import { TechnicalFailure, type Refusal } from '../../domain/failures.ts';
import { sumMinor } from '../../domain/money.ts';
import type { NextAction } from '../../domain/order.ts';
import { isKeySpent, type PaymentAnswer } from '../../ports/payment-gateway.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import { closeIntent, closingRequests, freshOrUndefined, notSettled, numbered } from './close-intent.ts';
import type { ActivityDeps } from '../deps.ts';
import { refusalFailure } from '../failures.ts';
import { findCharge } from './find-charge.ts';
import { recordRefunds } from '../refunds/refund-records.ts';
import type { PaymentRow } from '../../ports/store/money.ts';
import type {
  ProcessPayment,
  PaymentProcessed,
  SettledPayment,
  PaymentFacts,
  PaymentProtocol,
} from './payment-facts.ts';

type Protocol = PaymentProtocol;

/** After this the provider may have forgotten a create's idempotency key (Stripe: at least 24 h). */
const CREATE_KEY_LIFE_MS = 23 * 60 * 60 * 1_000;

/**
 * Requests of one attempt at most: what closes each earlier payment; create, look-up or retrieve, then confirm and
 * retrieve, or the refunds of a charge that was found.
 */
export const paymentRequests = ({ earlier }: PaymentFacts): number => 4 + closingRequests * earlier.length;

/**
 * Create an unconfirmed intent (free) -> store its id -> confirm (charges). An attempt that finds a stored id asks the
 * provider before it confirms; a charge that is found is the order's unless it was refunded meanwhile. An intent belongs
 * to its payment method: under another one it is closed, and another is made. Where a person may have acted (`asked`), the
 * provider is asked for a charge made by hand before anything else.
 */
export async function settlePayment(deps: ActivityDeps, protocol: Protocol): Promise<SettledPayment> {
  const { attempt } = protocol;
  const found = protocol.input.asked ? await findCharge(deps, protocol) : undefined;
  if (found) return found;
  const charged = await supersede(deps, protocol);
  if (charged) return charged;
  const payment = await ofMethod(deps, protocol);
  const known = payment.intentId
    ? await deps.payments.retrieve({ intentId: payment.intentId, timeoutMs: attempt.timeoutMs() })
    : await createIntent(deps, protocol, payment);
  if (known.status === 'refused') return { refused: declined(known.reason, known.declineCode) };
  if (known.status === 'charged') return adoptCharge(deps, protocol, known);
  const answer =
    known.status === 'unconfirmed' ? await confirmIntent(deps, protocol, payment, known.intentId) : known;
  return readAnswer(protocol, answer);
}

/** The charge that is there, unless all of it was given back at the provider: then it pays for nothing. */
async function adoptCharge(
  deps: ActivityDeps,
  { attempt, input: { orderId } }: Protocol,
  { intentId, amount }: PaymentProcessed,
): Promise<SettledPayment> {
  const refunds = await deps.payments.refunds({ intentId, timeoutMs: attempt.timeoutMs() });
  const gone = refunds.filter(({ status }) => status !== 'failed').map((refund) => refund.amount.amountMinor);
  if (sumMinor(gone) < amount.amountMinor) return { effect: { intentId, amount }, reference: intentId };
  await attempt.save(intentId, async (tx) => {
    const payment = (await tx.payments.list(orderId)).find((one) => one.intentId === intentId);
    if (payment) await recordRefunds(deps, tx, { order: attempt.order, payment, refunds });
  });
  return { refused: declined('The payment was refunded at the payment provider.') };
}

/** The payment's row, emptied for this method where it was another one's; that intent is closed by now. */
async function ofMethod(deps: ActivityDeps, protocol: Protocol): Promise<PaymentRow> {
  const { attempt, input } = protocol;
  const { payment } = attempt.facts;
  if (!isOfAnother(payment, input)) return payment;
  const { intentId: _, ...rest } = payment;
  const emptied: PaymentRow = {
    ...rest,
    state: 'creating',
    paymentMethodId: input.paymentMethodId,
    createRequestedAtUtc: deps.clock.nowUtc(),
    createKeyNumber: payment.createKeyNumber + 1,
    confirmKeyNumber: payment.confirmKeyNumber + 1,
    cancelKeyNumber: payment.cancelKeyNumber + 1,
  };
  await changePayment(protocol, () => emptied);
  return emptied;
}

/** A payment from before methods were stored is taken for the one that is asked for. */
export const isOfAnother = (
  payment: Pick<PaymentRow, 'paymentMethodId'>,
  { paymentMethodId }: { paymentMethodId?: string | undefined },
): boolean =>
  payment.paymentMethodId !== undefined &&
  paymentMethodId !== undefined &&
  payment.paymentMethodId !== paymentMethodId;

/**
 * Makes sure that no earlier payment method of the order can charge any more. One that has charged after all (the
 * customer authenticated it meanwhile) is the order's payment then, and the new method is not used.
 */
async function supersede(deps: ActivityDeps, protocol: Protocol): Promise<SettledPayment | undefined> {
  const { attempt } = protocol;
  for (const payment of attempt.facts.earlier) {
    const { intentId, state, amount } = payment;
    if (!intentId) continue;
    if (state === 'charged') return { effect: { intentId, amount }, reference: intentId };
    const left = await closeIntent(deps, { payment, intentId, timeoutMs: attempt.timeoutMs });
    if (left.status !== 'charged') continue;
    const found = await adoptCharge(deps, protocol, left);
    if ('effect' in found) return found;
  }
  return undefined;
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
    timeoutMs: attempt.timeoutMs(),
  };
  const created = await deps.payments.create(request).catch((error: unknown) => {
    if (!isKeySpent(error)) throw error;
    return adoptOrNextCreateKey(deps, protocol);
  });
  if (created.status === 'created') {
    const { intentId, replayed } = created;
    await storeIntent(protocol, intentId);
    if (replayed) return deps.payments.retrieve({ intentId, timeoutMs: attempt.timeoutMs() });
    return { status: 'unconfirmed', intentId };
  }
  return created;
}

/** The key can no longer tell: adopt the intent that is there, else leave the next key to the next attempt. */
async function adoptOrNextCreateKey(deps: ActivityDeps, protocol: Protocol): Promise<PaymentAnswer> {
  const { key, attempt } = protocol;
  const [found] = await deps.payments.findByOperation({
    operationKey: key,
    timeoutMs: attempt.timeoutMs(),
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
  const idempotencyKey = numbered(`${key}-confirm`, payment.confirmKeyNumber);
  const asked = await freshOrUndefined(
    deps.payments.confirm({ idempotencyKey, intentId, timeoutMs: attempt.timeoutMs() }),
  );
  if (asked) return asked;
  const now = await deps.payments.retrieve({ intentId, timeoutMs: attempt.timeoutMs() });
  if (now.status !== 'unconfirmed') return now;
  await changePayment(protocol, (row) => ({ ...row, confirmKeyNumber: row.confirmKeyNumber + 1 }));
  throw notSettled(payment, now);
}

/** An intent is stored before anything is charged; when the compensation was faster, it is taken back instead. */
const storeIntent = ({ attempt, input }: Protocol, intentId: string): Promise<void> =>
  attempt.save(intentId, (tx) =>
    putPayment(tx, input, (payment) => ({ ...payment, intentId, state: 'created' })),
  );

const changePayment = (
  { attempt, input }: Protocol,
  change: (payment: PaymentRow) => PaymentRow,
): Promise<void> => attempt.save(attempt.facts.payment.intentId, (tx) => putPayment(tx, input, change));

async function putPayment(
  tx: StoreTransaction,
  { orderId, n }: ProcessPayment,
  change: (payment: PaymentRow) => PaymentRow,
): Promise<void> {
  const payment = await tx.payments.find({ orderId, n });
  if (payment) await tx.payments.put(change(payment));
}

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
      return { refused: { ...declined(answer.reason, answer.declineCode), unsettled: true } };
    case 'canceled':
      return { refused: declined('The payment was canceled at the payment provider.') };
    case 'action_required':
      return awaitCustomer(protocol, answer.nextAction);
    case 'unconfirmed':
      throw notSettled(protocol.input, answer);
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
