import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery, HandlerResult } from '../ports/broker.ts';
import type { HandleDelivery } from './subscription-handler.ts';

/**
 * Tries a delivery again where it stands, one delivery at a time, so that none of its successors passes it.
 *
 * The delivery is held while it waits: given back, the single active consumer would move to the next instance, which
 * would try again at once, and with enough instances all attempts would be spent within a second. Delays are bounded
 * far below the broker's `consumer_timeout`. A lost connection ends the wait; the attempts made count on when the
 * event comes back to this instance.
 */
export function retryInPlace(handle: HandleDelivery): (delivery: Delivery) => Promise<HandlerResult> {
  let before: Promise<unknown> = Promise.resolve();
  let waiting = { messageId: '', attempt: 1 };

  async function attempts(delivery: Delivery): Promise<HandlerResult> {
    const { messageId, signal } = delivery;
    let attempt = messageId !== '' && waiting.messageId === messageId ? waiting.attempt : 1;
    while (!signal.aborted) {
      const result = await handle(delivery, attempt);
      if (result.status !== 'retry') return result;
      if (result.counted !== false) attempt += 1;
      waiting = { messageId, attempt };
      await sleep(result.delayMs, undefined, { signal }).catch(() => {});
    }
    return { status: 'pause', ms: 0, reason: 'the delivery was lost while it waited' };
  }

  return (delivery) => {
    // A handler whose connection was lost may still run when its event comes again.
    const result = before.then(() => attempts(delivery));
    before = result.catch(() => {});
    return result;
  };
}
