import type { NotedRetry } from '../../domain/retries.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { EndStatus, OrderStatus, SagaState, StepName } from '../../domain/order.ts';
import type { UndecidedRefundState } from '../../domain/refunds.ts';
import type { StockRow } from './goods.ts';

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
