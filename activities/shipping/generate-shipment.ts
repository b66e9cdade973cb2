import { operationKeys, tombstoneKeys, type OperationKey, type OrderId } from '../../domain/ids.ts';
import type { Actor, Address, ShipmentView } from '../../domain/order.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { refusalFailure } from '../failures.ts';
import { leftToPerson } from './find-label.ts';
import { notConfirmed } from '../mark-done.ts';
import { moneyNotKept } from './kept-money.ts';
import { settleLabel } from './label-protocol.ts';
import { inProgress, requestTimes, type OperationName } from '../operation.ts';
import { runProviderOperation, type Settled } from '../provider-operation.ts';
import { findOrder, writeTransition } from '../transition.ts';
import { isVoid, sendingBackRequests, takeBackLabel, writeVoid } from './void-shipment.ts';
import type { OrderRow } from '../../ports/store/orders.ts';
import type { ShipmentRow } from '../../ports/store/goods.ts';
import type { ShipmentFacts, Sold } from './label-facts.ts';

export interface GenerateShipment {
  orderId: OrderId;
  /** Number of the address: 1 for the checkout's own, one more for every accepted address update. */
  n: number;
  address: Address;
  /** The carrier's name of a service that an operator wants; the cheapest rate where it is absent. */
  service?: string;
  /** A person may have bought a label at the carrier meanwhile: it is asked for those first. */
  asked?: true;
  attemptTimeoutMs: number;
}

/**
 * Buys one shipping label. The saga's pivot: once it is known to be done, the order only goes forward.
 * Idempotent by `shipment-<orderId>-<n>`: create a shipment (free, the carrier has no idempotency) -> store its id ->
 * buy. An attempt that finds a stored id asks the carrier first; the shipment is bought when it has a label. One label
 * per order, whatever n: a label that SQL knows, or one of a later number, is the answer of every number; one that an
 * earlier number bought without our hearing of it is sent back before another is bought.
 * Where a person may have acted at the carrier (`asked`), a label bought there under the order's reference is the order's
 * when it is the only one and nothing speaks against it.
 * Nothing is bought unless the order's charge is kept. A label that an earlier attempt has bought stands all the same: it
 * was bought while the money was there, and the pivot is passed.
 * Takes at most `attemptTimeoutMs`.
 * A label that was bought already stands, also where another service is wanted now.
 * Fails with AddressUndeliverable (stored, not retried, order held), PaymentDisputed (not stored, not retried; held while
 * the dispute is open, taken back when it is lost), PaymentRefunded (not stored, not retried, order taken back),
 * ServiceNotOffered or FoundAtProvider (not stored, not retried, order parked) or technically (retried).
 * Late after voidShipment: buys nothing; a label that has just been bought is sent back for refund here.
 * The units stay reserved: the saga may not hear of the label and take it back.
 * Writes: Shipments, Operations; at the end Shipments, Orders, AuditLog, OutboxMessages(shipment.generated.v1), in one
 * transaction.
 */
export const createGenerateShipment =
  (deps: ActivityDeps) =>
  (input: GenerateShipment): Promise<ShipmentView> => {
    const operation = shipmentOperation(deps, input);
    const { key } = operation.name;
    let byHand: string | undefined;
    return runProviderOperation<ShipmentView, Sold, ShipmentFacts>(deps, {
      ...operation,
      prepare: async (tx, order, overlaps) => {
        const facts = await operation.prepare(tx);
        /* Nothing of this order may have a label: nothing is begun. */
        if (facts.notKept && !facts.label && !facts.own.providerShipmentId && facts.others.length === 0) {
          throw overlaps ? inProgress(operation.name) : refusalFailure(facts.notKept);
        }
        return facts;
      },
      landsLaterMs: input.attemptTimeoutMs,
      harmless: ({ label, notKept }) => (label ?? notKept) !== undefined,
      /* Beside the pages of a list, which end by their own share of the time. */
      requests: ({ others }) => 3 + 2 * others.length + (input.asked ? 2 + others.length : 0),
      settle: async (attempt) => {
        const { attemptTimeoutMs } = input;
        const settled = await settleLabel(deps, { input, key, attempt, attemptTimeoutMs });
        if ('effect' in settled && settled.effect.byHand) byHand = settled.reference;
        return settled;
      },
      /* A person's label that was not recorded is a person's to send back. */
      takeBack: (shipmentId) =>
        takeBackLateLabel(deps, input, shipmentId === byHand ? undefined : shipmentId),
      overtaken: async (shipmentId) => {
        if (shipmentId !== byHand) await sendBackSecondLabel(deps, input, shipmentId);
      },
    });
  };

/** An order's nth shipment, bought by us or, as `marked` says, by a person. */
export interface ShipmentOf {
  orderId: OrderId;
  n: number;
  attemptTimeoutMs: number;
  marked?: { actor: Actor; reason: string };
}

/** What buying a label has in common with taking one that a person has bought. */
export const shipmentOperation = (deps: ActivityDeps, input: ShipmentOf) => {
  const name: OperationName & { tombstoneKeys: readonly OperationKey[] } = {
    key: operationKeys.generateShipment(input.orderId, input.n),
    orderId: input.orderId,
    step: 'shipping',
    tombstoneKeys: tombstoneKeys(input.orderId, 'voidShipment'),
    untilEnd: true as const,
  };
  return {
    name,
    attemptTimeoutMs: input.attemptTimeoutMs,
    prepare: (tx: StoreTransaction) => openShipment(deps, tx, { input, name }),
    commit: (tx: StoreTransaction, order: OrderRow, settled: Settled<Sold>) =>
      commitShipment(deps, tx, { input, order, settled }),
  };
};

/** Only one number's attempts talk to the carrier at a time: what another one may still buy is waited for. */
async function openShipment(
  deps: ActivityDeps,
  tx: StoreTransaction,
  { input: { orderId, n }, name }: { input: ShipmentOf; name: OperationName },
): Promise<ShipmentFacts> {
  const shipments = await tx.shipments.list(orderId);
  const strangers = shipments.filter((shipment) => shipment.n !== n);
  const own = shipments.find((shipment) => shipment.n === n) ?? { orderId, n, state: 'creating' };
  const label = labelOf(strangers);
  const known = shipments.flatMap(({ providerShipmentId }) => providerShipmentId ?? []);
  if (label) return { own, others: [], known, label };
  if (strangers.length > 0) {
    const leased = await tx.operations.leased({ orderId, step: name.step, nowUtc: deps.clock.nowUtc() });
    if (leased.some(({ key }) => key !== name.key)) throw inProgress(name);
  }
  if (!shipments.includes(own)) await tx.shipments.put(own);
  const notKept = await moneyNotKept(tx, orderId);
  const others = strangers.filter((shipment) => shipment.providerShipmentId && !isVoid(shipment));
  return { own, others, known, ...(notKept ? { notKept } : {}) };
}

/** The label that SQL knows, whose event has been told. */
function labelOf(shipments: readonly ShipmentRow[]): ShipmentFacts['label'] {
  const bought = shipments.find(({ state }) => state === 'bought');
  const { providerShipmentId: shipmentId, carrier, service, trackingCode, labelUrl } = bought ?? {};
  return shipmentId && carrier && service && trackingCode && labelUrl
    ? { shipmentId, sold: { carrier, service, trackingCode, labelUrl } }
    : undefined;
}

async function commitShipment(
  deps: ActivityDeps,
  tx: StoreTransaction,
  {
    input: { orderId, n, marked },
    order,
    settled,
  }: { input: ShipmentOf; order: OrderRow; settled: Settled<Sold> },
) {
  const shipments = await tx.shipments.list(orderId);
  const nowUtc = deps.clock.nowUtc();
  if ('refused' in settled) {
    const own = shipments.find((shipment) => shipment.n === n);
    await tx.shipments.put({ ...own, orderId, n, state: 'refused' });
    await writeTransition(tx, {
      order,
      step: 'shipping',
      status: 'address_rejected',
      reason: settled.refused.reason,
      nowUtc,
    });
    return settled;
  }
  const { cost, byHand, ...view } = settled.effect;
  const providerShipmentId = settled.reference;
  /* Under the number that has the shipment, which need not be this one. */
  const stored = shipments.find((shipment) => shipment.providerShipmentId === providerShipmentId) ??
    shipments.find((shipment) => shipment.n === n) ?? { orderId, n };
  if ('state' in stored && stored.state === 'bought') return { done: view };
  const known = shipments.some((shipment) => shipment.providerShipmentId === providerShipmentId);
  const [other] = known ? [] : await tx.shipments.ordersOf(providerShipmentId);
  if (other) {
    const why = `Shipment ${providerShipmentId} is that of order ${other}.`;
    throw marked ? notConfirmed(why) : leftToPerson(orderId, why);
  }
  await tx.shipments.put({
    ...stored,
    state: 'bought',
    providerShipmentId,
    ...view,
    ...(cost ? { labelCost: cost } : {}),
  });
  await writeTransition(tx, {
    order,
    step: 'shipping',
    status: 'shipment_generated',
    detail: { shipment: view },
    ...(marked ?? { reason: byHand ? 'a label that somebody had bought at the carrier' : 'label bought' }),
    event: {
      type: 'shipment.generated.v1',
      details: { shipmentId: providerShipmentId, carrier: view.carrier, trackingCode: view.trackingCode },
    },
    nowUtc,
  });
  return { done: view };
}

/** A label was bought after voidShipment had begun: send it back, with its own record. */
export async function takeBackLateLabel(
  deps: ActivityDeps,
  { orderId, n, attemptTimeoutMs, marked }: ShipmentOf,
  reference: string | undefined,
): Promise<void> {
  const stored = await deps.store.transaction((tx) => tx.shipments.find({ orderId, n }));
  const providerShipmentId = reference ?? stored?.providerShipmentId;
  if (!stored || !providerShipmentId) return;
  /* A shipment that is not the stored one was never bought by us: another attempt was faster. */
  if (!marked && stored.providerShipmentId && stored.providerShipmentId !== providerShipmentId) return;
  const key = operationKeys.voidShipment(orderId);
  const timeoutMs = requestTimes(deps, { key, attemptTimeoutMs, requests: sendingBackRequests });
  const taken = await takeBackLabel(deps, { shipment: { ...stored, providerShipmentId }, timeoutMs });
  await deps.store.transaction(async (tx) => {
    const order = await findOrder(tx, orderId);
    await writeVoid(deps, tx, { order, shipments: [taken] });
  });
}

/** A person's label is the order's by now: ours, which came later, is sent back. */
async function sendBackSecondLabel(
  deps: ActivityDeps,
  { orderId, n, attemptTimeoutMs }: ShipmentOf,
  providerShipmentId: string,
): Promise<void> {
  const stored = await deps.store.transaction((tx) => tx.shipments.find({ orderId, n }));
  if (!stored || stored.providerShipmentId === providerShipmentId) return;
  const key = operationKeys.voidShipment(orderId);
  const timeoutMs = requestTimes(deps, { key, attemptTimeoutMs, requests: sendingBackRequests });
  await takeBackLabel(deps, { shipment: { ...stored, providerShipmentId }, timeoutMs });
  await deps.store.transaction(async (tx) => {
    const order = await findOrder(tx, orderId);
    const reason = `a second label, of shipment ${providerShipmentId}, came late`;
    const nowUtc = deps.clock.nowUtc();
    await writeTransition(tx, {
      order,
      step: 'shipping',
      from: 'second label',
      to: 'sent back',
      reason,
      nowUtc,
    });
  });
}
