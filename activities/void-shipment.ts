import { operationKeys, type OrderId } from '../domain/ids.ts';
import type { OrderRow, ShipmentRow, StoreTransaction } from '../ports/store.ts';
import type { ActivityDeps } from './deps.ts';
import { runProviderCompensation } from './provider-compensation.ts';
import { writeTransition } from './transition.ts';

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
    runProviderCompensation<null, ShipmentRow[]>(deps, {
      name: { key: operationKeys.voidShipment(orderId), orderId, step: 'shipping' },
      attemptTimeoutMs,
      read: (tx) => tx.shipments.list(orderId),
      settle: async (shipments, timeoutMs) => {
        const settled: ShipmentRow[] = [];
        for (const shipment of shipments) settled.push(await takeBackLabel(deps, { shipment, timeoutMs }));
        return settled;
      },
      commit: async (tx, order, shipments) => {
        await writeVoid(deps, tx, { order, shipments });
        return null;
      },
    });

/** Asks the carrier what there is of a shipment, and for the refund of its label when it has one. */
export async function takeBackLabel(
  deps: ActivityDeps,
  { shipment, timeoutMs }: { shipment: ShipmentRow; timeoutMs: number },
): Promise<ShipmentRow> {
  const shipmentId = shipment.providerShipmentId;
  /* Without a stored id nothing was bought: a shipment nobody knows of costs nothing. */
  if (!shipmentId) return { ...shipment, state: 'refused' };
  const known = await deps.carrier.retrieve({ shipmentId, timeoutMs });
  if (known.status === 'unbought') return { ...shipment, state: 'refused' };
  const { cost: labelCost, ...view } = known.label;
  const refund =
    known.refund === 'none' ? await deps.carrier.refundLabel({ shipmentId, timeoutMs }) : undefined;
  const refunded = known.refund === 'refunded' || refund?.status === 'refunded';
  return { ...shipment, ...view, labelCost, state: refunded ? 'voided' : 'void_requested' };
}

/** Records voided shipments: once per shipment, whoever comes first. */
export async function writeVoid(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { order, shipments }: { order: OrderRow; shipments: readonly ShipmentRow[] },
): Promise<void> {
  for (const shipment of shipments) {
    const before = await tx.shipments.find({ orderId: shipment.orderId, n: shipment.n });
    if (before?.state === shipment.state || isVoid(before)) continue;
    await tx.shipments.put(shipment);
    const voided = isVoid(shipment) ? shipment.providerShipmentId : undefined;
    await writeTransition(tx, {
      order,
      step: 'shipping',
      from: before?.state ?? '',
      to: shipment.state,
      reason: 'compensation',
      ...(voided ? { event: { type: 'shipment.voided.v1', details: { shipmentId: voided } } } : {}),
      nowUtc: deps.clock.nowUtc(),
    });
  }
}

const isVoid = (shipment: ShipmentRow | undefined): boolean =>
  shipment?.state === 'void_requested' || shipment?.state === 'voided';
