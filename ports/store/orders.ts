import type { AuditEntry } from '../../domain/audit.ts';
import type { Refusal } from '../../domain/failures.ts';
import type { CustomerId, OperationKey, OrderId } from '../../domain/ids.ts';
import type { Currency, Money } from '../../domain/money.ts';
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
} from '../../domain/order.ts';
import type { ParcelItem } from '../../domain/parcel.ts';

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

export interface AuditStatements {
  /** Appends to the subject's hash chain and moves its head. */
  append(entry: AuditEntry): Promise<void>;
}

export interface PlacedOrder {
  order: Omit<OrderRow, 'lines'>;
  acts: OrderActRow[];
}
