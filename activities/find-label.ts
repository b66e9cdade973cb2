import { foundAtProvider, TechnicalFailure } from '../domain/failures.ts';
import { operationKeys } from '../domain/ids.ts';
import type { ListedLabel } from '../ports/carrier.ts';
import { objectionTo } from './confirm-label.ts';
import type { ActivityDeps } from './deps.ts';
import { operatorRefusal } from './failures.ts';
import type { LabelProtocol, Sold } from './label-protocol.ts';
import type { Settled } from './provider-operation.ts';
import { sentBack } from './void-shipment.ts';

/** What reading the list may take of an attempt; the rest is for buying. */
const SHARE_OF_ATTEMPT = 0.5;

/** The shop's clock and the carrier's need not agree. */
const CLOCKS_DIFFER_MS = 10 * 60 * 1_000;

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
  const found = await listStrangers(deps, protocol);
  const [only, ...more] = found;
  if (!only) return undefined;
  if (attempt.earlierUntilUtc) {
    const message = `Until ${attempt.earlierUntilUtc} an earlier attempt may still buy a label beside that of shipment ${only.shipmentId}`;
    throw new TechnicalFailure('OperationInProgress', message, { retryAfterMs: 1_000 });
  }
  const own = await ownLabel(deps, protocol);
  const several = [...(own ? [own] : []), ...found.map(({ shipmentId }) => shipmentId)];
  if (own || more.length > 0) {
    const names = several.slice(0, 10).join(', ');
    throw decide(protocol, `${several.length} shipments of the order have a label: ${names}.`);
  }
  const { shippingAddress: address } = attempt.order;
  const objection = objectionTo(only.shipmentId, only, { ...input, address });
  if (objection) throw decide(protocol, objection.reason);
  return { effect: { ...only.label, byHand: true }, reference: only.shipmentId };
}

const decide = ({ input: { orderId } }: LabelProtocol, why: string) =>
  operatorRefusal(
    foundAtProvider,
    `Somebody has bought a label of order ${orderId} at the carrier. ${why} Nothing was bought: mark the order's own label as done, send the others back at the carrier, or cancel the order.`,
  );

/** Every label under the order's references, whatever its number, that is none of the order's rows. */
async function listStrangers(
  deps: ActivityDeps,
  { input: { orderId }, attempt, attemptTimeoutMs }: LabelProtocol,
): Promise<ListedLabel[]> {
  const { order, facts } = attempt;
  const referencePrefix = operationKeys.generateShipment(orderId, 0).slice(0, -1);
  const sinceUtc = new Date(Date.parse(order.createdAtUtc) - CLOCKS_DIFFER_MS).toISOString();
  const nowMs = () => Date.parse(deps.clock.nowUtc());
  const untilMs = nowMs() + attemptTimeoutMs * SHARE_OF_ATTEMPT;
  const found: ListedLabel[] = [];
  let page: Awaited<ReturnType<typeof deps.carrier.listLabels>> | undefined;
  for (let pages = 0; !page || page.beforeId; pages += 1) {
    if (nowMs() >= untilMs) {
      const message = `The carrier's labels since ${sinceUtc} could not be read to their end (${pages} pages in ${attemptTimeoutMs * SHARE_OF_ATTEMPT} ms), so nothing was bought for order ${orderId}; try again, mark its label as done, or cancel it`;
      throw new TechnicalFailure('ProviderUnavailable', message);
    }
    page = await deps.carrier.listLabels({
      referencePrefix,
      sinceUtc,
      ...(page?.beforeId ? { beforeId: page.beforeId } : {}),
      timeoutMs: attempt.timeoutMs(),
    });
    found.push(...page.labels);
  }
  return found.filter(
    ({ shipmentId, reference = '', refund }) =>
      /^\d+$/.test(reference.slice(referencePrefix.length)) &&
      !sentBack(refund) &&
      !facts.known.includes(shipmentId),
  );
}

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
