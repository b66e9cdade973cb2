import { stripeId } from '../ids.ts';
import type { DisputeRecord } from '../records.ts';
import { orderIdOf } from './payment-intents.ts';
import { BY_ITSELF, type StripeDeps } from './stripe-deps.ts';
import { invalidRequest, notFound } from './stripe-errors.ts';
import { disputeObject } from './stripe-objects.ts';

/** The customer's bank takes a charge back: it can no longer be refunded. */
export const createDispute = (deps: StripeDeps, chargeId: string, reason: string): DisputeRecord => {
  const charge = deps.store.get('charge', chargeId);
  if (!charge) throw notFound('charge', chargeId, 'charge');
  if (charge.status !== 'succeeded' || charge.disputed) {
    throw invalidRequest(
      `Charge ${chargeId} cannot be disputed: it is ${charge.disputed ? 'disputed already' : charge.status}.`,
    );
  }
  const dispute: DisputeRecord = {
    id: stripeId('dp'),
    charge: chargeId,
    intent: charge.intent,
    amount: charge.amount - charge.refunded,
    currency: charge.currency,
    reason,
    status: 'needs_response',
    createdMs: deps.clock.nowMs(),
  };
  const orderId = orderIdOf(charge.metadata);
  deps.store.put('charge', chargeId, { ...charge, disputed: true }, { parent: charge.intent, orderId });
  deps.store.put('dispute', dispute.id, dispute, { parent: chargeId, orderId });
  deps.counts.business('disputes_created');
  deps.emit('charge.dispute.created', disputeObject(dispute), BY_ITSELF);
  return dispute;
};
