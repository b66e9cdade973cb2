import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { workflowIdOf, type OrderId, type TaskQueues } from '../../domain/ids.ts';
import type { RunEffects } from '../../domain/recovery.ts';
import { fulfillOrderName } from '../../workflows/messages.ts';
import { acceptedActs, type HistoryEvent } from './accepted-acts.ts';
import { within } from '../../ports/bounded.ts';
import { TemporalUnavailable, type RestartableRuns } from '../../ports/temporal.ts';
import { startOptions, summaryOf } from './orders.ts';
import type { FulfillOrder } from '../../domain/order-run.ts';

/** OrderRuns through a Temporal client; every method rejects with TemporalUnavailable when Temporal is away. */
export function createOrderRuns(client: Client, queues: TaskQueues): RestartableRuns {
  const call = <T>(timeoutMs: number, what: string, work: () => Promise<T>): Promise<T> =>
    within(timeoutMs, what, () => client.withDeadline(Date.now() + timeoutMs, work));
  const describe = (id: OrderId) =>
    known('describe', () =>
      call(2_000, 'describe', () => client.workflow.getHandle(workflowIdOf(id)).describe()),
    );

  return {
    async last(id) {
      const found = await describe(id);
      if (!found) return undefined;
      const { runId, status } = found;
      const { status: orderStatus } = summaryOf(found);
      return { runId, orderStatus, ...(status.name === 'RUNNING' ? {} : { closedAs: status.name }) };
    },
    effects: async (id, runId) =>
      (await known('history', () => call(5_000, 'history', () => readEffects(client, id, runId)))) ?? {
        charged: false,
        labelBought: false,
      },
    input: (id) => known('history', () => call(2_000, 'history', () => firstInput(client, id))),
    acts: (id, runId) =>
      known('history', () =>
        call(10_000, 'history', async () => {
          const events: HistoryEvent[] = [];
          for await (const page of historyPages(client, id, runId)) events.push(...page);
          return acceptedActs(events, client.options.loadedDataConverter);
        }),
      ),
    async startAgain(order) {
      const options = { ...startOptions(order, queues), workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const };
      try {
        await call(1_400, 'start', () => client.workflow.start(fulfillOrderName, options));
        return 'started';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return 'running';
        throw new TemporalUnavailable('start', error);
      }
    },
  };
}

const PAGE = 500;
const MOST_PAGES = 8;

async function* historyPages(client: Client, id: OrderId, runId: string): AsyncGenerator<HistoryEvent[]> {
  let nextPageToken: Uint8Array | undefined;
  do {
    const answer = await client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: { workflowId: workflowIdOf(id), runId },
      maximumPageSize: PAGE,
      ...(nextPageToken ? { nextPageToken } : {}),
    });
    yield answer.history?.events ?? [];
    nextPageToken = answer.nextPageToken ?? undefined;
  } while (nextPageToken?.length);
}

/** Which provider steps an order's run has heard the answer of. */
async function readEffects(client: Client, id: OrderId, runId: string): Promise<RunEffects> {
  const scheduled = new Map<string, string>();
  const done = new Set<string | undefined>();
  let pages = 0;
  for await (const page of historyPages(client, id, runId)) {
    for (const { eventId, ...event } of page) {
      const type = event.activityTaskScheduledEventAttributes?.activityType?.name;
      if (type) scheduled.set(String(eventId), type);
      const of = event.activityTaskCompletedEventAttributes?.scheduledEventId;
      if (of) done.add(scheduled.get(String(of)));
    }
    pages += 1;
    if (pages === MOST_PAGES) break;
  }
  return { charged: done.has('processPayment'), labelBought: done.has('generateShipment') };
}

/** What the first event of the last run says it was started with. */
async function firstInput(client: Client, id: OrderId): Promise<FulfillOrder | undefined> {
  const { namespace, loadedDataConverter } = client.options;
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId: workflowIdOf(id) },
    maximumPageSize: 1,
  });
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const [input] = await decodeArrayFromPayloads(loadedDataConverter, started?.input?.payloads);
  return input as FulfillOrder | undefined;
}

async function known<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isNotFound(error)) return undefined;
    throw new TemporalUnavailable(what, error);
  }
}

/** gRPC's code for something that is not there. */
const NOT_FOUND = 5;
const isNotFound = (error: unknown): boolean => (error as { code?: unknown }).code === NOT_FOUND;
