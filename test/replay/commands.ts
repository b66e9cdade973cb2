import { isDeepStrictEqual } from 'node:util';
import type { RecordedHistory } from './history-files.ts';

/**
 * What a workflow asks of Temporal, as far as the server's SDK does not compare it with a history by itself. The inputs
 * of local activities are missing: a history holds their answers only, so that no replay can tell them.
 */
export type Command =
  | {
      kind: 'activity';
      id: string;
      type: string;
      taskQueue: string;
      input: unknown[];
      startToCloseMs: number;
      /** 0: without end. */
      scheduleToCloseMs: number;
      heartbeatMs: number;
      retry: {
        initialIntervalMs: number;
        backoffCoefficient: number;
        maximumIntervalMs: number;
        maximumAttempts: number;
      };
    }
  | { kind: 'timer'; id: string; durationMs: number }
  | { kind: 'search attributes'; values: Record<string, unknown> }
  | { kind: 'end'; result: unknown }
  | { kind: 'end'; continuedWith: unknown[] };

interface Payload {
  data?: string;
}
interface Payloads {
  payloads?: Payload[];
}
interface Event {
  workflowExecutionStartedEventAttributes?: { taskQueue: { name: string } };
  activityTaskScheduledEventAttributes?: {
    activityId: string;
    activityType: { name: string };
    taskQueue: { name: string };
    input?: Payloads;
    startToCloseTimeout?: string;
    scheduleToCloseTimeout?: string;
    heartbeatTimeout?: string;
    retryPolicy?: {
      initialInterval?: string;
      backoffCoefficient?: number;
      maximumInterval?: string;
      maximumAttempts?: number;
    };
  };
  timerStartedEventAttributes?: { timerId: string; startToFireTimeout: string };
  upsertWorkflowSearchAttributesEventAttributes?: {
    searchAttributes: { indexedFields: Record<string, Payload> };
  };
  workflowExecutionCompletedEventAttributes?: { result?: Payloads };
  workflowExecutionContinuedAsNewEventAttributes?: { input?: Payloads };
}

/** The commands that a history tells of, in its order. */
export const recordedCommands = ({ history }: RecordedHistory): Command[] =>
  (history as { events: Event[] }).events.flatMap(commandOf);

/** The task queue of the run itself. */
export const taskQueueOf = ({ history }: RecordedHistory): string =>
  (history as { events: Event[] }).events[0]?.workflowExecutionStartedEventAttributes?.taskQueue.name ?? '';

function commandOf(event: Event): Command[] {
  const {
    activityTaskScheduledEventAttributes: activity,
    timerStartedEventAttributes: timer,
    upsertWorkflowSearchAttributesEventAttributes: upsert,
    workflowExecutionCompletedEventAttributes: completed,
    workflowExecutionContinuedAsNewEventAttributes: continued,
  } = event;
  if (activity) return [activityOf(activity)];
  if (timer) return [{ kind: 'timer', id: timer.timerId, durationMs: msOf(timer.startToFireTimeout) }];
  if (upsert) return attributesOf(upsert.searchAttributes.indexedFields);
  if (completed) return [{ kind: 'end', result: valuesOf(completed.result)[0] ?? null }];
  return continued ? [{ kind: 'end', continuedWith: valuesOf(continued.input) }] : [];
}

function activityOf(activity: NonNullable<Event['activityTaskScheduledEventAttributes']>): Command {
  const { retryPolicy } = activity;
  return {
    kind: 'activity',
    id: activity.activityId,
    type: activity.activityType.name,
    taskQueue: activity.taskQueue.name,
    input: valuesOf(activity.input),
    startToCloseMs: msOf(activity.startToCloseTimeout),
    scheduleToCloseMs: msOf(activity.scheduleToCloseTimeout),
    heartbeatMs: msOf(activity.heartbeatTimeout),
    retry: {
      initialIntervalMs: msOf(retryPolicy?.initialInterval),
      backoffCoefficient: retryPolicy?.backoffCoefficient ?? 0,
      maximumIntervalMs: msOf(retryPolicy?.maximumInterval),
      maximumAttempts: retryPolicy?.maximumAttempts ?? 0,
    },
  };
}

/** Those of a patch are the SDK's own, and none of the workflow's commands. */
function attributesOf(fields: Record<string, Payload>): Command[] {
  if ('TemporalChangeVersion' in fields) return [];
  const values = Object.entries(fields).map(([name, payload]) => [name, valueOf(payload)] as const);
  return [{ kind: 'search attributes', values: Object.fromEntries(values) }];
}

/** `0.030s` as milliseconds. */
const msOf = (duration = '0s'): number => Math.round(Number.parseFloat(duration) * 1_000);

const valuesOf = (input: Payloads | undefined): unknown[] => (input?.payloads ?? []).map(valueOf);

const valueOf = ({ data = '' }: Payload): unknown =>
  data === '' ? null : (JSON.parse(Buffer.from(data, 'base64').toString()) as unknown);

/**
 * What the code of today asks for otherwise than the history tells, one line each. Activities and timers are found by
 * their numbers, since one that is ended in the same moment never reaches a history; all else is compared in order.
 */
export function differences(recorded: readonly Command[], given: readonly Command[]): string[] {
  const numbered = new Map(given.flatMap((one) => ('id' in one ? [[nameOf(one), one]] : [])));
  const inOrder = given.filter((one) => !('id' in one));
  const lines = recorded.flatMap((expected) => {
    const came = 'id' in expected ? numbered.get(nameOf(expected)) : inOrder.shift();
    return changes(nameOf(expected), expected, came);
  });
  return [...lines, ...inOrder.map((extra) => `${nameOf(extra)}: recorded nothing, now ${textOf(extra)}`)];
}

const nameOf = (command: Command): string =>
  'id' in command ? `${command.kind} ${command.id}` : command.kind;

function changes(place: string, recorded: unknown, now: unknown): string[] {
  if (isDeepStrictEqual(recorded, now)) return [];
  if (!isObject(recorded) || !isObject(now))
    return [`${place}: recorded ${textOf(recorded)}, now ${textOf(now)}`];
  const fields = new Set([...Object.keys(recorded), ...Object.keys(now)]);
  const named = 'type' in recorded ? `${place} ${String(recorded['type'])}` : place;
  return [...fields].flatMap((field) => changes(`${named}, ${field}`, recorded[field], now[field]));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const textOf = (value: unknown): string => JSON.stringify(value) ?? 'nothing';
