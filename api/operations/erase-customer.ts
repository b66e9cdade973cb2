import { deadLetterSubject } from '../../domain/dead-letters.ts';
import { orderSubject } from '../../domain/audit.ts';
import type { CustomerId, OrderId } from '../../domain/ids.ts';
import { isEnded, type Address, type OrderView } from '../../domain/order.ts';
import { owedOf } from '../../domain/owed.ts';
import { undecidedRefundStates } from '../../domain/refunds.ts';
import type { Store, StoreTransaction } from '../../ports/store.ts';
import type { OrderSummary } from '../../ports/temporal.ts';
import type { OrderRow } from '../../ports/store/orders.ts';

export interface EraseCustomer {
  customerId: CustomerId;
  /** Keyed HMAC of the customer id: names the customer in the audit trail. */
  customerHash: string;
  actor: string;
  reason: string;
}

/** How much was erased now; what was erased before does not count again. */
export interface Erased {
  /** All of the customer's orders. */
  orders: number;
  erasedOrders: number;
  mails: number;
  deadLetters: number;
}

/** `owing`: they have ended, and the customer has to get money from them: whoever pays it needs the data. */
export type EraseAnswer =
  | { status: 'erased'; erased: Erased }
  | { status: 'refused'; openOrders: OrderId[] }
  | { status: 'refused'; owing: OrderId[] };

interface EraseDeps {
  store: Pick<Store, 'read' | 'transaction'>;
  /** The customer's orders that Temporal runs, recorded in SQL or not. */
  running(): Promise<Pick<OrderSummary, 'orderId'>[]>;
  nowUtc(): string;
}

const PAGE = 50;

/**
 * Removes what SQL holds of a customer beside the shop's own customer id: address and mail address, the payment
 * method, links to labels, the content of mails that were sent, wait, were set aside or failed. Orders, money and
 * audit trail stay. Refused, with nothing erased, while the customer has open orders.
 * Idempotent: what broke off goes on when it is repeated. Writes one audit row per order and one for the customer, none
 * of them with personal data.
 */
export async function eraseCustomer(deps: EraseDeps, input: EraseCustomer): Promise<EraseAnswer> {
  const found = await customerOrders(deps, input);
  const kept = refusalOf(found);
  if (kept) return kept;
  const erased: Erased = { orders: found.all.length, erasedOrders: 0, mails: 0, deadLetters: 0 };
  for (const orderId of found.all) {
    const one = await deps.store.transaction((tx) => eraseOrder(deps, tx, { ...input, orderId }));
    if (one === 'open') return { status: 'refused', openOrders: [orderId] };
    if (one === 'owing') return { status: 'refused', owing: [orderId] };
    erased.erasedOrders += one.erasedOrders;
    erased.mails += one.mails;
    erased.deadLetters += one.deadLetters;
  }
  await noteErasure(deps, input, erased);
  return { status: 'erased', erased };
}

/** Why a customer's data has to stay for now. */
export function refusalOf({ open, owing }: CustomerOrders): EraseAnswer | undefined {
  if (open.length > 0) return { status: 'refused', openOrders: open };
  return owing.length > 0 ? { status: 'refused', owing } : undefined;
}

interface CustomerOrders {
  all: OrderId[];
  open: OrderId[];
  owing: OrderId[];
}

/** The customer's orders, those that are not over yet, and those that owe. */
export async function customerOrders(
  { store, running }: Pick<EraseDeps, 'store' | 'running'>,
  { customerId }: Pick<EraseCustomer, 'customerId'>,
): Promise<CustomerOrders> {
  const all: OrderId[] = [];
  const owing: OrderId[] = [];
  const open = new Set((await running()).map(({ orderId }) => orderId));
  for (let after: OrderId | undefined, more = true; more;) {
    const page = await store.read.customers.orders({ customerId, ...(after ? { after } : {}), limit: PAGE });
    for (const { orderId, status, owes } of page) {
      all.push(orderId);
      if (!isEnded(status)) open.add(orderId);
      else if (owes) owing.push(orderId);
    }
    after = page.at(-1)?.orderId;
    more = page.length === PAGE;
  }
  return { all, open: [...open], owing };
}

type Counts = Pick<Erased, 'erasedOrders' | 'mails' | 'deadLetters'>;

async function eraseOrder(
  { nowUtc }: Pick<EraseDeps, 'nowUtc'>,
  tx: StoreTransaction,
  act: EraseCustomer & { orderId: OrderId },
): Promise<Counts | 'open' | 'owing'> {
  const { orderId } = act;
  const order = await tx.orders.find(orderId);
  if (!order) return { erasedOrders: 0, mails: 0, deadLetters: 0 };
  if (!isEnded(order.status)) return 'open';
  if (await owes(tx, order)) return 'owing';
  const now = nowUtc();
  const mails = await tx.personalData.eraseMails({ orderId, nowUtc: now });
  const letters = await tx.personalData.eraseDeadLetters({ orderId, nowUtc: now });
  const run = { workflowId: order.workflowId, runId: order.runId };
  for (const { id, messageId, wasOpen } of letters) {
    if (!wasOpen) continue;
    await note(tx, act, {
      ...run,
      subject: deadLetterSubject(id),
      from: 'open',
      to: 'discarded',
      causingEventId: messageId,
      occurredAtUtc: now,
    });
  }
  await forgetMethods(tx, orderId);
  const counts = { mails, deadLetters: letters.length };
  if (isErased(order)) return { ...counts, erasedOrders: 0 };
  await blank(tx, order);
  const subject = orderSubject(orderId);
  await note(tx, act, {
    ...run,
    subject,
    from: 'kept',
    to: 'erased',
    causingEventId: '',
    occurredAtUtc: now,
  });
  return { ...counts, erasedOrders: 1 };
}

async function owes(tx: StoreTransaction, { orderId, status }: OrderRow): Promise<boolean> {
  const refunds = await tx.refunds.list(orderId);
  const undecided: readonly string[] = undecidedRefundStates;
  if (refunds.some(({ state }) => undecided.includes(state))) return true;
  const [payments, disputes] = [await tx.payments.list(orderId), await tx.disputes.list(orderId)];
  return owedOf({ status, payments, refunds, disputes }).length > 0;
}

const isErased = ({ customerEmail }: OrderRow): boolean => customerEmail === '';

async function blank(tx: StoreTransaction, order: OrderRow): Promise<void> {
  const { orderId, updatedAtUtc } = order;
  await tx.orders.update({
    orderId,
    customerEmail: '',
    shippingAddress: emptyAddress(order.shippingAddress),
    paymentMethodId: '',
    fingerprint: '',
    detail: withoutPersonalData(order.detail),
    updatedAtUtc,
  });
  for (const { labelUrl, ...row } of await tx.shipments.list(orderId)) {
    if (labelUrl !== undefined) await tx.shipments.put(row);
  }
}

/** Also of orders that were erased before payments were looked at. */
async function forgetMethods(tx: StoreTransaction, orderId: OrderId): Promise<void> {
  for (const { paymentMethodId, ...payment } of await tx.payments.list(orderId)) {
    if (paymentMethodId !== undefined) await tx.payments.put(payment);
  }
}

/** A label shows the address; a hold's reason may quote it. */
export const withoutPersonalData = <Known extends Pick<OrderView, 'shipment' | 'hold'>>({
  shipment,
  hold: _,
  ...rest
}: Known) => ({ ...rest, ...(shipment ? { shipment: { ...shipment, labelUrl: '' } } : {}) });

/** The country stays, for the books. */
const emptyAddress = ({ country }: Address): Address => ({
  name: '',
  street1: '',
  city: '',
  postalCode: '',
  country,
});

async function noteErasure(
  { store, nowUtc }: EraseDeps,
  input: EraseCustomer,
  erased: Erased,
): Promise<void> {
  const { erasedOrders, mails, deadLetters } = erased;
  if (erasedOrders + mails + deadLetters === 0) return;
  await store.transaction((tx) =>
    note(tx, input, {
      subject: `customer:${input.customerHash}`,
      from: 'kept',
      to: `erased: ${erasedOrders} orders, ${mails} mails, ${deadLetters} dead letters`,
      causingEventId: '',
      workflowId: '',
      runId: '',
      occurredAtUtc: nowUtc(),
    }),
  );
}

const note = (
  tx: StoreTransaction,
  { actor, reason }: EraseCustomer,
  row: Omit<Parameters<StoreTransaction['audit']['append']>[0], 'actor' | 'reason' | 'step'>,
): Promise<void> => tx.audit.append({ ...row, actor, reason, step: 'personal-data' });
