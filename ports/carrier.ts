import type { CustomsDeclaration } from '../domain/customs.ts';
import type { Address, OrderItem, ShipmentView } from '../domain/order.ts';
import type { UnitFacts } from '../domain/parcel.ts';

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
    items: readonly (OrderItem & UnitFacts)[];
    /** For a parcel that goes through customs. */
    customs?: CustomsDeclaration;
    timeoutMs: number;
  }): Promise<CreateAnswer>;
  /**
   * Asks the carriers for new rates of a shipment without a label; free of charge. The old ones are void then. A shipment
   * keeps the rates it was created with, none included, until it is asked for others.
   */
  rerate(input: { shipmentId: string; timeoutMs: number }): Promise<Offers>;
  /** Buys the label. A second buy answers `already_bought`: then `retrieve`. `rate_gone`: then `rerate`. */
  buy(input: { shipmentId: string; rateId: string; timeoutMs: number }): Promise<BuyAnswer>;
  /** The shipment as it is now; bought when it has a label. */
  retrieve(input: { shipmentId: string; timeoutMs: number }): Promise<ShipmentAnswer>;
  /**
   * One page of the labels that were bought for an order's reference, whoever bought them; newest first. The carrier
   * has no filter by reference: its list from a time on is read, and read to its end only where no `beforeId` comes back.
   */
  listLabels(input: {
    /** What the references of the order's shipments begin with. */
    referencePrefix: string;
    sinceUtc: string;
    beforeId?: string;
    timeoutMs: number;
  }): Promise<{ labels: ListedLabel[]; beforeId?: string }>;
  /** Asks for the label's refund; asynchronous at the carrier. A repeated request is answered as the first. */
  refundLabel(input: {
    shipmentId: string;
    timeoutMs: number;
  }): Promise<{ status: 'submitted' | 'refunded' | 'rejected' | 'nothing_to_refund' }>;
}

/** What the carriers offer for a shipment. */
export interface Offers {
  rates: Rate[];
  /** What carriers said instead of a rate, in their own words; absent when they said nothing. */
  objections?: string[];
}

export interface Rate {
  rateId: string;
  carrier: string;
  service: string;
  /** Decimal string in the carrier's currency. */
  amount: string;
  currency: string;
  /** When the carrier made the offer. */
  offeredAtUtc?: string;
}

export type AddressAnswer = { deliverable: true } | { deliverable: false; reason: string };

export type Label = ShipmentView & { cost: { amount: string; currency: string } };

export type CreateAnswer =
  ({ status: 'created'; shipmentId: string } & Offers) | { status: 'undeliverable'; reason: string };

export type BuyAnswer =
  | { status: 'bought'; label: Label }
  | { status: 'already_bought' }
  | { status: 'rate_gone'; reason: string }
  | { status: 'undeliverable'; reason: string };

export type Recipient = Partial<Address>;

export type ShipmentAnswer = ({ status: 'bought' } & BoughtShipment) | ({ status: 'unbought' } & Offers);

export interface BoughtShipment {
  label: Label;
  refund: 'none' | 'submitted' | 'refunded' | 'rejected';
  /** As it was given to `createShipment`, or at the carrier's own desk. */
  reference?: string;
  /** Where it goes, as far as the carrier says. */
  recipient?: Recipient;
}

export type ListedLabel = BoughtShipment & { shipmentId: string };
