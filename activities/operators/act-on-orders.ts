import { activityInfo, heartbeat, sleep } from '@temporalio/activity';
import type { OrderId } from '../../domain/ids.ts';
import { refuseInBulk, type BulkOrderAct, type OrderActResult } from '../../domain/order-acts.ts';
import type { OpenOrders, OrderActService } from '../../ports/order-acts.ts';
import { asActivity } from '../failures.ts';

/** A slice is about two seconds of work. */
const SLICE_SECONDS = 2;
const MAXIMUM_SLICE = 200;
/** Updates of different orders on their way at the same time. */
const LANES = 10;
/** A silent order is asked so often; then it is left to its people. */
const MAXIMUM_ASKS = 5;

/** Acts on many orders; on the operators' task queue. */
export const createOrderActActivities = ({ orderActs }: { orderActs: OrderActService }) => ({
  /**
   * The next orders to act on. Changes nothing. Fails with OutcomeUnknown (retried without end) when Temporal is away.
   */
  findOrders: asActivity((input: { bulk: BulkOrderAct; after?: string }): Promise<OpenOrders> =>
    findSlice(orderActs, input),
  ),
  /**
   * Acts on each of these orders, at most `ratePerSecond` a second. What belongs to one order is refused for all of them.
   * Idempotent by act id and order: after a lost reply, or a worker that is shut down, the same orders answer the same.
   * Fails with OutcomeUnknown (retried without end) when Temporal is away.
   */
  actOnSlice: asActivity((input: { bulk: BulkOrderAct; orderIds: OrderId[] }): Promise<OrderActResult[]> =>
    actOnSlice(orderActs, input),
  ),
  /** Writes the audit row of a bulk act's begin or end. An attempt whose answer got lost writes it twice. */
  noteOrderAct: asActivity(async (input: { bulk: BulkOrderAct; from: string; to: string }): Promise<null> => {
    const { workflowExecution } = activityInfo();
    const { workflowId = '', runId = '' } = workflowExecution ?? {};
    await orderActs.note({ ...input, workflowId, runId });
    return null;
  }),
});

export type OrderActActivities = ReturnType<typeof createOrderActActivities>;

async function findSlice(
  orderActs: OrderActService,
  { bulk, after }: { bulk: BulkOrderAct; after?: string },
): Promise<OpenOrders> {
  const limit = Math.min(MAXIMUM_SLICE, Math.max(1, bulk.ratePerSecond * SLICE_SECONDS));
  const { choice } = bulk;
  if ('filter' in choice)
    return orderActs.find({ filter: choice.filter, limit, ...(after === undefined ? {} : { after }) });
  const begin = Number(after ?? 0);
  const end = begin + limit;
  return {
    orderIds: choice.orderIds.slice(begin, end),
    ...(end < choice.orderIds.length ? { next: String(end) } : {}),
  };
}

/** Every lane takes the next order when its time has come; none any more once the worker is being shut down. */
async function actOnSlice(
  orderActs: OrderActService,
  { bulk, orderIds }: { bulk: BulkOrderAct; orderIds: readonly OrderId[] },
): Promise<OrderActResult[]> {
  const refusal = refuseInBulk(bulk.act);
  if (refusal) {
    const reason = `${refusal.field} ${refusal.reason}`;
    return orderIds.map((orderId) => ({ orderId, result: 'refused', reason }));
  }
  const startedAt = performance.now();
  const dueIn = (index: number) =>
    Math.max(0, startedAt + (index * 1_000) / bulk.ratePerSecond - performance.now());
  const results: OrderActResult[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < orderIds.length; index = next++) {
      await sleep(dueIn(index));
      results[index] = await ask(orderActs, bulk, orderIds[index] as OrderId);
      heartbeat();
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, orderIds.length) }, lane));
  await sleep(dueIn(orderIds.length));
  return results;
}

async function ask(
  orderActs: OrderActService,
  bulk: BulkOrderAct,
  orderId: OrderId,
): Promise<OrderActResult> {
  for (let asks = 1; ; asks += 1) {
    const answer = await orderActs.act({ bulk, orderId });
    if (answer.result !== 'unanswered' || asks === MAXIMUM_ASKS) return answer;
    heartbeat();
  }
}
