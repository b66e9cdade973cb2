import { operationKeys, productId } from '../../domain/ids.ts';
import { newOrderId } from '../e2e/saga-suite.ts';
import { isParked, small, startUntil, type Fate } from './lead-order.ts';
import { parkedFates } from './parked-fates.ts';
import { again } from './second-run-fates.ts';
import { breakable } from './store-fates.ts';
import { waitFates } from './wait-fates.ts';

const led = (fates: Record<string, Fate>, name: string): Fate => {
  const lead = fates[name];
  if (!lead) throw new Error(`Expected a fate ${name}, there is none`);
  return lead;
};

/** Paths on which a change of the workflow is met behind a local activity. */
export const decidedAheadFates: Record<string, Fate> = {
  'completed-decided-ahead-charge-found': led(parkedFates, 'completed-parked-charge-found'),
  'cancelled-decided-ahead-release-tried-later': led(
    waitFates,
    'cancelled-parked-release-tried-later-and-later',
  ),
  'failed-decided-ahead-restarted-out-of-stock': async (saga) => {
    const orderId = newOrderId();
    const key = operationKeys.reserveInventory(orderId);
    const rare = productId(`rare-${orderId}`);
    await saga.putProduct({ productId: rare, onHand: 1 });
    breakable.keys.add(key);
    const policy = { localActivityMs: 300, steps: { inventory: small } };
    const order = await startUntil(
      saga,
      isParked,
      { orderId, items: [{ productId: rare, quantity: 1 }] },
      policy,
    );
    await saga.putProduct({ productId: rare, onHand: 0 });
    breakable.keys.delete(key);
    return again(saga, order, 'restart');
  },
};
