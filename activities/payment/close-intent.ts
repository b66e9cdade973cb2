import { TechnicalFailure } from '../../domain/failures.ts';
import { isKeySpent, type PaymentAnswer } from '../../ports/payment-gateway.ts';
import type { PaymentRow } from '../../ports/store/money.ts';
import type { ActivityDeps } from '../deps.ts';
import { findOrder } from '../transition.ts';

/**
 * Could still charge, or has: every payment with an intent that is not known to be canceled, or charged and given back. A
 * declined one is back at *requires payment method*: whoever has its client secret, as the customer's second tab, can
 * confirm it again.
 */
export const mayCharge = ({ intentId, state }: PaymentRow): boolean =>
  intentId !== undefined && state !== 'canceled' && state !== 'refunded';

/** An intent of one of the order's payments, and the time of the next request. */
export interface IntentOf {
  payment: PaymentRow;
  intentId: string;
  timeoutMs(): number;
}

/** Requests of `closeIntent` at most: look, cancel, and look again where the cancel's answer was an old one. */
export const closingRequests = 3;

/** From here on the intent never charges (again). */
type Closed = Extract<PaymentAnswer, { status: 'charged' | 'canceled' }>;

/**
 * Makes sure that an intent can no longer become a charge: answers that it is canceled, or that it is charged already.
 * What a key's first request was told is replayed for 24 h, so only a fresh answer counts, else the intent is asked; a
 * cancel that is still needed then goes out under the next key, `cancel-<orderId>-<n>[-r<number>]`.
 * Run twice, at the same time, killed anywhere or late: the provider cancels once, and a charge stays a charge.
 * Fails technically (OutcomeUnknown) while the provider does neither, as with an intent that it is still processing.
 */
export async function closeIntent(
  deps: ActivityDeps,
  { payment, intentId, timeoutMs }: IntentOf,
): Promise<Closed> {
  const { orderId, n, cancelKeyNumber } = payment;
  const retrieve = () => deps.payments.retrieve({ intentId, timeoutMs: timeoutMs() });
  const now = await retrieve();
  if (isClosed(now)) return now;
  const idempotencyKey = numbered(`cancel-${orderId}-${n}`, cancelKeyNumber);
  const asked = await freshOrUndefined(
    deps.payments.cancel({ idempotencyKey, intentId, timeoutMs: timeoutMs() }),
  );
  const left = asked ?? (await retrieve());
  if (isClosed(left)) return left;
  await takeNextKey(deps, payment, 'cancelKeyNumber');
  throw notSettled(payment, left);
}

const isClosed = (answer: PaymentAnswer): answer is Closed =>
  answer.status === 'charged' || answer.status === 'canceled';

/**
 * Makes sure that no payment of the order but that of `reference` can charge any more; answers the intent of one that has
 * charged already.
 */
export async function closeOthers(
  deps: ActivityDeps,
  { payment: present, earlier }: { payment: PaymentRow; earlier: readonly PaymentRow[] },
  { reference, timeoutMs }: { reference: string; timeoutMs(): number },
): Promise<string | undefined> {
  for (const payment of [...earlier, present]) {
    const { intentId } = payment;
    if (!intentId || intentId === reference) continue;
    const left = await closeIntent(deps, { payment, intentId, timeoutMs });
    if (left.status === 'charged') return intentId;
  }
  return undefined;
}

/** The answer, unless it is one that the provider has kept under the key: then undefined. */
export async function freshOrUndefined<Answer extends { replayed?: true }>(
  request: Promise<Answer>,
): Promise<Answer | undefined> {
  try {
    const answer = await request;
    return answer.replayed ? undefined : answer;
  } catch (error) {
    if (!isKeySpent(error)) throw error;
    return undefined;
  }
}

/** The provider's key of a request that was answered `number - 1` times by what was no use. */
export const numbered = (key: string, number: number): string => (number === 1 ? key : `${key}-r${number}`);

/** The next attempt asks under the next key; where another attempt has moved on already, nothing changes. */
export const takeNextKey = (
  deps: ActivityDeps,
  payment: PaymentRow,
  name: 'cancelKeyNumber' | 'refundKeyNumber',
): Promise<void> =>
  deps.store.transaction(async (tx) => {
    await findOrder(tx, payment.orderId);
    const row = await tx.payments.find(payment);
    if (row && row[name] === payment[name]) await tx.payments.put({ ...row, [name]: row[name] + 1 });
  });

/** Neither charged nor refused for good: a later look tells. */
export const notSettled = (
  { orderId }: Pick<PaymentRow, 'orderId'>,
  { intentId, status }: Pick<PaymentAnswer, 'intentId' | 'status'>,
): TechnicalFailure =>
  new TechnicalFailure(
    'OutcomeUnknown',
    `Intent ${intentId} of order ${orderId} is ${status} and not settled yet`,
    {
      retryAfterMs: 2_000,
    },
  );
