import { declarationOf, refusePapers } from '../../domain/customs.ts';
import { serviceNotOffered, TechnicalFailure, type Refusal } from '../../domain/failures.ts';
import type { Offers, Rate } from '../../ports/carrier.ts';
import type { StoreTransaction } from '../../ports/store.ts';
import type { ActivityDeps } from '../deps.ts';
import { operatorRefusal, refusalFailure } from '../failures.ts';
import { findLabel } from './find-label.ts';
import { moneyNotKept } from './kept-money.ts';
import type { Settled } from '../provider-operation.ts';
import { sentBack, takeBackLabel, writeVoid, isVoid } from './void-shipment.ts';
import type { Sold, LabelProtocol } from './label-facts.ts';

/**
 * Buys one label for the order, whatever its number: other numbers' shipments are settled first, then this one's is
 * looked up or created, rated and bought. The money is looked at in the transaction right before a purchase: the one
 * that begins the attempt, or the one that stores a new shipment's id. What is refunded between that and the purchase,
 * at the provider's own desk (an operator's refund of all is refused before shipping), is not seen: the order ships then.
 */
export async function settleLabel(deps: ActivityDeps, protocol: LabelProtocol): Promise<Settled<Sold>> {
  const { facts } = protocol.attempt;
  if (facts.label) return { effect: facts.label.sold, reference: facts.label.shipmentId };
  const found = protocol.input.asked ? await findLabel(deps, protocol) : undefined;
  if (found) return found;
  const newer = await settleOthers(deps, protocol);
  if (newer) return newer;
  const shipmentId = facts.own.providerShipmentId;
  if (!shipmentId) return createAndBuy(deps, protocol);
  const known = await deps.carrier.retrieve({ shipmentId, timeoutMs: protocol.attempt.timeoutMs() });
  if (known.status === 'unbought') {
    refuseWithoutMoney(protocol, facts.notKept);
    return rateAndBuy(deps, protocol, { shipmentId, offers: known });
  }
  if (!sentBack(known.refund)) return { effect: known.label, reference: shipmentId };
  throw new TechnicalFailure(
    'ProviderMisconfigured',
    `The label of shipment ${shipmentId} of order ${protocol.input.orderId} was sent back to the carrier; an operator gives another one (mark-done) or cancels the order`,
  );
}

/**
 * Labels that other numbers' attempts bought without anybody's hearing of it. One of a later number has the newer
 * address: it is the order's. One of an earlier number is sent back, and recorded as sent back, before another is bought.
 */
async function settleOthers(
  deps: ActivityDeps,
  { input: { orderId, n }, attempt }: LabelProtocol,
): Promise<Settled<Sold> | undefined> {
  for (const shipment of attempt.facts.others) {
    const { providerShipmentId: shipmentId = '' } = shipment;
    if (shipment.n > n) {
      const known = await deps.carrier.retrieve({ shipmentId, timeoutMs: attempt.timeoutMs() });
      if (known.status === 'bought' && !sentBack(known.refund))
        return { effect: known.label, reference: shipmentId };
      continue;
    }
    const taken = await takeBackLabel(deps, { shipment, timeoutMs: attempt.timeoutMs });
    if (!isVoid(taken.shipment)) continue;
    await attempt.save(undefined, (tx) =>
      writeVoid(deps, tx, {
        order: attempt.order,
        shipments: [taken],
        why: `the label goes to address ${n} of ${orderId}`,
      }),
    );
  }
  return undefined;
}

/** Nothing of the attempts so far has a label, nor can get one: only then nothing happened. */
function refuseWithoutMoney({ key, attempt }: LabelProtocol, notKept: Refusal | undefined): void {
  if (!notKept) return;
  if (!attempt.earlierUntilUtc) throw refusalFailure(notKept);
  const message = `Until ${attempt.earlierUntilUtc} an earlier attempt of ${key} may still buy a label: ${notKept.reason}`;
  throw new TechnicalFailure('OperationInProgress', message, { retryAfterMs: 1_000 });
}

async function createAndBuy(deps: ActivityDeps, protocol: LabelProtocol): Promise<Settled<Sold>> {
  const { input, key, attempt } = protocol;
  refuseWithoutMoney(protocol, attempt.facts.notKept);
  const { parcel, currency, items } = attempt.order;
  const papers = parcel && { from: deps.shipping.from, to: input.address, items: parcel, currency };
  /* The address was corrected since the order was priced. */
  const lacking = papers && refusePapers(papers);
  if (lacking) return { refused: undeliverable(lacking) };
  const customs = papers && declarationOf(papers);
  const created = await deps.carrier.createShipment({
    reference: key,
    address: input.address,
    items: parcel ?? items,
    ...(customs ? { customs } : {}),
    timeoutMs: attempt.timeoutMs(),
  });
  if (created.status === 'undeliverable') return { refused: undeliverable(created.reason) };
  const { shipmentId } = created;
  let notKept: Refusal | undefined;
  await attempt.save(shipmentId, async (tx: StoreTransaction) => {
    notKept = await moneyNotKept(tx, input.orderId);
    await tx.shipments.put({ ...attempt.facts.own, state: 'created', providerShipmentId: shipmentId });
  });
  refuseWithoutMoney(protocol, notKept);
  return rateAndBuy(deps, protocol, { shipmentId, offers: created });
}

interface Rated {
  shipmentId: string;
  offers: Offers;
}

/** Buys at a rate that may still be had: a shipment keeps its rates, none included, until others are asked for. */
async function rateAndBuy(deps: ActivityDeps, protocol: LabelProtocol, rated: Rated): Promise<Settled<Sold>> {
  const { attempt, input } = protocol;
  const { shipmentId } = rated;
  const nowMs = Date.parse(deps.clock.nowUtc());
  const fresh = isStale(rated.offers, nowMs);
  const offers = fresh
    ? await deps.carrier.rerate({ shipmentId, timeoutMs: attempt.timeoutMs() })
    : rated.offers;
  const rate = cheapest(offers.rates.filter(({ service }) => service === (input.service ?? service)));
  if (!rate)
    throw offers.rates.length > 0
      ? notOffered(input, { shipmentId, offers })
      : noRate(input, { shipmentId, offers });
  return buyAt(deps, protocol, { shipmentId, rate, fresh });
}

async function buyAt(
  { carrier }: ActivityDeps,
  { attempt }: LabelProtocol,
  { shipmentId, rate: { rateId }, fresh }: { shipmentId: string; rate: Rate; fresh: boolean },
): Promise<Settled<Sold>> {
  const answer = await carrier.buy({ shipmentId, rateId, timeoutMs: attempt.timeoutMs() });
  switch (answer.status) {
    case 'bought':
      return { effect: answer.label, reference: shipmentId };
    case 'undeliverable':
      return { refused: undeliverable(answer.reason) };
    case 'rate_gone': {
      if (!fresh) await carrier.rerate({ shipmentId, timeoutMs: attempt.timeoutMs() });
      const message = `Rate ${rateId} of shipment ${shipmentId} is gone (${answer.reason}); the next attempt buys at a new one`;
      throw new TechnicalFailure('ProviderUnavailable', message, { retryAfterMs: 50 });
    }
    case 'already_bought': {
      const message = `Shipment ${shipmentId} is already bought; its label is looked up`;
      throw new TechnicalFailure('OutcomeUnknown', message, { retryAfterMs: 50 });
    }
  }
}

/** Carriers' prices of yesterday may be refused in words that no program reads: they are not tried at all. */
const KEPT_RATES_MS = 12 * 60 * 60 * 1_000;

const isStale = ({ rates }: Offers, nowMs: number): boolean =>
  rates.length === 0 ||
  rates.some(({ offeredAtUtc }) => offeredAtUtc && nowMs - Date.parse(offeredAtUtc) > KEPT_RATES_MS);

const notOffered = ({ orderId, service }: LabelProtocol['input'], { shipmentId, offers }: Rated) => {
  const offered = [...new Set(offers.rates.map((rate) => rate.service))].join(', ');
  const message = `The carrier offers no service "${service}" for shipment ${shipmentId} of order ${orderId}; it offers: ${offered}`;
  return operatorRefusal(serviceNotOffered, message);
};

const noRate = ({ orderId }: LabelProtocol['input'], { shipmentId, offers }: Rated): TechnicalFailure => {
  const said = offers.objections?.join('; ').slice(0, 200) ?? 'nothing';
  const message = `The carrier offers no rate for shipment ${shipmentId} of order ${orderId}; expected at least one. It says: ${said}`;
  return new TechnicalFailure('ProviderUnavailable', message);
};

/** By price, then by id, so that every attempt chooses alike. */
const cheapest = (rates: readonly Rate[]): Rate | undefined =>
  rates.toSorted((a, b) => Number(a.amount) - Number(b.amount) || a.rateId.localeCompare(b.rateId))[0];

const undeliverable = (reason: string): Refusal => ({ type: 'AddressUndeliverable', reason });
