import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import type { AuditEntry } from '../../domain/audit.ts';
import { buildEvent, type EventType } from '../../domain/events.ts';
import { customerId, orderId, productId, type OrderId, type ProductId } from '../../domain/ids.ts';
import type { Store, StoreTransaction } from '../../ports/store.ts';
import type { ContractDatabase, CreateDatabase } from './contract-database.ts';
import type { NewOrder } from '../../ports/store/orders.ts';
import type { OutboxMessage } from '../../ports/store/messages.ts';

export const time = (second: number): string => new Date(Date.UTC(2026, 0, 2, 3, 4, second)).toISOString();

export const newOrderId = (): OrderId => orderId(randomUUID());

/**
 * A database for the tests of one `describe`, with `connections` stores on it; dropped at the end. Read the returned
 * object inside tests only.
 */
export function useDatabase(createDatabase: CreateDatabase, connections = 1) {
  const context = {} as { database: ContractDatabase; store: Store; stores: Store[] };
  beforeAll(async () => {
    context.database = await createDatabase();
    context.stores = [];
    for (let count = 0; count < connections; count += 1) {
      context.stores.push(await context.database.connect());
    }
    if (context.stores[0]) context.store = context.stores[0];
  });
  afterAll(async () => {
    await Promise.all(context.stores.map((store) => store.close()));
    await context.database.drop();
  });
  return context;
}

/** The element at `index`; fails the test where there is none. */
export function at<T>(list: readonly T[], index: number): T {
  const element = list[index];
  if (element === undefined) throw new Error(`Expected an element at ${index}, the list has ${list.length}`);
  return element;
}

/** Runs `act` `count` times at once, in turn on each store. */
export const atOnce = <T>(
  stores: readonly Store[],
  count: number,
  act: (store: Store, index: number) => Promise<T>,
): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(at(stores, index % stores.length), index)));

export const newOrder = (change: Partial<NewOrder> = {}): NewOrder => ({
  orderId: newOrderId(),
  callerId: 'shop-a',
  customerId: customerId('customer-1'),
  customerEmail: 'customer@example.com',
  currency: 'INR',
  items: [{ productId: productId('keyboard'), quantity: 2 }],
  lines: [
    { kind: 'item', productId: productId('keyboard'), quantity: 2, amountMinor: 149_800 },
    { kind: 'discount', amountMinor: -800 },
    { kind: 'shipping', amountMinor: 900 },
  ],
  total: { amountMinor: 149_900, currency: 'INR' },
  paymentMethodId: 'pm_card_visa',
  shippingAddress: {
    name: 'A. Customer',
    street1: '1 Main Road',
    city: 'Pune',
    postalCode: '411001',
    country: 'IN',
  },
  workflowId: 'order-1',
  runId: 'run-1',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  createdAtUtc: time(0),
  ...change,
});

/** Inserts an order and returns it. */
export async function givenOrder(store: Store, change: Partial<NewOrder> = {}): Promise<NewOrder> {
  const order = newOrder(change);
  await store.transaction((tx) => tx.orders.insert(order));
  return order;
}

/** The order's first payment is charged, as before its label is bought; a payment that is there stays as it is. */
export const givenCharge = (store: Store, id: OrderId): Promise<void> =>
  store.transaction(async (tx) => {
    if ((await tx.payments.list(id)).length > 0) return;
    await tx.payments.put({
      orderId: id,
      n: 1,
      state: 'charged',
      amount: { amountMinor: 149_900, currency: 'INR' },
      intentId: 'pi_charged',
      createRequestedAtUtc: time(0),
      createKeyNumber: 1,
      confirmKeyNumber: 1,
      cancelKeyNumber: 1,
      refundKeyNumber: 1,
    });
  });

/** Inserts a product and returns its id. */
export async function givenProduct(store: Store, onHand: number): Promise<ProductId> {
  const id = productId(`product-${randomUUID()}`);
  const price = { amountMinor: 74_900, currency: 'INR' } as const;
  await store.transaction((tx) => tx.inventory.putProduct({ productId: id, name: 'Product', price, onHand }));
  return id;
}

export async function availableOf(store: Store, id: ProductId): Promise<number | undefined> {
  const products = await store.read.products();
  return products.find((product) => product.productId === id)?.available;
}

export const auditEntry = (change: Partial<AuditEntry> = {}): AuditEntry => ({
  subject: `order:${randomUUID()}`,
  actor: 'saga',
  step: 'payment',
  from: 'inventory_reserved',
  to: 'payment_processed',
  reason: 'charged “₹1,499.00”',
  causingEventId: randomUUID(),
  workflowId: 'order-1',
  runId: 'run-1',
  occurredAtUtc: time(1),
  ...change,
});

export const newMessage = (change: Partial<OutboxMessage> = {}): OutboxMessage => ({
  id: randomUUID(),
  occurredAtUtc: time(0),
  type: 'email.order-confirmation.v1',
  payload: '{"to":"ज़ोया"}',
  destination: 'queue:email-queue',
  orderId: newOrderId(),
  sequence: 0,
  traceparent: '',
  ...change,
});

/** Takes the order's next sequence and writes the event to the outbox, as a step does. */
export async function addEvent(tx: StoreTransaction, order: NewOrder, eventType: EventType) {
  const eventId = randomUUID();
  const { sequence, previousEventId } = await tx.orders.nextEvent({ orderId: order.orderId, eventId });
  const event = buildEvent({
    eventId,
    eventType,
    occurredAtUtc: time(sequence % 60),
    order: { ...order, total: order.total },
    details: {},
    traceId: order.traceId,
    causationId: previousEventId ?? 'checkout',
    sequence,
  });
  const message = newMessage({
    id: eventId,
    occurredAtUtc: event.occurredAtUtc,
    type: eventType,
    payload: JSON.stringify(event),
    destination: 'exchange:orders.exchange',
    orderId: order.orderId,
    sequence,
  });
  await tx.messages.add(message);
  return { event, previousEventId };
}
