import type { FailureType } from './failures.ts';
import {
  orderStatuses,
  type Actor,
  type Address,
  type EndStatus,
  type Hold,
  type OrderStatus,
} from './order.ts';

/**
 * Where an order stands by what is recorded of it, for a run that follows another one. What is optional here is absent
 * where it is not so, and in histories of earlier versions.
 */
export interface RecoveredOrder {
  /** The payment to go on with, and its method. */
  payment: { n: number; paymentMethodId: string };
  /** The address to go on with. */
  address: { n: number; value: Address };
  /** Charging had begun, so nobody has to approve the order any more. */
  paymentBegun: boolean;
  /** An operator has let it pass that waited for approval. */
  approved?: true;
  /** The carrier's service that an operator wants. */
  service?: string;
  /** What another run had it wait for, until when. */
  hold?: Hold;
  /** The label is bought: there is no way back. */
  shipped: boolean;
  /** A label was being bought when it was last heard of: nothing is canceled or changed any more. */
  shippingBegun?: true;
  /** It has ended, in another run. */
  ended?: EndStatus;
  /** The carrier is not asked about the address: an operator had the order go on without. */
  addressSkipped?: true;
  /** Acts that were accepted, and have their effect in what this tells. */
  acts?: string[];
  /** The walk back had begun, for this reason where it is known: nothing but going on with it is left. */
  takenBack?: {
    cancelRequested?: { actor: Actor; reason: string };
    failure?: { type: FailureType; reason: string };
  };
}

/** Stands as the parked activity of an order whose run Temporal closed while the order was open. */
export const closedRunActivity = 'run';

/** The same once an operator has taken note of a case that has no other act. */
export const notedRunActivity = 'run (noted)';

/** What the audit trail says then. */
export const notedRunState = 'noted';

/** What a refund's row is told from when its run had been closed and is begun again. */
export const refundWithoutRun = 'refund without a run';

/** What a case and the new run's first audit row say where Temporal has forgotten what the closed run had accepted. */
export const withoutHistory =
  'the history of its last run is gone: what that one had accepted and not yet recorded is not known';

/** How the failure of such a case begins. */
export const storeBehindText = 'SQL is behind';

/** Failure type of a case that no act but taking note is safe on: SQL knows less of the order than its closed run did. */
export const storeBehind = 'StoreBehind';

/** The statuses on the path, in its order; a hold's or a walk back's say nothing about how far an order had come. */
const path = orderStatuses.slice(0, orderStatuses.indexOf('completed') + 1);

/** What a run's history tells of effects at providers. */
export interface RunEffects {
  charged: boolean;
  labelBought: boolean;
}

/**
 * What a run had done that SQL knows nothing of, for people; undefined where SQL has it all. SQL stores an effect before
 * the run hears of it, and forgets neither a charge nor a label that went back.
 */
export function lackingIn(
  {
    payments,
    shipments,
  }: { payments: readonly { state: string }[]; shipments: readonly { trackingCode?: string | undefined }[] },
  { charged, labelBought }: RunEffects,
): string | undefined {
  const hasCharge = payments.some(({ state }) => state === 'charged' || state === 'refunded');
  const hasLabel = shipments.some(({ trackingCode }) => trackingCode !== undefined);
  if (labelBought && !hasLabel) return 'had bought a label';
  return charged && !hasCharge ? 'had charged the customer' : undefined;
}

/**
 * Whether SQL is behind the closed run of an order that is open in SQL, as after a backup was put back. A run ends its
 * order in SQL before it closes by itself, and shows a status only after SQL has it.
 */
export function isStoreBehind(
  status: OrderStatus,
  run: { closedAs?: string | undefined; orderStatus?: OrderStatus | undefined },
): boolean {
  if (run.closedAs === 'COMPLETED' || run.closedAs === 'CANCELED') return true;
  const here = path.indexOf(status);
  return run.closedAs !== undefined && here >= 0 && path.indexOf(run.orderStatus ?? status) > here;
}
