import type { NotedRetry } from '../domain/retries.ts';
import type { AuditRow } from '../domain/audit.ts';
import type { DomainEvent } from '../domain/events.ts';
import type { OrderId } from '../domain/ids.ts';
import type { OrderView } from '../domain/order.ts';
import type { CustomerReads, PersonalDataStatements } from './customers.ts';
import type { DeadLetterReads, DeadLetterStatements } from './dead-letters.ts';
import type { ProviderStatements, ReadProviders } from './providers.ts';
import type { DebtReads, DisputeStatements, RefundStatements } from './refunds.ts';
import type {
  OperationStatements,
  OrderStatements,
  OrderActStatements,
  ActRow,
  ActStatements,
  AuditStatements,
  PlacedOrder,
} from './store/orders.ts';
import type {
  Product,
  InventoryStatements,
  FulfillmentStatements,
  ShipmentStatements,
} from './store/goods.ts';
import type { PaymentStatements, StoredMoney, OrderLedger } from './store/money.ts';
import type {
  MessageStatements,
  ProcessedEventStatements,
  WebhookStatements,
  WebhookReads,
  OutboxStore,
} from './store/messages.ts';
import type {
  RetentionStatements,
  UnrecordedOrder,
  RetryStatements,
  UnrecordedOrderStatements,
  StoreUpkeep,
} from './store/upkeep.ts';

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
