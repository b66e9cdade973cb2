import type { StockAdjustment, StockChange } from '../../domain/stock.ts';
import type { CustomerId, OrderId, ProductId } from '../../domain/ids.ts';
import type { Money } from '../../domain/money.ts';
import type { OrderItem } from '../../domain/order.ts';
import type { UnitFacts } from '../../domain/parcel.ts';

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
