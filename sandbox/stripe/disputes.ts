import { stripeId } from '../ids.ts';
import type { ChargeRecord, DisputeRecord } from '../records.ts';
import { orderIdOf } from './payment-intents.ts';
import { BY_ITSELF, type StripeDeps } from './stripe-deps.ts';
import { invalidRequest, notFound } from './stripe-errors.ts';
import { disputeObject } from './stripe-objects.ts';
import type { NewDispute } from './test-payment-methods.ts';

const isOpen = ({ status }: DisputeRecord): boolean => !['won', 'lost', 'warning_closed'].includes(status);

const save = ({ store }: StripeDeps, dispute: DisputeRecord, charge: ChargeRecord): void =>
  store.put('dispute', dispute.id, dispute, { parent: charge.id, orderId: orderIdOf(charge.metadata) });

/** The customer's bank takes a charge back, or asks about it. One dispute at a time. */
export const createDispute = (
  deps: StripeDeps,
  chargeId: string,
  { reason, inquiry = false }: NewDispute,
): DisputeRecord => {
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
    status: inquiry ? 'warning_needs_response' : 'needs_response',
    createdMs: deps.clock.nowMs(),
  };
  const orderId = orderIdOf(charge.metadata);
  deps.store.put('charge', chargeId, { ...charge, disputed: true }, { parent: charge.intent, orderId });
  save(deps, dispute, charge);
  deps.counts.business('disputes_created');
  deps.emit('charge.dispute.created', disputeObject(dispute), BY_ITSELF);
  return dispute;
};

/** The bank decides; an inquiry may become a dispute instead (`needs_response`). */
export const decideDispute = (deps: StripeDeps, id: string, status: string): DisputeRecord => {
  const dispute = deps.store.get('dispute', id);
  const charge = dispute && deps.store.get('charge', dispute.charge);
  if (!dispute || !charge) throw notFound('dispute', id, 'dispute');
  const inquiry = dispute.status.startsWith('warning_');
  const next = inquiry ? ['warning_closed', 'needs_response'] : ['won', 'lost'];
  if (!isOpen(dispute) || !next.includes(status)) {
    throw invalidRequest(
      `Dispute ${id} is ${dispute.status}: it can become ${isOpen(dispute) ? next.join(' or ') : 'nothing else'}, not ${status}.`,
    );
  }
  const decided = { ...dispute, status };
  save(deps, decided, charge);
  deps.counts.business(`disputes_${status}`);
  deps.emit(
    isOpen(decided) ? 'charge.dispute.updated' : 'charge.dispute.closed',
    disputeObject(decided),
    BY_ITSELF,
  );
  return decided;
};

/** A dispute because of which the charge cannot be refunded: decided or not, unless it was won. */
export const blockingDispute = ({ store }: StripeDeps, charge: ChargeRecord): DisputeRecord | undefined =>
  charge.disputed
    ? store
        .list('dispute', { parent: charge.id, limit: 10 })
        .find(({ status }) => status !== 'won' && !status.startsWith('warning_'))
    : undefined;

/** A full refund answers the bank's question. */
export const closeInquiry = (deps: StripeDeps, charge: ChargeRecord): void => {
  const asked = deps.store
    .list('dispute', { parent: charge.id, limit: 10 })
    .find((dispute) => dispute.status.startsWith('warning_') && isOpen(dispute));
  if (asked) decideDispute(deps, asked.id, 'warning_closed');
};
