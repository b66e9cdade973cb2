import type { FailureType } from './failures.ts';
import type { Actor, Address } from './order.ts';

/** Where an order stands by its recorded operations, for a run that follows another one. */
export interface RecoveredOrder {
  /** The payment to go on with, and its method. */
  payment: { n: number; paymentMethodId: string };
  /** The address to go on with. */
  address: { n: number; value: Address };
  /** Charging had begun, so nobody has to approve the order any more. */
  paymentBegun: boolean;
  /** The label is bought: there is no way back. */
  shipped: boolean;
  /** The walk back had begun, for this reason where it is known: nothing but going on with it is left. */
  takenBack?: {
    cancelRequested?: { actor: Actor; reason: string };
    failure?: { type: FailureType; reason: string };
  };
}

/** Stands as the parked activity of an order whose run Temporal closed while the order was open. */
export const closedRunActivity = 'run';
