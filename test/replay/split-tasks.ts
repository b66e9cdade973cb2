import type { RecordedHistory } from './history-files.ts';

interface Event {
  eventId: string;
  eventType: string;
  [attributes: string]: unknown;
}

const eventsOf = ({ history }: RecordedHistory): Event[] => (history as { events: Event[] }).events;

/**
 * The same runs as they would have been recorded had a query been answered in the moment in which one of their local
 * activities ended: the worker then completes the workflow task with the activity's marker alone, and what follows from
 * it stands in a further task. One history for each local activity that more commands of its task stand behind.
 */
export function splitBehindLocalActivities(recording: RecordedHistory): RecordedHistory[] {
  const events = eventsOf(recording);
  return events.flatMap((event, at) => {
    const next = events[at + 1];
    if (!isLocalActivity(event) || !next || !isCommand(next)) return [];
    const split = splitBehind(events, at);
    return [
      {
        name: `${recording.name}, split behind event ${event.eventId}`,
        workflowId: `${recording.workflowId}, split behind event ${event.eventId}`,
        history: { ...recording.history, events: split },
      },
    ];
  });
}

/** Names of the patches whose markers stand behind a local activity's in their workflow task. */
export function patchesBehindLocalActivities(recording: RecordedHistory): string[] {
  let behind = false;
  return eventsOf(recording).flatMap((event) => {
    if (event.eventType === 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED') behind = false;
    if (isLocalActivity(event)) behind = true;
    const marker = markerOf(event);
    if (!behind || marker?.markerName !== 'core_patch') return [];
    const [payload] = marker.details['patch-data']?.payloads ?? [];
    return [(JSON.parse(atob(payload?.data ?? '')) as { id: string }).id];
  });
}

interface Marker {
  markerName: string;
  details: Record<string, { payloads: { data: string }[] } | undefined>;
}

const markerOf = (event: Event): Marker | undefined =>
  event['markerRecordedEventAttributes'] as Marker | undefined;

const isLocalActivity = (event: Event): boolean => markerOf(event)?.markerName === 'core_local_activity';

/* An accepted update comes first in its task, before anything local has ended. */
const isCommand = (event: Event): boolean =>
  JSON.stringify(event).includes('"workflowTaskCompletedEventId"') &&
  event.eventType !== 'EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED';

const taskEvents = ['SCHEDULED', 'STARTED', 'COMPLETED'].map((word) => `EVENT_TYPE_WORKFLOW_TASK_${word}`);

function splitBehind(events: readonly Event[], at: number): Event[] {
  const before = events.slice(0, at + 1);
  const further = taskEvents.map((type) => before.findLast(({ eventType }) => eventType === type));
  const ids = further.map((event) => Number(event?.eventId));
  const firstId = at + 2;
  const lastId = firstId + further.length - 1;
  return [
    ...before,
    /* The events of the inserted task name each other, and the commands behind it name it. */
    ...further.map((event) => renumbered(event, (id) => firstId + ids.indexOf(id))),
    ...events.slice(at + 1).map((event) =>
      renumbered(event, (id, key) => {
        if (key === 'workflowTaskCompletedEventId' && id === ids.at(-1)) return lastId;
        return id < firstId ? id : id + further.length;
      }),
    ),
  ] as Event[];
}

const renumbered = <T>(value: T, to: (id: number, key: string) => number): T =>
  JSON.parse(
    JSON.stringify(value, (key, one: unknown) =>
      key.toLowerCase().endsWith('eventid') ? String(to(Number(one), key)) : one,
    ),
  ) as T;
