import type { OrderId } from '../../domain/ids.ts';
import type { Money } from '../../domain/money.ts';
import type { OrderStatus, SagaState } from '../../domain/order.ts';
import type { Dispute } from '../../domain/refunds.ts';
import type { RefundRow } from '../refunds.ts';
import type { Operation } from './orders.ts';
import type { ShipmentRow } from './goods.ts';

/** The latest of an order's leases on its label. */
export function labelLease(leased: readonly Operation[]): Pick<StoredMoney, 'labelUntilUtc'> {
  const last = leased
    .flatMap(({ leaseUntilUtc = [] }) => leaseUntilUtc)
    .toSorted()
    .at(-1);
  return last === undefined ? {} : { labelUntilUtc: last };
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

/** What `checkRefund` decides by. */
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
