import type { ShipmentView } from '../../domain/order.ts';
import { differencesOf, objectionTo } from './confirm-label.ts';
import type { ActivityDeps } from '../deps.ts';
import { shipmentOperation, takeBackLateLabel } from './generate-shipment.ts';
import type { ShipmentFacts, Sold } from './label-facts.ts';
import { askedFor, markedBy, notConfirmed, type Claim } from '../mark-done.ts';
import { runProviderOperation, type Attempt, type Settled } from '../provider-operation.ts';
import { createVoidShipment, sentBack } from './void-shipment.ts';

/**
 * Takes a label that a person has bought at the carrier as the order's own, as if generateShipment had bought it: that
 * one's operation is done, and finds this label.
 * Idempotent by `shipment-<orderId>-<n>`.
 * Fails with ReferenceNotConfirmed (not stored) unless the carrier says that the shipment has a label which was not sent
 * back, and it is the stored one or carries the order's reference and goes to its address (name, street and city may
 * differ where the person confirms that, which is audited); while an earlier attempt may still buy another, or when one
 * did, under whichever number; or when the order's money is not kept. Otherwise technically.
 * Late after voidShipment: the label is sent back.
 * Writes: Shipments, Orders, Operations, AuditLog, OutboxMessages(shipment.generated.v1), in one transaction.
 */
export const createMarkShipmentDone =
  (deps: ActivityDeps) =>
  async (claim: Claim & { n: number }): Promise<ShipmentView> => {
    const input = { ...claim, marked: markedBy(claim) };
    let differing: readonly string[] = [];
    const label = await runProviderOperation<ShipmentView, Sold, ShipmentFacts>(deps, {
      ...shipmentOperation(deps, input),
      landsLaterMs: 0,
      harmless: () => true,
      requests: ({ others }) => 2 + others.length,
      settle: async (attempt) => {
        const { label: known, own, notKept } = attempt.facts;
        if (known) return { effect: known.sold, reference: known.shipmentId };
        if (own.providerShipmentId !== claim.reference && notKept) {
          throw notConfirmed(`${notKept.reason} A label is not taken before that.`);
        }
        await refuseSecondLabel(deps, claim, attempt);
        const confirmed = await confirmLabel(deps, claim, attempt);
        differing = confirmed.differing;
        return confirmed.settled;
      },
      commit: (tx, order, settled) =>
        shipmentOperation(deps, { ...input, marked: markedBy(claim, differing) }).commit(tx, order, settled),
      takeBack: (shipmentId) => takeBackLateLabel(deps, input, shipmentId),
    });
    const shipments = await deps.store.transaction((tx) => tx.shipments.list(claim.orderId));
    const stored = shipments.find(({ state }) => state === 'bought');
    if (stored?.providerShipmentId === claim.reference) return label;
    throw notConfirmed(
      `The order has the label of shipment ${stored?.providerShipmentId} already; a retry finds it.`,
    );
  };

/** The shipments that our own attempts know may have got a label without their hearing of it. */
async function refuseSecondLabel(
  deps: ActivityDeps,
  { reference }: Claim,
  attempt: Attempt<ShipmentFacts>,
): Promise<void> {
  const { own, others } = attempt.facts;
  if (attempt.earlierUntilUtc && own.providerShipmentId !== reference) {
    throw notConfirmed(
      `Until ${attempt.earlierUntilUtc} an attempt of ours may still buy another label; try after that.`,
    );
  }
  for (const { providerShipmentId: shipmentId } of [own, ...others]) {
    if (!shipmentId || shipmentId === reference) continue;
    const known = await deps.carrier.retrieve({ shipmentId, timeoutMs: attempt.timeoutMs() });
    if (known.status === 'bought' && !sentBack(known.refund)) {
      throw notConfirmed(`Shipment ${shipmentId} of the order has a label already; that is its reference.`);
    }
  }
}

async function confirmLabel(
  deps: ActivityDeps,
  { orderId, reference: shipmentId, differencesConfirmed }: Claim,
  attempt: Attempt<ShipmentFacts>,
): Promise<{ settled: Settled<Sold>; differing: string[] }> {
  const known = await askedFor(deps.carrier.retrieve({ shipmentId, timeoutMs: attempt.timeoutMs() }));
  if (known.status === 'unbought') throw notConfirmed(`Shipment ${shipmentId} has no label at the carrier.`);
  const settled = { effect: known.label, reference: shipmentId };
  const {
    order: { shippingAddress: address },
    facts: { own },
  } = attempt;
  if (shipmentId === own.providerShipmentId) {
    if (!sentBack(known.refund)) return { settled, differing: [] };
    throw notConfirmed(`The label of shipment ${shipmentId} was sent back to the carrier.`);
  }
  const objection = objectionTo(shipmentId, known, { orderId, n: own.n, address, differencesConfirmed });
  if (objection) throw notConfirmed(objection.reason, objection.shown);
  const differing = differencesOf(known.recipient ?? {}, address).map(({ field }) => field);
  return { settled, differing };
}

/**
 * Takes a label as sent back that a person has sent back, and runs voidShipment, which finds it so.
 * Fails with ReferenceNotConfirmed unless the shipment is the order's and the carrier says that its refund was asked for.
 * Otherwise as voidShipment, by whose key it is idempotent.
 */
export const createMarkVoidDone =
  (deps: ActivityDeps) =>
  async ({ orderId, reference: shipmentId, attemptTimeoutMs }: Claim): Promise<null> => {
    const shipments = await deps.store.transaction((tx) => tx.shipments.list(orderId));
    const ids = shipments.flatMap(({ providerShipmentId }) => providerShipmentId ?? []);
    if (!ids.includes(shipmentId)) {
      throw notConfirmed(`Shipment ${shipmentId} is not the order's; it has ${ids.join(', ') || 'none'}.`);
    }
    const timeoutMs = Math.floor(attemptTimeoutMs / 4);
    const known = await askedFor(deps.carrier.retrieve({ shipmentId, timeoutMs }));
    if (known.status === 'bought' && !sentBack(known.refund)) {
      throw notConfirmed(
        `The carrier says about the refund of shipment ${shipmentId}: ${known.refund}; expected submitted or refunded.`,
      );
    }
    return createVoidShipment(deps)({ orderId, attemptTimeoutMs: Math.floor(attemptTimeoutMs / 2) });
  };
