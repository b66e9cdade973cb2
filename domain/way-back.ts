import { isEnded, type OrderStatus } from './order.ts';

/**
 * How all the money of a charged order can go back now; one answer for cancels, refunds and what is told of them.
 * `taken_back`: by the order itself, which is being taken back. `cancel`: it has not shipped; refunded only, it would
 * ship unpaid. `wait`: its label is being bought, which nobody can stop; it ships, or is parked. `refund`: it has ended or
 * has its label; the goods come by a return.
 */
export type WayBack = 'taken_back' | 'cancel' | 'wait' | 'refund';

export function wayBack({
  status,
  compensating,
  shipping = false,
}: {
  status: OrderStatus;
  compensating: boolean;
  shipping?: boolean;
}): WayBack {
  if (compensating) return 'taken_back';
  if (isEnded(status) || status === 'shipment_generated') return 'refund';
  return shipping ? 'wait' : 'cancel';
}

/** What is said, to whoever asks for what, when nobody can stop the order any more. */
export const shippingRefusal =
  'Shipping has started: the order can no longer be cancelled. It goes on; ask for a return instead.';
