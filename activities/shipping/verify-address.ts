import { needsPapers, refusePapers } from '../../domain/customs.ts';
import type { OrderId } from '../../domain/ids.ts';
import type { Address } from '../../domain/order.ts';
import { TechnicalFailure } from '../../domain/failures.ts';
import { withoutQuotes } from '../../domain/quotes.ts';
import type { ActivityDeps } from '../deps.ts';
import { refusalFailure } from '../failures.ts';
import { unquoted } from '../unquoted.ts';

interface AddressQuestion {
  orderId: OrderId;
  address: Address;
  attemptTimeoutMs: number;
}

/**
 * Asks the carrier whether the address can be delivered to, before anything is charged. An address beyond a customs border
 * for which the order's papers lack something is refused without asking.
 * Reads only, so running it twice, late or at the same time changes nothing and it needs no operation key.
 * Fails with AddressUndeliverable (not retried, order held) or technically.
 */
export const createVerifyAddress =
  (deps: ActivityDeps) =>
  async (input: AddressQuestion): Promise<null> => {
    const lacking = await lackingPapers(deps, input);
    if (lacking) throw refusalFailure({ type: 'AddressUndeliverable', reason: lacking });
    const { address } = input;
    const asked = deps.carrier.verifyAddress({ address, timeoutMs: input.attemptTimeoutMs });
    const answer = await unquoted({ shippingAddress: address }, asked);
    if (answer.deliverable) return null;
    const reason = withoutQuotes(answer.reason, { shippingAddress: address });
    throw refusalFailure({ type: 'AddressUndeliverable', reason });
  };

async function lackingPapers(
  { store, shipping: { from } }: ActivityDeps,
  { orderId, address: to }: AddressQuestion,
): Promise<string | undefined> {
  if (!needsPapers(from, to)) return undefined;
  const order = await store.transaction((tx) => tx.orders.find(orderId));
  if (!order?.parcel) return undefined;
  return refusePapers({ from, to, items: order.parcel, currency: order.currency });
}

/**
 * The same question, asked once beside the saga instead of on the carrier's own task queue: only while the carrier takes
 * steps at full pace. Otherwise, or without an answer in time, it fails technically and the carrier's queue has the step.
 */
export const createVerifyAddressAtOnce = (deps: ActivityDeps) => {
  const verify = createVerifyAddress(deps);
  return (input: AddressQuestion): Promise<null> => {
    if (deps.providers.pace('carrier') === 'full') return verify(input);
    const message = `The carrier is spared now; the address of order ${input.orderId} is verified on its own task queue`;
    return Promise.reject(new TechnicalFailure('ProviderUnavailable', message));
  };
};
