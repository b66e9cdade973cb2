import { TemporalUnavailable, type OrderWorkflows, type UpdateAnswer } from '../../ports/temporal.ts';
import { TechnicalFailure } from '../../domain/failures.ts';
import type { OrderId } from '../../domain/ids.ts';
import { orderActSubject, type BulkOrderAct, type OrderActResult } from '../../domain/order-acts.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OrderActService } from '../../ports/order-acts.ts';
import type { Store } from '../../ports/store.ts';
import { updateOf } from '../../workflows/order-act-messages.ts';

/** Acts by the orders' own updates, which the API uses as well: one validator and one effect per act. */
export function createOrderActService(deps: {
  workflows: Pick<OrderWorkflows, 'list' | 'update'>;
  store: Pick<Store, 'transaction'>;
  clock: Clock;
}): OrderActService {
  const { workflows, store, clock } = deps;
  return {
    async find({ filter, after, limit }) {
      const pageToken = after === undefined ? {} : { pageToken: Buffer.from(after, 'base64') };
      const page = await answered(() =>
        workflows.list({ ...filter, ...pageToken, open: true, pageSize: limit }),
      );
      const next = page.nextPageToken && Buffer.from(page.nextPageToken).toString('base64');
      return { orderIds: page.orders.map(({ orderId }) => orderId), ...(next ? { next } : {}) };
    },
    async act({ bulk, orderId }) {
      const { act, actor, reason, actId } = bulk;
      const { definition, input } = updateOf(act, { actor, reason });
      const updateId = `${actId}-${orderId}`;
      return resultOf(
        orderId,
        await answered(() => workflows.update(orderId, definition, input, { updateId })),
      );
    },
    async note({ bulk, from, to, workflowId, runId }) {
      await store.transaction((tx) =>
        tx.audit.append({
          subject: orderActSubject(bulk.actId),
          actor: bulk.actor,
          step: bulk.act.kind,
          from,
          to,
          reason: `${bulk.reason}; ${choiceText(bulk)}`,
          causingEventId: '',
          workflowId,
          runId,
          occurredAtUtc: clock.nowUtc(),
        }),
      );
    },
  };
}

/** Temporal that does not answer is asked again by the activity's retries. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof TemporalUnavailable)) throw error;
    throw new TechnicalFailure('OutcomeUnknown', error.message, { cause: error });
  }
}

function resultOf(orderId: OrderId, answer: UpdateAnswer): OrderActResult {
  switch (answer.status) {
    case 'accepted':
      return { orderId, result: 'accepted' };
    case 'gone':
      return { orderId, result: 'gone' };
    case 'refused':
    case 'limited':
      return { orderId, result: 'refused', reason: answer.reason };
    case 'unanswered':
      return { orderId, result: 'unanswered', reason: 'no worker took the act in time' };
  }
}

/** No personal data: neither the customer nor the orders are named, each order's own trail has its row. */
function choiceText({ choice }: BulkOrderAct): string {
  if ('orderIds' in choice) return `${choice.orderIds.length} orders by id`;
  const { customerHash: _, amongst, ...rest } = choice.filter;
  const found = amongst ? [`amongst ${amongst.orderIds.length} that are retried or wait`] : [];
  return Object.entries(rest)
    .map(([name, value]) => `${name} ${String(value)}`)
    .concat(found)
    .join(', ');
}
