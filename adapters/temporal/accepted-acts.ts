import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { actIdOfUpdate, signalActIds } from '../../domain/act-id.ts';
import type { Act, EarlierAct, FulfillOrder } from '../../domain/order-run.ts';
import { readAct } from '../../workflows/read-act.ts';

type History = Awaited<ReturnType<Client['workflowService']['getWorkflowExecutionHistory']>>['history'];
export type HistoryEvent = NonNullable<NonNullable<History>['events']>[number];
type Converter = Client['options']['loadedDataConverter'];

const names = new Set(['cancel', 'payment', 'shipping-address', 'approve', 'extend', 'resolve']);

/** From one of these markers on a run writes down what it accepts. */
const marks = new Set<string | undefined>(['acts-kept-at-once', 'decided-ahead']);

/**
 * What the history of a closed run says that it had accepted, in its order: updates that were not refused, and signals,
 * whose acceptance no history tells: those that were refused have a row that says so, or are judged again. What came
 * before the run wrote acts down is left out: nobody can say which of it has had its effect.
 */
export async function acceptedActs(
  events: readonly HistoryEvent[],
  converter: Converter,
): Promise<EarlierAct[]> {
  const decode = async (payloads: Parameters<typeof decodeArrayFromPayloads>[1]): Promise<unknown> =>
    (await decodeArrayFromPayloads(converter, payloads))[0];
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  const { recovered } = ((await decode(started?.input?.payloads)) ?? {}) as Partial<FulfillOrder>;
  const first = recovered?.acts ? 0 : beginOf(events);
  if (first === undefined) return [];
  const signalId = signalActIds(started?.originalExecutionRunId ?? '');
  const refused = new Set(events.flatMap(refusedUpdate));
  const acts: EarlierAct[] = [...(recovered?.acts ?? [])];
  for (const [index, event] of events.entries()) {
    const request = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest;
    const signal = event.workflowExecutionSignaledEventAttributes;
    const name = request?.input?.name ?? signal?.signalName ?? '';
    if (!names.has(name)) continue;
    const input = await decode((request ? request.input?.args : signal?.input)?.payloads);
    const updateId = request?.meta?.updateId ?? '';
    const id = request ? actIdOfUpdate(updateId) : signalId(name, readAct<Act>(input, 'signal'));
    if (index >= first && !(request && refused.has(updateId))) acts.push({ name, id, input });
  }
  return [...new Map(acts.map((act) => [act.id, act])).values()];
}

const refusedUpdate = ({
  workflowExecutionUpdateCompletedEventAttributes: completed,
}: HistoryEvent): string[] => (completed?.outcome?.failure ? [completed.meta?.updateId ?? ''] : []);

/** The first event of the workflow task whose commands hold the marker, what led to it included. */
function beginOf(events: readonly HistoryEvent[]): number | undefined {
  const marker = events.find((event) => marks.has(patchOf(event)))?.markerRecordedEventAttributes;
  if (!marker) return undefined;
  const task = Number(marker.workflowTaskCompletedEventId);
  return (
    events.findLastIndex(
      (event) => event.workflowTaskCompletedEventAttributes && Number(event.eventId) < task,
    ) + 1
  );
}

function patchOf({ markerRecordedEventAttributes: marker }: HistoryEvent): string | undefined {
  const data =
    marker?.markerName === 'core_patch' ? marker.details?.['patch-data']?.payloads?.[0]?.data : undefined;
  return data ? (JSON.parse(Buffer.from(data).toString()) as { id?: string }).id : undefined;
}
