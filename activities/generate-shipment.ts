import { serviceNotOffered, TechnicalFailure, type Refusal } from '../domain/failures.ts';
import { operationKeys, tombstoneKeys, type OrderId } from '../domain/ids.ts';
import type { Actor, Address, ShipmentView } from '../domain/order.ts';
import type { Label, Rate } from '../ports/carrier.ts';
import type { OrderRow, ShipmentRow, StoreTransaction } from '../ports/store.ts';
import type { ActivityDeps } from './deps.ts';
import { operatorRefusal } from './failures.ts';
import { runProviderOperation, type Attempt, type Settled } from './provider-operation.ts';
import { findOrder, writeTransition } from './transition.ts';
import { takeBackLabel, writeVoid } from './void-shipment.ts';

export interface GenerateShipment {
  orderId: OrderId;
  /** Number of the address: 1 for the checkout's own, one more for every accepted address update. */
  n: number;
  address: Address;
  /** The carrier's name of a service that an operator wants; the cheapest rate where it is absent. */
  service?: string;
  attemptTimeoutMs: number;
}

/**
 * Buys one shipping label. The saga's pivot: once it is known to be done, the order only goes forward.
 * Idempotent by `shipment-<orderId>-<n>`: create a shipment (free, the carrier has no idempotency) -> store its id ->
 * buy. An attempt that finds a stored id asks the carrier first; the shipment is bought when it has a label.
 * Takes at most `attemptTimeoutMs`.
 * A label that was bought already stands, also where another service is wanted now.
 * Fails with AddressUndeliverable (stored, not retried, order held), ServiceNotOffered (not stored, not retried, order
 * parked) or technically (retried).
 * Late after voidShipment: buys nothing; a label that has just been bought is sent back for refund here.
 * The units stay reserved: the saga may not hear of the label and take it back.
 * Writes: Shipments, Operations; at the end Shipments, Orders, AuditLog, OutboxMessages(shipment.generated.v1), in one
 * transaction.
 */
export const createGenerateShipment =
  (deps: ActivityDeps) =>
  (input: GenerateShipment): Promise<ShipmentView> => {
    const key = operationKeys.generateShipment(input.orderId, input.n);
    return runProviderOperation<ShipmentView, Label, ShipmentRow>(deps, {
      ...shipmentOperation(deps, input),
      landsLaterMs: input.attemptTimeoutMs,
      requests: 3,
      settle: (attempt) => settleShipment(deps, { input, key, attempt }),
      takeBack: (shipmentId) => takeBackLateLabel(deps, input, shipmentId),
      overtaken: (shipmentId) => sendBackSecondLabel(deps, input, shipmentId),
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
export const shipmentOperation = (deps: ActivityDeps, input: ShipmentOf) => ({
  name: {
    key: operationKeys.generateShipment(input.orderId, input.n),
    orderId: input.orderId,
    step: 'shipping',
    tombstoneKeys: tombstoneKeys(input.orderId, 'voidShipment'),
    untilEnd: true as const,
  },
  attemptTimeoutMs: input.attemptTimeoutMs,
  prepare: (tx: StoreTransaction) => openShipment(tx, input),
  commit: (tx: StoreTransaction, order: OrderRow, settled: SettledShipment) =>
    commitShipment(deps, tx, { input, order, settled }),
});

type SettledShipment = Settled<Label>;
interface Protocol {
  input: GenerateShipment;
  key: string;
  attempt: Attempt<ShipmentRow>;
}

async function openShipment(tx: StoreTransaction, { orderId, n }: ShipmentOf): Promise<ShipmentRow> {
  const known = await tx.shipments.find({ orderId, n });
  if (known) return known;
  const shipment: ShipmentRow = { orderId, n, state: 'creating' };
  await tx.shipments.put(shipment);
  return shipment;
}

async function settleShipment(deps: ActivityDeps, protocol: Protocol): Promise<SettledShipment> {
  const { facts } = protocol.attempt;
  if (!facts.providerShipmentId) return createAndBuy(deps, protocol);
  const shipmentId = facts.providerShipmentId;
  const known = await deps.carrier.retrieve({ shipmentId, timeoutMs: protocol.attempt.timeoutMs() });
  if (known.status === 'bought') return { effect: known.label, reference: shipmentId };
  return buyLabel(deps, protocol, { shipmentId, rates: known.rates });
}

async function createAndBuy(deps: ActivityDeps, protocol: Protocol): Promise<SettledShipment> {
  const { input, key, attempt } = protocol;
  const created = await deps.carrier.createShipment({
    reference: key,
    address: input.address,
    items: attempt.order.items,
    timeoutMs: attempt.timeoutMs(),
  });
  if (created.status === 'undeliverable') return { refused: undeliverable(created.reason) };
  const { shipmentId, rates } = created;
  await attempt.save(shipmentId, (tx) =>
    tx.shipments.put({ ...attempt.facts, state: 'created', providerShipmentId: shipmentId }),
  );
  return buyLabel(deps, protocol, { shipmentId, rates });
}

async function buyLabel(
  deps: ActivityDeps,
  { input, attempt }: Protocol,
  { shipmentId, rates }: { shipmentId: string; rates: readonly Rate[] },
): Promise<SettledShipment> {
  const rate = cheapest(rates.filter(({ service }) => service === (input.service ?? service)));
  if (!rate && rates.length > 0) throw notOffered(input, { shipmentId, rates });
  if (!rate) {
    const message = `The carrier offers no rate for shipment ${shipmentId} of order ${input.orderId}; expected at least one`;
    throw new TechnicalFailure('ProviderUnavailable', message);
  }
  const answer = await deps.carrier.buy({ shipmentId, rateId: rate.rateId, timeoutMs: attempt.timeoutMs() });
  switch (answer.status) {
    case 'bought':
      return { effect: answer.label, reference: shipmentId };
    case 'undeliverable':
      return { refused: undeliverable(answer.reason) };
    case 'already_bought':
      throw new TechnicalFailure(
        'OutcomeUnknown',
        `Shipment ${shipmentId} is already bought; its label is looked up`,
        {
          retryAfterMs: 50,
        },
      );
  }
}

const notOffered = (
  { orderId, service }: GenerateShipment,
  { shipmentId, rates }: { shipmentId: string; rates: readonly Rate[] },
) => {
  const offered = [...new Set(rates.map((rate) => rate.service))].join(', ');
  const message = `The carrier offers no service "${service}" for shipment ${shipmentId} of order ${orderId}; it offers: ${offered}`;
  return operatorRefusal(serviceNotOffered, message);
};

/** By price, then by id, so that every attempt chooses alike. */
const cheapest = (rates: readonly Rate[]): Rate | undefined =>
  rates.toSorted((a, b) => Number(a.amount) - Number(b.amount) || a.rateId.localeCompare(b.rateId))[0];

const undeliverable = (reason: string): Refusal => ({ type: 'AddressUndeliverable', reason });

async function commitShipment(
  deps: ActivityDeps,
  tx: StoreTransaction,
  {
    input: { orderId, n, marked },
    order,
    settled,
  }: { input: ShipmentOf; order: OrderRow; settled: SettledShipment },
) {
  const stored = await tx.shipments.find({ orderId, n });
  const nowUtc = deps.clock.nowUtc();
  if ('refused' in settled) {
    await tx.shipments.put({ ...stored, orderId, n, state: 'refused' });
    await writeTransition(tx, {
      order,
      step: 'shipping',
      status: 'address_rejected',
      reason: settled.refused.reason,
      nowUtc,
    });
    return settled;
  }
  const { cost, ...view } = settled.effect;
  const providerShipmentId = settled.reference;
  await tx.shipments.put({
    ...stored,
    orderId,
    n,
    state: 'bought',
    providerShipmentId,
    ...view,
    labelCost: cost,
  });
  await writeTransition(tx, {
    order,
    step: 'shipping',
    status: 'shipment_generated',
    detail: { shipment: view },
    ...(marked ?? { reason: 'label bought' }),
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
  const timeoutMs = Math.floor(attemptTimeoutMs / 4);
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
  const timeoutMs = Math.floor(attemptTimeoutMs / 4);
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
