import { isEnded, type OrderStatus, type SagaState } from './order.ts';
import { closedRunActivity, notedRunActivity } from './recovery.ts';

/**
 * How all the money of a charged order can go back now; one answer for cancels, refunds and what is told of them.
 * `taken_back`: by the order itself, which is being taken back. `cancel`: it has not shipped; refunded only, it would
 * ship unpaid. `wait`: its label is being bought, which nobody can stop; it ships, or is parked. `restart`: it has lost
 * its run, so that nobody hears a cancel before an operator has it taken up or taken back. `refund`: it has ended or has
 * its label; the goods come by a return.
 */
export type WayBack = 'taken_back' | 'cancel' | 'wait' | 'restart' | 'refund';

/** What decides about it. */
export interface OrderPlace {
  status: OrderStatus;
  /** The saga is taking the order back: its own compensation refunds what is left. */
  compensating: boolean;
  /** Its label is being bought: a cancel is refused. */
  shipping?: boolean;
  /** Its run was closed while it was open. */
  lost?: boolean;
}

export function wayBack({ status, compensating, shipping = false, lost = false }: OrderPlace): WayBack {
  if (compensating) return 'taken_back';
  if (isEnded(status) || status === 'shipment_generated') return 'refund';
  if (lost) return 'restart';
  return shipping ? 'wait' : 'cancel';
}

/** The order's own record says that taking it back was decided; it may have ended since. */
export const isTakenBack = ({
  sagaState,
  cancelRequested,
  failure,
}: {
  sagaState: SagaState;
  cancelRequested?: object | undefined;
  failure?: object | undefined;
}): boolean => sagaState === 'compensating' || !!cancelRequested || !!failure;

/** The order's own record says that its run was closed. */
export const hasLostRun = ({ parked }: { parked?: { activity?: string | undefined } | undefined }): boolean =>
  parked?.activity === closedRunActivity || parked?.activity === notedRunActivity;

/** What is said, to whoever asks for what, when nobody can stop the order any more. */
export const shippingRefusal =
  'Shipping has started: the order can no longer be cancelled. It goes on; ask for a return instead.';
