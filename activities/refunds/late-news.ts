import { activityInfo, log } from '@temporalio/activity';
import type { OrderId } from '../../domain/ids.ts';
import { formatAmount, type Money } from '../../domain/money.ts';
import { isUnknownThere } from '../../ports/payment-gateway.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { writeHelpDeskMail } from '../mail/help-desk-mail.ts';

/** What the payment provider says about a payment that SQL does not have (any more). */
export interface LateNews {
  orderId: OrderId;
  /** The order is in the store, this payment of it is not. */
  orderIsHere: boolean;
  intentId: string;
  kind: 'refund' | 'dispute';
  id: string;
  state: string;
  amount: Money;
  /** Why it failed, or what the bank says. */
  reason: string;
  createdAtUtc: string;
  dueByUtc?: string;
}

/**
 * Tells the help desk of something that has no order or no payment to be recorded with: the order was purged, SQL was
 * restored, or somebody has charged at the provider's own desk. With all that the provider says, since nobody here can look
 * it up. Once per object and state, in the caller's transaction.
 */
export async function tellLateNews(deps: ActivityDeps, tx: StoreTransaction, news: LateNews): Promise<void> {
  const { orderId, kind, id, state, amount, reason, intentId, createdAtUtc, dueByUtc, orderIsHere } = news;
  const missing = orderIsHere ? 'a payment' : 'an order';
  log.warn(`the payment provider tells of ${missing} that is not in the store`, { orderId, kind, id, state });
  if (!(await isFirstOf(deps, tx, { id, state }))) return;
  await writeHelpDeskMail(deps, tx, {
    orderId,
    subject: orderIsHere
      ? `A ${kind} for order ${orderId} of a payment that is not in the store: ${state}`
      : `A ${kind} of order ${orderId}, which is no longer here: ${state}`,
    lines: [
      `The payment provider says that ${kind} ${id} of ${formatAmount(amount)} ${amount.currency} is ${state}${reason ? ` (${reason})` : ''}. It is of payment ${intentId} and was made at ${createdAtUtc}.`,
      ...(dueByUtc ? [`The bank can be answered until ${dueByUtc}.`] : []),
      orderIsHere
        ? `The order is in the store and this payment of it is not: somebody made it at the payment provider, or the store was restored from a backup. Nothing was recorded; see to it at the payment provider, and look at the order before it is shipped.`
        : `Order ${orderId} is not in the store: it was purged, or the store was restored from a backup. Nothing was recorded; see to it at the payment provider.`,
    ],
  });
}

/** A charge that carries an order's id, of an order or a payment that SQL does not have. */
export interface UnknownCharge {
  orderId: OrderId;
  intentId: string;
  amount: Money;
  /** The order is in the store, this payment of it is not. */
  orderIsHere: boolean;
}

/** Tells the help desk of a charge that nothing here can be settled with. Once per charge, in the caller's transaction. */
export async function tellUnknownCharge(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { orderId, intentId, amount, orderIsHere }: UnknownCharge,
): Promise<void> {
  log.warn('the payment provider tells of a charge that is not in the store', { orderId, intentId });
  if (!(await isFirstOf(deps, tx, { id: intentId, state: 'charged' }))) return;
  await writeHelpDeskMail(deps, tx, {
    orderId,
    subject: `A charge for order ${orderId} that is not in the store`,
    lines: [
      `The payment provider has charged ${formatAmount(amount)} ${amount.currency} with payment ${intentId}, which carries the id of order ${orderId}. Nothing was recorded and nothing is refunded by itself.`,
      orderIsHere
        ? `The order is in the store and this payment of it is not: somebody made it at the payment provider, or the store was restored from a backup. If it pays an order that is parked at payment, mark that step as done with ${intentId} as its reference; otherwise refund it at the payment provider.`
        : 'The order is not in the store: it was purged, or the store was restored from a backup. Refund it at the payment provider.',
    ],
  });
}

/** Whether nobody was told of the object in this state before; marked with the transaction. */
const isFirstOf = (
  { clock }: ActivityDeps,
  tx: StoreTransaction,
  { id, state }: { id: string; state: string },
): Promise<boolean> =>
  tx.processedEvents.mark({
    consumer: 'late-news',
    eventId: `${id}-${state}`,
    processedAtUtc: clock.nowUtc(),
  });

/** A notice may come before what it is about can be read; not a day before. */
const GIVE_UP_MS = 24 * 60 * 60 * 1_000;

/** What the provider has of the object that a notice names; null, with a line, when it has not known it for a day. */
export async function knownThere<T>(
  deps: ActivityDeps,
  { kind, id }: { kind: string; id: string },
  ask: Promise<T>,
): Promise<T | null> {
  try {
    return await ask;
  } catch (error) {
    const waitedMs = Date.parse(deps.clock.nowUtc()) - activityInfo().scheduledTimestampMs;
    if (!isUnknownThere(error) || waitedMs < GIVE_UP_MS) throw error;
    log.warn('a notice names what the payment provider does not know; it is given up', { kind, id });
    return null;
  }
}
