import { foundAtProvider, TechnicalFailure } from '../../domain/failures.ts';
import { objectionTo } from './confirm-label.ts';
import type { ActivityDeps } from '../deps.ts';
import { operatorRefusal } from '../failures.ts';
import type { LabelProtocol, Sold } from './label-facts.ts';
import { listStrangers } from './list-labels.ts';
import { namesOf, SHARE_OF_ATTEMPT } from '../read-whole-list.ts';
import type { Settled } from '../provider-operation.ts';
import { sentBack } from './void-shipment.ts';

/**
 * The label that a person has bought at the carrier for the order meanwhile: the only one under the order's references
 * that no row of the order knows and that was not sent back. It is the order's when nothing speaks against it and no
 * shipment of ours has a label; otherwise nothing is bought, and a person decides.
 * While the order's money is not kept nothing is taken, as from a person.
 * The carrier's list is read from the order's creation on and to its end, else nothing is bought. What is bought there
 * while the list is read is not seen.
 */
export async function findLabel(
  deps: ActivityDeps,
  protocol: LabelProtocol,
): Promise<Settled<Sold> | undefined> {
  const { input, attempt } = protocol;
  if (attempt.facts.notKept) return undefined;
  const forMs = protocol.attemptTimeoutMs * SHARE_OF_ATTEMPT;
  const { order, facts, timeoutMs } = attempt;
  const found = await listStrangers(deps, { order, known: facts.known, forMs, timeoutMs });
  const [only, ...more] = found;
  if (!only) return undefined;
  if (attempt.earlierUntilUtc) {
    const message = `Until ${attempt.earlierUntilUtc} an earlier attempt may still buy a label beside that of shipment ${only.shipmentId}`;
    throw new TechnicalFailure('OperationInProgress', message, { retryAfterMs: 1_000 });
  }
  const own = await ownLabel(deps, protocol);
  const several = [...(own ? [own] : []), ...found.map(({ shipmentId }) => shipmentId)];
  if (own || more.length > 0) {
    const why = `${several.length} shipments of the order have a label: ${namesOf(several)}.`;
    throw leftToPerson(input.orderId, why);
  }
  const { shippingAddress: address } = attempt.order;
  const objection = objectionTo(only.shipmentId, only, { ...input, address });
  if (objection) throw leftToPerson(input.orderId, objection.reason);
  return { effect: { ...only.label, byHand: true }, reference: only.shipmentId };
}

export const leftToPerson = (orderId: string, why: string) =>
  operatorRefusal(
    foundAtProvider,
    `Somebody has bought a label of order ${orderId} at the carrier. ${why} Nothing was bought: mark the order's own label as done, send the others back at the carrier, or cancel the order.`,
  );

/** A shipment of ours that has a label without our having heard of it. */
async function ownLabel(deps: ActivityDeps, { attempt }: LabelProtocol): Promise<string | undefined> {
  const { own, others } = attempt.facts;
  for (const { providerShipmentId: shipmentId } of [own, ...others]) {
    if (!shipmentId) continue;
    const known = await deps.carrier.retrieve({ shipmentId, timeoutMs: attempt.timeoutMs() });
    if (known.status === 'bought' && !sentBack(known.refund)) return shipmentId;
  }
  return undefined;
}
