import { foundAtProvider } from '../../domain/failures.ts';
import { closeOthers } from './close-intent.ts';
import { confirmCharge } from './confirm-charge.ts';
import type { ActivityDeps } from '../deps.ts';
import { operatorRefusal } from '../failures.ts';
import { listStrangers } from './list-charges.ts';
import type { PaymentProtocol, SettledPayment } from './payment-facts.ts';
import { namesOf, SHARE_OF_ATTEMPT } from '../read-whole-list.ts';

/**
 * The charge that a person has made at the payment provider for the order meanwhile: the only one that carries the
 * order's id and that no row of the order knows. It is the order's when nothing speaks against it and no payment of ours
 * is charged; those that are not are canceled first, so that only one can ever charge. Otherwise nothing is charged, and a
 * person decides.
 */
export async function findCharge(
  deps: ActivityDeps,
  { input: { orderId, attemptTimeoutMs }, attempt }: PaymentProtocol,
): Promise<SettledPayment | undefined> {
  const { order, facts, timeoutMs } = attempt;
  const forMs = attemptTimeoutMs * SHARE_OF_ATTEMPT;
  const found = await listStrangers(deps, { order, known: facts.known, forMs, timeoutMs });
  const [only, ...more] = found;
  if (!only) return undefined;
  if (more.length > 0)
    throw leftToPerson(
      orderId,
      `${found.length} payments that nobody here made carry its id: ${namesOf(found.map(({ intentId }) => intentId))}.`,
    );
  const confirmed = await confirmCharge(deps, { order, known: only, stored: false, timeoutMs });
  if ('objection' in confirmed) throw leftToPerson(orderId, confirmed.objection);
  const ours = await closeOthers(deps, facts, { reference: only.intentId, timeoutMs });
  if (ours)
    throw leftToPerson(orderId, `Payment ${ours} of the order is charged, and so is ${only.intentId}.`);
  const { charge, disputes } = confirmed;
  return { effect: { ...charge, disputes, byHand: true }, reference: charge.intentId };
}

export const leftToPerson = (orderId: string, why: string) =>
  operatorRefusal(
    foundAtProvider,
    `Somebody has charged for order ${orderId} at the payment provider. ${why} Nothing was charged: mark the order's own charge as done, refund the others at the payment provider, or cancel the order.`,
  );
