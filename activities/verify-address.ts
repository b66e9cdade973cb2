import type { OrderId } from '../domain/ids.ts';
import type { Address } from '../domain/order.ts';
import type { ActivityDeps } from './deps.ts';
import { refusalFailure } from './failures.ts';

/**
 * Asks the carrier whether the address can be delivered to, before anything is charged.
 * Reads only, so running it twice, late or at the same time changes nothing and it needs no operation key.
 * Fails with AddressUndeliverable (not retried, order held) or technically.
 */
export const createVerifyAddress =
  (deps: ActivityDeps) =>
  async (input: { orderId: OrderId; address: Address; attemptTimeoutMs: number }): Promise<null> => {
    const answer = await deps.carrier.verifyAddress({
      address: input.address,
      timeoutMs: input.attemptTimeoutMs,
    });
    if (answer.deliverable) return null;
    throw refusalFailure({ type: 'AddressUndeliverable', reason: answer.reason });
  };
