import { setTimeout as sleep } from 'node:timers/promises';
import { orderSubject } from '../../domain/audit.ts';
import { workflowIdOf, type OrderId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';
import { verifySubject } from './verify-audit.ts';
import type { PurgedOrder } from '../../ports/store/upkeep.ts';

export interface PurgeReport {
  orders: number;
  processedEvents: number;
  outboxMessages: number;
  /** Orders that stay because their audit chain is broken: it is evidence. */
  kept: { orderId: OrderId; what: string }[];
}

/** Orders of one transaction, some 60 rows each: far below what makes SQL Server lock whole tables. */
const ordersAtOnce = 10;
const rowsAtOnce = 500;

/** The audit subject that records what was purged on a day (UTC). */
export const purgeSubject = (nowUtc: string): string => `purge:${nowUtc.slice(0, 10)}`;

/**
 * Deletes what is older than `beforeUtc`: closed orders, each with its whole chain and each recorded with its head hash
 * in the same transaction; marks of handled events; published messages. Many short transactions with `pauseMs` between
 * them, so that writers go on; safe to stop at any time and to run again. An order whose audit chain does not hold is
 * kept and named. Needs the database's owner role where there are roles.
 */
export async function purgeStore(input: {
  store: Store;
  beforeUtc: string;
  actor: string;
  clock: Clock;
  pauseMs: number;
  onProgress?: ((report: PurgeReport) => void) | undefined;
}): Promise<PurgeReport> {
  const { store, beforeUtc, pauseMs, onProgress } = input;
  const report: PurgeReport = { orders: 0, processedEvents: 0, outboxMessages: 0, kept: [] };
  const inBatches = async (purge: () => Promise<boolean>) => {
    while (await purge()) {
      onProgress?.(report);
      await sleep(pauseMs);
    }
  };
  await inBatches(async () => {
    const ids = await nextOrders(store, beforeUtc, report);
    if (ids.length > 0) report.orders += await purgeOrders(input, ids);
    return ids.length > 0;
  });
  await inBatches(async () => {
    const batch = { processedBeforeUtc: beforeUtc, limit: rowsAtOnce };
    const deleted = await store.transaction((tx) => tx.retention.purgeProcessedEvents(batch));
    report.processedEvents += deleted;
    return deleted > 0;
  });
  await inBatches(async () => {
    const deleted = await store.outbox.purge({ publishedBeforeUtc: beforeUtc, limit: rowsAtOnce });
    report.outboxMessages += deleted;
    return deleted > 0;
  });
  return report;
}

/** The next orders whose chains hold; those that are broken go to `report.kept`. Empty when there is none left. */
async function nextOrders(store: Store, closedBeforeUtc: string, report: PurgeReport): Promise<OrderId[]> {
  for (;;) {
    const kept = new Set(report.kept.map(({ orderId }) => orderId));
    const limit = ordersAtOnce + kept.size;
    const found = await store.transaction((tx) => tx.retention.closedOrders({ closedBeforeUtc, limit }));
    const candidates = found.filter((orderId) => !kept.has(orderId));
    const sound: OrderId[] = [];
    for (const orderId of candidates) {
      const { broken } = await verifySubject(store.read, orderSubject(orderId));
      if (broken) report.kept.push({ orderId, what: broken.what });
      else sound.push(orderId);
    }
    if (sound.length > 0 || candidates.length === 0) return sound;
  }
}

function purgeOrders(
  { store, beforeUtc, actor, clock }: { store: Store; beforeUtc: string; actor: string; clock: Clock },
  ids: readonly OrderId[],
): Promise<number> {
  const nowUtc = clock.nowUtc();
  return store.transaction(async (tx) => {
    let purged = 0;
    for (const orderId of ids) {
      const order = await tx.retention.purgeOrder({ orderId, closedBeforeUtc: beforeUtc, nowUtc });
      if (!order) continue;
      await tx.audit.append(recordOf({ orderId, order, actor, nowUtc }));
      purged += 1;
    }
    return purged;
  });
}

const recordOf = (input: { orderId: OrderId; order: PurgedOrder; actor: string; nowUtc: string }) => {
  const { orderId, order, actor, nowUtc } = input;
  const chain = order.head ? `${order.head.seq} audit rows, head ${order.head.hash}` : 'no audit rows';
  return {
    subject: purgeSubject(nowUtc),
    actor,
    step: 'purge',
    from: order.status,
    to: 'purged',
    reason: `${orderSubject(orderId)}: ${chain}`,
    causingEventId: '',
    workflowId: workflowIdOf(orderId),
    runId: '',
    occurredAtUtc: nowUtc,
  };
};
