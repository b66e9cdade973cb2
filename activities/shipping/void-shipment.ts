import { operationKeys, type OrderId } from '../../domain/ids.ts';
import type { ShipmentAnswer } from '../../ports/carrier.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { runProviderCompensation } from '../provider-compensation.ts';
import { writeTransition } from '../transition.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { ShipmentRow } from '../../ports/store/goods.ts';

/**
 * Compensates generateShipment while its outcome is unknown, refused or parked: asks for the refund of a label that
 * was bought. A safe no-op where none was.
 * Idempotent by `void-shipment-<orderId>`; the carrier answers a repeated refund request as the first.
 * Fails technically only (retried without end).
 * Writes: Shipments, AuditLog, OutboxMessages(shipment.voided.v1 per label), in one transaction.
 */
export const createVoidShipment =
  (deps: ActivityDeps) =>
  ({ orderId, attemptTimeoutMs }: { orderId: OrderId; attemptTimeoutMs: number }): Promise<null> =>
    runProviderCompensation<null, TakenBackLabel[]>(deps, {
      name: { key: operationKeys.voidShipment(orderId), orderId, step: 'shipping' },
      attemptTimeoutMs,
      read: async (tx) => (await tx.shipments.list(orderId)).map((shipment) => ({ shipment })),
      requests: (shipments) => sendingBackRequests * shipments.length,
      settle: async (shipments, timeoutMs) => {
        const settled: TakenBackLabel[] = [];
        for (const { shipment } of shipments)
          settled.push(await takeBackLabel(deps, { shipment, timeoutMs }));
        return settled;
      },
      commit: async (tx, order, shipments) => {
        await writeVoid(deps, tx, { order, shipments });
        return null;
      },
    });

/** A shipment whose label, if it had one, is not used any more. */
export interface TakenBackLabel {
  shipment: ShipmentRow;
  /** The carrier keeps the label's price. */
  rejected?: true;
}

/** Requests of `takeBackLabel` at most. */
export const sendingBackRequests = 2;

/**
 * Asks the carrier what there is of a shipment, and for the refund of its label when it has one; once more where a refund
 * was rejected before. A carrier that rejects it all the same ends it: nobody uses the label.
 */
export async function takeBackLabel(
  deps: ActivityDeps,
  { shipment, timeoutMs }: { shipment: ShipmentRow; timeoutMs(): number },
): Promise<TakenBackLabel> {
  const shipmentId = shipment.providerShipmentId;
  /* Without a stored id nothing was bought: a shipment nobody knows of costs nothing. */
  if (!shipmentId) return { shipment: { ...shipment, state: 'refused' } };
  const known = await deps.carrier.retrieve({ shipmentId, timeoutMs: timeoutMs() });
  if (known.status === 'unbought') return { shipment: { ...shipment, state: 'refused' } };
  const { cost: labelCost, ...view } = known.label;
  const refund = sentBack(known.refund)
    ? known.refund
    : (await deps.carrier.refundLabel({ shipmentId, timeoutMs: timeoutMs() })).status;
  const state = refund === 'refunded' ? 'voided' : 'void_requested';
  const taken = { ...shipment, ...view, labelCost, state } satisfies ShipmentRow;
  return refund === 'rejected' ? { shipment: taken, rejected: true } : { shipment: taken };
}

/** Its price is asked back: nobody ships with it. */
export const sentBack = (refund: Extract<ShipmentAnswer, { status: 'bought' }>['refund']): boolean =>
  refund === 'submitted' || refund === 'refunded';

/** Records voided shipments: once per shipment, whoever comes first. */
export async function writeVoid(
  deps: ActivityDeps,
  tx: StoreTransaction,
  {
    order,
    shipments,
    why = 'compensation',
  }: { order: OrderRow; shipments: readonly TakenBackLabel[]; why?: string },
): Promise<void> {
  for (const { shipment, rejected } of shipments) {
    const before = await tx.shipments.find({ orderId: shipment.orderId, n: shipment.n });
    if (before?.state === shipment.state || isVoid(before)) continue;
    await tx.shipments.put(shipment);
    const voided = isVoid(shipment) ? shipment.providerShipmentId : undefined;
    await writeTransition(tx, {
      order,
      step: 'shipping',
      from: before?.state ?? '',
      to: shipment.state,
      reason: rejected ? `${why}; the carrier rejects the refund of the unused label` : why,
      ...(voided ? { event: { type: 'shipment.voided.v1', details: { shipmentId: voided } } } : {}),
      nowUtc: deps.clock.nowUtc(),
    });
  }
}

export const isVoid = (shipment: ShipmentRow | undefined): boolean =>
  shipment?.state === 'void_requested' || shipment?.state === 'voided';
