import type { NotedRetry } from '../domain/retries.ts';
import type { StockAdjustment, StockChange } from '../domain/stock.ts';
import type { AuditEntry, AuditRow } from '../domain/audit.ts';
import type { DomainEvent, EventType } from '../domain/events.ts';
import type { Refusal } from '../domain/failures.ts';
import type { CustomerId, OperationKey, OrderId, ProductId } from '../domain/ids.ts';
import type { Currency, Money } from '../domain/money.ts';
import type {
  Actor,
  Address,
  EndStatus,
  OrderItem,
  OrderLine,
  OrderStatus,
  OrderView,
  SagaState,
  StepName,
} from '../domain/order.ts';
import type { ParcelItem, UnitFacts } from '../domain/parcel.ts';
import type {
  WebhookAttempt,
  WebhookEndpoint,
  WebhookEndpointId,
  WebhookEndpointState,
} from '../domain/webhooks.ts';
import type { Dispute, UndecidedRefundState } from '../domain/refunds.ts';
import type { CustomerReads, PersonalDataStatements } from './customers.ts';
import type { DeadLetterReads, DeadLetterStatements } from './dead-letters.ts';
import type { ProviderStatements, ReadProviders } from './providers.ts';
import type { DebtReads, DisputeStatements, RefundRow, RefundStatements } from './refunds.ts';

/**
 * Truth: orders, stock, money, shipments, operations, audit trail and outbox in one SQL database.
 *
 * Every method may reject with TechnicalFailure('StoreUnavailable'); a `transaction` whose commit reply was lost
 * rejects with TechnicalFailure('OutcomeUnknown'), and the operation key tells on the next attempt.
 */
export interface Store {
  /**
   * Runs `work` in one transaction: all of it is durable when the promise resolves, nothing of it when it rejects.
   * `work` awaits nothing but the methods of `tx` (no provider call, no timer): a connection is held meanwhile.
   * `work` may be run again from its start after a deadlock or a busy database.
   */
  transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T>;
  /** Reads outside any transaction; never wait for writers. */
  read: StoreReads;
  /** The relay's side of the outbox; each call is a short transaction of its own. */
  outbox: OutboxStore;
  /** Reads of the scripts that look after the store; they may read as much as there is. */
  upkeep: StoreUpkeep;
  /** Resolves when the store answers and its schema is the code's; rejects with the reason otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreTransaction {
  operations: OperationStatements;
  orders: OrderStatements;
  orderActs: OrderActStatements;
  acts: ActStatements;
  inventory: InventoryStatements;
  payments: PaymentStatements;
  refunds: RefundStatements;
  disputes: DisputeStatements;
  fulfillments: FulfillmentStatements;
  shipments: ShipmentStatements;
  audit: AuditStatements;
  messages: MessageStatements;
  processedEvents: ProcessedEventStatements;
  deadLetters: DeadLetterStatements;
  providers: ProviderStatements;
  webhooks: WebhookStatements;
  retention: RetentionStatements;
  personalData: PersonalDataStatements;
  unrecordedOrders: UnrecordedOrderStatements;
  retries: RetryStatements;
}

/** What an operation led to; stored once, returned for ever. `result` is plain JSON. */
export type StoredOutcome = { done: unknown } | { refused: Refusal };

export interface Operation {
  key: OperationKey;
  orderId: OrderId;
  step: string;
  /** Counts attempts; an attempt whose fence is no longer the stored one is stale and must not commit. */
  fence: number;
  outcome?: StoredOutcome;
  /** Until then the attempt with this fence may still cause effects; absent when it has ended. */
  leaseUntilUtc?: string;
}

export interface OperationStatements {
  /** The row, locked until the transaction ends where the database locks rows. */
  find(key: OperationKey): Promise<Operation | undefined>;
  /**
   * Begins an attempt: inserts the row with fence 1 or adds 1 to the fence and sets the lease. A row that has an
   * outcome is returned as it is, unchanged.
   */
  begin(input: {
    key: OperationKey;
    orderId: OrderId;
    step: string;
    leaseUntilUtc?: string;
  }): Promise<Operation>;
  /** Stores the outcome (only where none is stored: returns false otherwise) and ends the lease. */
  finish(input: { key: OperationKey; outcome: StoredOutcome }): Promise<boolean>;
  /** Replaces the outcome: only where a refusal has turned out otherwise, as a declined payment that was paid after all. */
  revise(input: { key: OperationKey; outcome: { done: unknown } }): Promise<void>;
  /** Ends the lease of the attempt with this fence; a no-op for another fence. */
  endLease(input: { key: OperationKey; fence: number }): Promise<void>;
  /** Operations of one order and step with a lease in the future: attempts that may still cause effects. */
  leased(input: { orderId: OrderId; step: string; nowUtc: string }): Promise<Operation[]>;
}

export interface NewOrder {
  orderId: OrderId;
  callerId: string;
  customerId: CustomerId;
  customerEmail: string;
  currency: Currency;
  items: OrderItem[];
  /** Empty and total absent when the order could not be priced. */
  lines: OrderLine[];
  total?: Money;
  /** What its parcel holds; absent for an order that was not priced, or by an older release. */
  parcel?: ParcelItem[];
  paymentMethodId: string;
  shippingAddress: Address;
  workflowId: string;
  runId: string;
  traceId: string;
  /** Names the request that the order was placed with; absent on orders from before it was stored, empty once erased. */
  fingerprint?: string;
  createdAtUtc: string;
}

export interface OrderRow extends NewOrder {
  status: OrderStatus;
  sagaState: SagaState;
  step: StepName;
  /** What `OrderView` shows beside the columns (hold, parked, failure, shipment, cancel request), and what was decided. */
  detail: OrderDetail;
  updatedAtUtc: string;
}

export type OrderDetail = Pick<
  OrderView,
  'hold' | 'parked' | 'failure' | 'cancelRequested' | 'shipment' | 'shipping'
> & {
  /** What another run of the order has to go by as well; nobody else is shown it. */
  decided?: Decided;
};

export interface Decided {
  /** The checkout's own. */
  riskMark?: string;
  /** An operator let the order pass that waited for approval. */
  approvedBy?: Actor;
  /** The carrier's service that an operator wants. */
  service?: string;
  /** An operator had the order go on without asking the carrier about its address. */
  addressSkipped?: true;
}

/** What of an order's detail everybody may see who may see the order. */
export function shownDetail({ decided: _, ...shown }: OrderDetail): Omit<OrderDetail, 'decided'> {
  return shown;
}

/** Before every order: `leased` then finds the leases of all time. */
export const beginning = '2000-01-01T00:00:00.000Z';

/** The latest of an order's leases on its label. */
export function labelLease(leased: readonly Operation[]): Pick<StoredMoney, 'labelUntilUtc'> {
  const last = leased
    .flatMap(({ leaseUntilUtc = [] }) => leaseUntilUtc)
    .toSorted()
    .at(-1);
  return last === undefined ? {} : { labelUntilUtc: last };
}

export interface OrderStatements {
  /** False when the id is taken: nothing is changed then. */
  insert(order: NewOrder): Promise<boolean>;
  /**
   * The row, locked until the transaction ends: every transaction of a step reads its order first, so transactions of
   * one order run one after another and a tombstone cannot slip in between a check and its commit.
   */
  find(id: OrderId): Promise<OrderRow | undefined>;
  /** How an order had ended that was purged since; undefined for every other. */
  purged(id: OrderId): Promise<EndStatus | undefined>;
  /** Sets the given fields; `detail` replaces the stored one whole. Rejects when the order does not exist. */
  update(input: {
    orderId: OrderId;
    status?: OrderStatus;
    sagaState?: SagaState;
    step?: StepName;
    detail?: OrderDetail;
    shippingAddress?: Address;
    customerEmail?: string;
    paymentMethodId?: string;
    fingerprint?: string;
    updatedAtUtc: string;
  }): Promise<void>;
  /** Takes the order's next event number and names the event as the order's last. */
  nextEvent(input: {
    orderId: OrderId;
    eventId: string;
  }): Promise<{ sequence: number; previousEventId: string | undefined }>;
}

/** A person's act that gave the order another payment method or address, and the number of the attempt it caused. */
export interface OrderActRow {
  orderId: OrderId;
  /** Names the act for good, whichever run hears of it; at most 255 ASCII characters. */
  actId: string;
  kind: 'payment' | 'address';
  /** From 2 on: 1 is the checkout's own. No two acts of an order share one of a kind. */
  n: number;
  recordedAtUtc: string;
}

export interface OrderActStatements {
  /** The order's acts, in no order. */
  list(orderId: OrderId): Promise<OrderActRow[]>;
  /** Rejects where the act, or its number, is there already: read the list first, under the order's lock. */
  insert(act: OrderActRow): Promise<void>;
}

/**
 * What was asked of an order by its id: accepted and about to have its effect, done, overtaken by something else, or refused
 * after the call was answered. What was refused at once has no row.
 */
export interface ActRow {
  orderId: OrderId;
  /** Names the act for good, whichever run hears of it; at most 255 ASCII characters. */
  actId: string;
  /** Name of its update and signal. */
  name: string;
  /** Of the request that asked for it; absent where it came by Temporal's own tools. */
  fingerprint?: string;
  state: 'accepted' | 'done' | 'overtaken' | 'refused';
  /** Why it was refused or came to nothing. */
  reason?: string;
  recordedAtUtc: string;
}

export interface ActStatements {
  /** The order's acts, in no order. */
  list(orderId: OrderId): Promise<ActRow[]>;
  /** False where the act is there already: nothing is changed then. */
  insert(act: ActRow): Promise<boolean>;
  /** Moves an accepted act on; every other state stays as it is, as does an act that is not there. */
  settle(input: Pick<ActRow, 'orderId' | 'actId' | 'state' | 'reason'>): Promise<void>;
}

export interface ProductFacts extends UnitFacts {
  /** Since when no order of it is taken; absent: it is sold. */
  withdrawnAtUtc?: string;
}

export interface Product extends ProductFacts {
  productId: ProductId;
  name: string;
  price: Money;
  /** Units that can still be reserved: on hand less reserved. */
  available: number;
}

export interface InventoryStatements {
  /** The products that exist among the given ids, in any order. */
  products(ids: readonly ProductId[]): Promise<Product[]>;
  /**
   * Reserves every line or none. Products are locked in the order of their ids, so that orders which share products
   * never deadlock. Returns the products that fell short; empty means reserved.
   */
  reserve(input: { orderId: OrderId; items: readonly OrderItem[] }): Promise<ProductId[]>;
  /** Held orders of this caller's customer that have the product reserved, by id; locks nothing. */
  heldBy(input: { callerId: string; customerId: CustomerId; productId: ProductId }): Promise<OrderId[]>;
  /** Gives back what the order still has reserved; returns those items (empty: nothing was). */
  release(orderId: OrderId): Promise<OrderItem[]>;
  /** Shipped: reserved units leave the stock on hand. Returns false when nothing was reserved. */
  consume(orderId: OrderId): Promise<boolean>;
  /** Inserts or changes a product; `onHand` is set when given. */
  putProduct(input: { productId: ProductId; name: string; price: Money; onHand?: number }): Promise<void>;
  /** Sets all facts of a product that exists; those that are absent are not known, or not so, from now on. */
  describeProduct(input: { productId: ProductId } & ProductFacts): Promise<void>;
  /**
   * Changes the stock on hand as `changedStock` says, under the product's lock; with a `refusal` nothing is changed.
   * Undefined for a product that does not exist. Several products in one transaction: in the order of their ids, as
   * `reserve` locks them. `{ by: 0 }` only locks the product.
   */
  adjust(input: { productId: ProductId } & StockChange): Promise<StockAdjustment | undefined>;
}

/** A product with its stock. */
export interface StockRow extends ProductFacts {
  productId: ProductId;
  name: string;
  price: Money;
  onHand: number;
  reserved: number;
}

export type PaymentState =
  'creating' | 'created' | 'action_required' | 'declined' | 'charged' | 'canceled' | 'refunded';

export interface PaymentRow {
  orderId: OrderId;
  /** Number of the accepted payment update: 1 for the checkout's own payment method. */
  n: number;
  state: PaymentState;
  amount: Money;
  /** The provider's intent; stored before anything is confirmed. */
  intentId?: string;
  refundId?: string;
  /** First request to create with the present create key; an older one is never sent again, see the payment adapter. */
  createRequestedAtUtc: string;
  /** Suffix numbers of the provider's idempotency keys: the next is used after a look-up found that a key's stored answer is old. */
  createKeyNumber: number;
  confirmKeyNumber: number;
  cancelKeyNumber: number;
  refundKeyNumber: number;
  /** The method that the intent was made for; absent on payments from before it was stored. */
  paymentMethodId?: string;
}

export interface PaymentStatements {
  find(input: { orderId: OrderId; n: number }): Promise<PaymentRow | undefined>;
  list(orderId: OrderId): Promise<PaymentRow[]>;
  /** The orders that have the intent for a payment of theirs: one at most, unless somebody changed what it says there. */
  ordersOf(intentId: string): Promise<OrderId[]>;
  /** Inserts or replaces the row of (orderId, n). */
  put(row: PaymentRow): Promise<void>;
}

export interface FulfillmentStatements {
  /** False when the order has a fulfillment already. */
  create(input: { orderId: OrderId; fulfillmentId: string; createdAtUtc: string }): Promise<boolean>;
  /** The fulfillment's id when one was open and is now cancelled. */
  cancel(input: { orderId: OrderId; cancelledAtUtc: string }): Promise<string | undefined>;
}

export type ShipmentState = 'creating' | 'created' | 'refused' | 'bought' | 'void_requested' | 'voided';

export interface ShipmentRow {
  orderId: OrderId;
  /** Number of the accepted address update: 1 for the checkout's own address. */
  n: number;
  state: ShipmentState;
  /** The carrier's shipment; stored before a label is bought. */
  providerShipmentId?: string;
  rateId?: string;
  carrier?: string;
  service?: string;
  trackingCode?: string;
  labelUrl?: string;
  /** Price of the label in the carrier's currency; never added to the order's money. */
  labelCost?: { amount: string; currency: string };
}

export interface ShipmentStatements {
  find(input: { orderId: OrderId; n: number }): Promise<ShipmentRow | undefined>;
  list(orderId: OrderId): Promise<ShipmentRow[]>;
  /** The orders that have the carrier's shipment for theirs. */
  ordersOf(providerShipmentId: string): Promise<OrderId[]>;
  put(row: ShipmentRow): Promise<void>;
}

export interface AuditStatements {
  /** Appends to the subject's hash chain and moves its head. */
  append(entry: AuditEntry): Promise<void>;
}

/** A message on its way to the broker: an event, or a task for a named queue. */
export interface OutboxMessage {
  /** UUID; becomes the AMQP messageId. For events the eventId. */
  id: string;
  occurredAtUtc: string;
  /** Event type or task type, for example `email.order-confirmation.v1`. */
  type: string;
  /** JSON text, sent as it is. */
  payload: string;
  /** `exchange:orders.exchange` for events, `queue:<name>` for tasks. */
  destination: string;
  orderId: OrderId;
  /** The event's sequence; 0 for tasks, which have no place in the order's events. */
  sequence: number;
  /** W3C `traceparent` header value; empty when there is none. */
  traceparent: string;
  /** AMQP priority 0-10; absent for none. */
  priority?: number;
}

export interface MessageStatements {
  add(message: OutboxMessage): Promise<void>;
  /**
   * Ends the setting aside of a message: `retry` gives it to the relay again with no attempts counted, with another
   * payload where one is given; `skip` closes it unpublished, so that later messages of its order go on. False when it
   * is not set aside.
   */
  resume(input: { id: string; act: 'retry' | 'skip'; payload?: string; nowUtc: string }): Promise<boolean>;
}

export interface ProcessedEventStatements {
  /** Marks the event as handled by this consumer; false when it already was (skip the effect). */
  mark(input: { consumer: string; eventId: string; processedAtUtc: string }): Promise<boolean>;
}

/** What an order left behind: the head of its audit chain, which the purge records. */
export interface PurgedOrder {
  status: EndStatus;
  /** Head of the audit chain; absent where the order had no audit row. */
  head?: { seq: number; hash: string };
}

/** Deleting what is old enough. The database's owner role is needed where there are roles. */
export interface RetentionStatements {
  /**
   * Orders that closed before the time, oldest first, at most `limit`: ended, last changed before it, nothing reserved,
   * no attempt under way, no refund or dispute undecided, nothing owed to the customer and nothing unpublished.
   */
  closedOrders(input: { closedBeforeUtc: string; limit: number }): Promise<OrderId[]>;
  /**
   * Deletes the order with all its rows: lines, acts, operations, payments, refunds, disputes, shipments, fulfillment,
   * reservations, audit chain with its head, outbox. Its id stays, as one that was purged. Undefined, with nothing deleted,
   * where `closedOrders` would not name it. The only way in
   * which audit rows leave; dead letters and webhook attempts have retention of their own.
   */
  purgeOrder(input: {
    orderId: OrderId;
    closedBeforeUtc: string;
    nowUtc: string;
  }): Promise<PurgedOrder | undefined>;
  /** Deletes marks of handled events older than the time, at most `limit`; returns how many. */
  purgeProcessedEvents(input: { processedBeforeUtc: string; limit: number }): Promise<number>;
}

/** A run of an order that SQL does not know: nothing was reserved or charged for it, unless SQL has lost its row. */
export interface UnrecordedOrder {
  orderId: OrderId;
  runId: string;
  /** How Temporal closed the run; absent while it is open. */
  closedAs?: string;
  /** The order's status as its run shows it. */
  status: OrderStatus;
  startedAtUtc: string;
  foundAtUtc: string;
}

export interface RetryStatements {
  /** Keeps the newest note of an order's activity, whichever comes first. */
  note(retry: NotedRetry): Promise<void>;
  remove(input: Pick<NotedRetry, 'orderId' | 'activity'>): Promise<void>;
  /** Deletes notes that went stale before the time. */
  forget(input: { staleBeforeUtc: string }): Promise<void>;
}

export interface UnrecordedOrderStatements {
  /** Inserts what was found, or brings it up to date; when it was found first stays. */
  put(found: UnrecordedOrder): Promise<void>;
  /** False when there was none. */
  remove(id: OrderId): Promise<boolean>;
  find(id: OrderId): Promise<UnrecordedOrder | undefined>;
}

export interface StoreUpkeep {
  /** Subjects that have audit rows or a head, by their bytes, after the given one, at most `limit`. */
  auditSubjects(input: { after: string; limit: number }): Promise<string[]>;
  /** How many rows are older than the time: what a purge would delete, chains of orders as one. */
  purgeable(input: { beforeUtc: string }): Promise<Purgeable>;
  /** All products with their stock, by id. */
  stock(): Promise<StockRow[]>;
  /**
   * Orders that have not ended and were last changed before the time, oldest first, at most `limit`, after the given
   * one.
   */
  openOrders(input: {
    after?: Pick<OpenOrder, 'createdAtUtc' | 'orderId'>;
    updatedBeforeUtc: string;
    limit: number;
  }): Promise<OpenOrder[]>;
  /** Those of the given orders that SQL knows: recorded, or purged since. */
  recorded(ids: readonly OrderId[]): Promise<OrderId[]>;
  /** How orders that have not ended and the stock stand, for gauges: reads every order in flight and every product. */
  standing(): Promise<Standing>;
}

export interface OpenOrder {
  orderId: OrderId;
  createdAtUtc: string;
  updatedAtUtc: string;
}

export interface Standing {
  /** Orders that have not ended, each in one group. */
  inFlight: InFlightGroup[];
  /** Units over all products; `oversold`: reserved beyond what is on hand, which must be 0. */
  stock: { onHand: number; reserved: number; oversold: number };
  /** Refunds that are not decided, by state, with when the oldest was asked for; none of a state: absent. */
  refunds: { state: UndecidedRefundState; refunds: number; oldestUtc: string }[];
  /** Orders that a sweep found at Temporal alone. */
  unrecordedOrders: number;
}

export interface InFlightGroup {
  status: OrderStatus;
  sagaState: SagaState;
  /** Of parked orders: the step, and the activity (the step's name or its compensation's). */
  parked?: { step: StepName; activity: string };
  orders: number;
  /** When the oldest of them was recorded. */
  oldestUtc: string;
  /** Since when the one that has not moved for longest stands still. */
  stillSinceUtc: string;
  /** Since when the one that has been parked or held longest waits; absent where none is. */
  waitingSinceUtc?: string;
}

export interface Purgeable {
  orders: number;
  processedEvents: number;
  outboxMessages: number;
}

export interface WebhookStatements {
  /** The endpoint, locked until the transaction ends where the database locks rows. */
  find(id: WebhookEndpointId): Promise<WebhookEndpoint | undefined>;
  /** Inserts or replaces the endpoint whole. */
  put(endpoint: WebhookEndpoint): Promise<void>;
  /** Deletes the endpoint; its recorded attempts stay until they are purged. False when there is none. */
  remove(id: WebhookEndpointId): Promise<boolean>;
  /** Appends one attempt; `answer` is kept to 2,000 characters. */
  record(attempt: WebhookAttempt): Promise<void>;
  /** Deletes attempts older than the time, at most `limit`; returns how many. */
  purge(input: { attemptedBeforeUtc: string; limit: number }): Promise<number>;
}

export interface WebhookReads {
  find(id: WebhookEndpointId): Promise<WebhookEndpoint | undefined>;
  /** All endpoints, oldest first (by creation time, then id). */
  list(): Promise<WebhookEndpoint[]>;
  /** Ids of the enabled endpoints that subscribed to the type. */
  subscribers(eventType: EventType): Promise<WebhookEndpointId[]>;
  /** Whether an attempt of this `webhook-id` was recorded as delivered. */
  delivered(webhookId: string): Promise<boolean>;
  /** Recorded attempts of an endpoint, newest first; `before` is the position of the last one of the page before. */
  attempts(input: {
    endpointId: WebhookEndpointId;
    before?: number;
    limit: number;
  }): Promise<(WebhookAttempt & { position: number })[]>;
  /** How many endpoints there are in each state. */
  counts(): Promise<Record<WebhookEndpointState, number>>;
}

export interface PendingMessage extends OutboxMessage {
  attempts: number;
}

export interface SetAsideMessage extends PendingMessage {
  lastError: string;
  setAsideAtUtc: string;
}

/** Partitions are 0 to 15: a stable hash of OrderId modulo 16. */
export const outboxPartitions = 16;

export interface OutboxStore {
  /**
   * Takes or renews this relay's share of the 16 partitions: an even share among live owners; a partition whose lease
   * has run out is free. Returns the partitions now held. Leases last `leaseMs`. What is more than the share, since
   * another relay came, is given up here for others to take: call it between batches, never with messages on their way.
   */
  lease(input: { owner: string; nowUtc: string; leaseMs: number }): Promise<number[]>;
  /** Gives all partitions of this owner back (clean shutdown). */
  releaseLeases(owner: string): Promise<void>;
  /**
   * Oldest unpublished messages of the given partitions that this owner holds, at most `limit`, in the order they
   * were written per order; for one order never past a message that is set aside. Messages set aside are not
   * returned.
   */
  pending(input: { owner: string; partitions: readonly number[]; limit: number }): Promise<PendingMessage[]>;
  markPublished(input: { ids: readonly string[]; publishedAtUtc: string }): Promise<void>;
  /** Adds an attempt to one message that itself could not be published; at `setAsideAfter` it is set aside. */
  markFailed(input: { id: string; error: string; setAsideAfter: number }): Promise<{ setAside: boolean }>;
  /** How many messages wait to be published, how many are set aside, and since when the oldest of the waiting is there. */
  depth(): Promise<{ unpublished: number; setAside: number; oldestUtc: string | undefined }>;
  /** Messages set aside, oldest first, at most `limit`. */
  setAside(input: { limit: number }): Promise<SetAsideMessage[]>;
  /** Deletes published messages older than the time, at most `limit`; returns how many. */
  purge(input: { publishedBeforeUtc: string; limit: number }): Promise<number>;
}

export interface StoreReads {
  order(id: OrderId): Promise<OrderView | undefined>;
  /** What a repeated request is told from another one by: the order's row without its lines, and its acts. */
  placed(id: OrderId): Promise<PlacedOrder | undefined>;
  audit(subject: string): Promise<AuditRow[]>;
  /** Head of a subject's chain: a cut-off tail shows by comparing it with the last row. */
  auditHead(subject: string): Promise<{ seq: number; hash: string } | undefined>;
  /** The order's events after a sequence number, in order, at most 200. */
  events(input: { orderId: OrderId; afterSequence: number }): Promise<DomainEvent[]>;
  products(): Promise<Product[]>;
  /** What was asked of an order, in no order. */
  acts(id: OrderId): Promise<ActRow[]>;
  /** Orders that are parked since their run was found closed, oldest first, at most `limit`. */
  cases(input: { limit: number }): Promise<OrderView[]>;
  /** Orders that a sweep found at Temporal alone, by id, after the given one, at most `limit`. */
  unrecordedOrders(input: { after: string; limit: number }): Promise<UnrecordedOrder[]>;
  /** Notes of steps that failed more than `moreThan` times and are not stale, most failures first, at most `limit`. */
  retries(input: { nowUtc: string; moreThan: number; limit: number }): Promise<NotedRetry[]>;
  /** Those of one order. */
  retriesOf(input: { orderId: OrderId; nowUtc: string }): Promise<NotedRetry[]>;
  deadLetters: DeadLetterReads;
  providers: ReadProviders;
  /** Everything the invariant checker counts, over all orders or one. */
  ledger(id?: OrderId): Promise<OrderLedger[]>;
  webhooks: WebhookReads;
  /** The order's money: what was charged, refunded and disputed; undefined when there is no such order. */
  money(id: OrderId): Promise<StoredMoney | undefined>;
  debts: DebtReads;
  customers: CustomerReads;
}

export interface PlacedOrder {
  order: Omit<OrderRow, 'lines'>;
  acts: OrderActRow[];
}

/** What `judgeRefund` decides by. */
export interface StoredMoney {
  payments: PaymentRow[];
  refunds: RefundRow[];
  disputes: Dispute[];
  /** Until then an attempt at the label may take effect; absent where none was begun that has not ended. */
  labelUntilUtc?: string;
}

/** What SQL believes about one order; the checker holds it against the providers' own books. */
export interface OrderLedger {
  orderId: OrderId;
  status: OrderStatus;
  sagaState: SagaState;
  total: Money | undefined;
  payments: PaymentRow[];
  refunds: RefundRow[];
  disputes: Dispute[];
  shipments: ShipmentRow[];
  fulfillment: 'none' | 'open' | 'cancelled';
  /** Units still reserved, over all products. */
  reservedUnits: number;
  /** Units taken out of stock by shipping. */
  consumedUnits: number;
  eventTypes: string[];
  auditTransitions: { from: string; to: string }[];
  unpublished: number;
}

export type { EndStatus };
