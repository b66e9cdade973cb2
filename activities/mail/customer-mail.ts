import type { CustomerTask, MoneyBack } from '../../domain/email-task.ts';
import type { FailureType } from '../../domain/failures.ts';
import type { Money } from '../../domain/money.ts';
import { moneyStanding } from '../../domain/money-standing.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import { writeMail } from './write-mail.ts';
import type { OrderRow } from '../../ports/store/orders.ts';

/** What a mail says beside the order's own facts. */
type Wanted = CustomerTask extends infer Task
  ? Task extends CustomerTask
    ? Omit<Task, 'taskId' | 'to' | 'orderId' | 'customerName' | 'items'>
    : never
  : never;

/**
 * Puts one mail to the customer on its way, in the caller's transaction, through the outbox to the email queue. Nothing
 * where the customer's data was erased. Every call is a mail: the caller's operation, or row, makes it once.
 */
export async function writeCustomerMail(
  tx: StoreTransaction,
  { order, mail, nowUtc }: { order: OrderRow; mail: Wanted; nowUtc: string },
): Promise<void> {
  if (order.customerEmail === '') return;
  const { orderId, traceId } = order;
  const facts = {
    to: order.customerEmail,
    orderId,
    customerName: order.shippingAddress.name,
    items: await itemsOf(tx, order),
  };
  await writeMail(tx, { mail: { ...facts, ...mail }, orderId, traceId, nowUtc });
}

/** With the names that the catalog has for them now, and what each cost. */
async function itemsOf(tx: StoreTransaction, { items, lines }: OrderRow): Promise<CustomerTask['items']> {
  const products = await tx.inventory.products(items.map(({ productId }) => productId));
  return items.map((item) => {
    const name = products.find(({ productId }) => productId === item.productId)?.name;
    const line = lines.find(({ kind, productId }) => kind === 'item' && productId === item.productId);
    return {
      ...item,
      ...(name === undefined ? {} : { name }),
      ...(line ? { amountMinor: line.amountMinor } : {}),
    };
  });
}

/**
 * Tells the customer that the order has ended without shipping, why it failed, and what becomes of the money. Checkout
 * answers before an order is priced: who has left the shop by then learns of it here. Once, by the closing operation.
 */
export async function writeEndMail(
  tx: StoreTransaction,
  {
    order,
    ending,
    nowUtc,
    chargeLeft,
  }: { order: OrderRow; ending: Ending; nowUtc: string; chargeLeft?: true },
): Promise<void> {
  const { orderId } = order;
  const { status } = ending;
  const payments = await tx.payments.list(orderId);
  const refunds = await tx.refunds.list(orderId);
  const disputes = await tx.disputes.list(orderId);
  const standing = moneyStanding({ status, payments, refunds, disputes }, true);
  const mail = {
    template: 'order-ended',
    canceled: status === 'cancelled',
    ...(status === 'failed' ? { failureType: ending.failure.type } : {}),
    ...(standing ? moneyBack(standing) : {}),
    ...(chargeLeft ? { chargeLeft } : {}),
  } as const;
  await writeCustomerMail(tx, { order, mail, nowUtc });
}

type Ending = { status: 'cancelled' } | { status: 'failed'; failure: { type: FailureType } };

type Standing = NonNullable<ReturnType<typeof moneyStanding>>;

/** Only what there is. */
function moneyBack(standing: Standing): MoneyBack {
  const { currency, refunded, paidOtherwise, onTheWay, heldByBank, takenByBank, owed } = standing;
  const money = (amountMinor: number): Money => ({ amountMinor, currency });
  const back = refunded + paidOtherwise + onTheWay;
  return {
    ...(back > 0 ? { back: money(back) } : {}),
    ...(heldByBank > 0 ? { heldByBank: money(heldByBank) } : {}),
    ...(takenByBank > 0 ? { givenByBank: money(takenByBank) } : {}),
    ...(owed > 0 ? { owed: money(owed) } : {}),
  };
}
