import type { Address, OrderItem, ShipmentView } from '../domain/order.ts';

/**
 * The carrier, one request per method. It has no idempotency keys: only `buy` costs money, and the shipment activity
 * stores the shipment's id before it buys. Technical failures as at the payment gateway.
 */
export interface Carrier {
  /** Asks whether mail can be delivered there. Reads only; as often as one likes. */
  verifyAddress(input: { address: Address; timeoutMs: number }): Promise<AddressAnswer>;
  /** Creates a shipment with rates; free of charge, repeated calls make further ones. */
  createShipment(input: {
    /** The operation key; for people, the carrier does not enforce it. */
    reference: string;
    address: Address;
    items: readonly OrderItem[];
    timeoutMs: number;
  }): Promise<
    { status: 'created'; shipmentId: string; rates: Rate[] } | { status: 'undeliverable'; reason: string }
  >;
  /** Buys the label. A second buy answers `already_bought`: then `retrieve`. */
  buy(input: { shipmentId: string; rateId: string; timeoutMs: number }): Promise<BuyAnswer>;
  /** The shipment as it is now; bought when it has a label. */
  retrieve(input: { shipmentId: string; timeoutMs: number }): Promise<ShipmentAnswer>;
  /** Asks for the label's refund; asynchronous at the carrier. A repeated request is answered as the first. */
  refundLabel(input: {
    shipmentId: string;
    timeoutMs: number;
  }): Promise<{ status: 'submitted' | 'refunded' | 'rejected' | 'nothing_to_refund' }>;
}

export interface Rate {
  rateId: string;
  carrier: string;
  service: string;
  /** Decimal string in the carrier's currency. */
  amount: string;
  currency: string;
}

export type AddressAnswer = { deliverable: true } | { deliverable: false; reason: string };

export type Label = ShipmentView & { cost: { amount: string; currency: string } };

export type BuyAnswer =
  | { status: 'bought'; label: Label }
  | { status: 'already_bought' }
  | { status: 'undeliverable'; reason: string };

export type ShipmentAnswer =
  | {
      status: 'bought';
      label: Label;
      refund: 'none' | 'submitted' | 'refunded' | 'rejected';
      /** As it was given to `createShipment`, or at the carrier's own desk. */
      reference?: string;
    }
  | { status: 'unbought'; rates: Rate[] };
