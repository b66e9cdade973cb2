import type { Refusal } from '../../domain/failures.ts';
import type { OperationKey, OrderId } from '../../domain/ids.ts';
import type { Address } from '../../domain/order.ts';
import type { Label } from '../../ports/carrier.ts';
import type { Attempt } from '../provider-operation.ts';
import type { ShipmentRow } from '../../ports/store/goods.ts';

/** A label as SQL keeps it; `byHand`: found at the carrier, where a person had bought it. */
export type Sold = Omit<Label, 'cost'> & Partial<Pick<Label, 'cost'>> & { byHand?: true };

/** What the first transaction found. */
export interface ShipmentFacts {
  own: ShipmentRow;
  /** Shipments of other numbers that SQL does not know the end of. */
  others: readonly ShipmentRow[];
  /** Every shipment of the order that SQL knows. */
  known: readonly string[];
  /** The label that the order has already, bought under another number. */
  label?: { shipmentId: string; sold: Sold };
  /** Why nothing may be bought: the order's money is not kept. */
  notKept?: Refusal;
}

export interface LabelProtocol {
  input: { orderId: OrderId; n: number; address: Address; service?: string; asked?: true };
  key: OperationKey;
  attempt: Attempt<ShipmentFacts>;
  attemptTimeoutMs: number;
}
