import { operationKeys } from '../../domain/ids.ts';
import type { ListedLabel } from '../../ports/carrier.ts';
import type { ActivityDeps } from '../deps.ts';
import { readWholeList, type StrangersOf } from '../read-whole-list.ts';
import { sentBack } from './void-shipment.ts';

/** Every label under the order's references, whatever its number, that is none of its rows' and was not sent back. */
export async function listStrangers(
  deps: ActivityDeps,
  { order, known, forMs, timeoutMs }: StrangersOf,
): Promise<ListedLabel[]> {
  const referencePrefix = operationKeys.generateShipment(order.orderId, 0).slice(0, -1);
  const found = await readWholeList<ListedLabel>(deps, {
    order,
    what: "The carrier's labels",
    forMs,
    page: async ({ sinceUtc, after }) => {
      const from = { referencePrefix, sinceUtc, ...(after ? { beforeId: after } : {}) };
      const { labels, beforeId } = await deps.carrier.listLabels({ ...from, timeoutMs: timeoutMs() });
      return { items: labels, ...(beforeId ? { after: beforeId } : {}) };
    },
  });
  return found.filter(
    ({ shipmentId, reference = '', refund }) =>
      /^\d+$/.test(reference.slice(referencePrefix.length)) &&
      !sentBack(refund) &&
      !known.includes(shipmentId),
  );
}
