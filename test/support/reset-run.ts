import type { StartedOrder } from '../e2e/saga-suite.ts';
import type { SagaEnvironment } from '../setup/saga-environment.ts';
import type { fulfillOrder } from '../../workflows/index.ts';

/* Temporal's ResetReapplyExcludeType. */
const SIGNALS = 1;
const UPDATES = 2;

type Events = NonNullable<Awaited<ReturnType<StartedOrder['fetchHistory']>>['events']>;
/** Which of a run's workflow tasks it is reset to, of those that ended. */
type Point = (events: Events) => Events[number] | undefined;

const isTaskEnd = (event: Events[number]): boolean => Boolean(event.workflowTaskCompletedEventAttributes);

/** Before everything but the start. */
export const firstTask: Point = (events) => events.find(isTaskEnd);

/** The last one before the first update was accepted: in the hold that it ended. */
export const beforeFirstUpdate: Point = (events) => {
  const end = events.findIndex((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
  return events.slice(0, end - 1).findLast(isTaskEnd);
};

/** Temporal's own reset, which applies later signals and updates again unless `alone`; answers the new run. */
export async function resetRun(
  { client, namespace }: SagaEnvironment,
  order: StartedOrder,
  point: Point,
  { alone = false } = {},
) {
  const { events } = await order.fetchHistory();
  const task = point(events ?? []);
  if (!task?.eventId) throw new Error(`Run of ${order.workflowId} has no such workflow task`);
  const { runId } = await client.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId: order.workflowId, runId: order.firstExecutionRunId },
    workflowTaskFinishEventId: task.eventId,
    reason: 'repair',
    requestId: crypto.randomUUID(),
    ...(alone ? { resetReapplyExcludeTypes: [SIGNALS, UPDATES] } : {}),
  });
  return client.workflow.getHandle<typeof fulfillOrder>(order.workflowId, runId);
}
