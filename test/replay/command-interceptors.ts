import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { proxySinks, type Sinks, type WorkflowInterceptors } from '@temporalio/workflow';
import type { Command } from './commands.ts';

/** What a replayed run hands out of its isolate. */
export interface CommandSinks extends Sinks {
  commands: { given(commands: Command[]): void };
}

type ActivationCommands = Parameters<
  NonNullable<NonNullable<WorkflowInterceptors['internals']>[number]['concludeActivation']>
>[0]['commands'];
type Raw = ActivationCommands[number];
type Duration = { seconds?: { toString(): string } | null; nanos?: number | null } | null | undefined;

/**
 * In the bundle of the replay gate only: tells which commands the workflow gives, at the place where they leave its
 * isolate. The server's SDK compares their order and types with a history, but not what they hold.
 */
export function interceptors(): WorkflowInterceptors {
  const { commands } = proxySinks<CommandSinks>();
  return {
    internals: [
      {
        concludeActivation(input, next) {
          const concluded = next(input);
          const given = concluded.commands.flatMap(commandOf);
          if (given.length > 0) commands.given(given);
          return concluded;
        },
      },
    ],
  };
}

function commandOf(raw: Raw): Command[] {
  const { scheduleActivity, startTimer, upsertWorkflowSearchAttributes: upsert } = raw;
  if (scheduleActivity) return [activityOf(scheduleActivity)];
  if (startTimer)
    return [{ kind: 'timer', id: String(startTimer.seq), durationMs: msOf(startTimer.startToFireTimeout) }];
  if (upsert)
    return [{ kind: 'search attributes', values: valuesOf(upsert.searchAttributes?.indexedFields) }];
  if (raw.completeWorkflowExecution)
    return [{ kind: 'end', result: valueOf(raw.completeWorkflowExecution.result) }];
  if (raw.continueAsNewWorkflowExecution)
    return [{ kind: 'end', continuedWith: raw.continueAsNewWorkflowExecution.arguments?.map(valueOf) ?? [] }];
  return [];
}

function activityOf(raw: NonNullable<Raw['scheduleActivity']>): Command {
  const { retryPolicy } = raw;
  const scheduleToCloseMs = msOf(raw.scheduleToCloseTimeout);
  const startToCloseMs = msOf(raw.startToCloseTimeout);
  return {
    kind: 'activity',
    id: raw.activityId ?? '',
    type: raw.activityType ?? '',
    taskQueue: raw.taskQueue ?? '',
    input: (raw.arguments ?? []).map(valueOf),
    /* As the server records it. */
    startToCloseMs: scheduleToCloseMs > 0 ? Math.min(startToCloseMs, scheduleToCloseMs) : startToCloseMs,
    scheduleToCloseMs,
    heartbeatMs: msOf(raw.heartbeatTimeout),
    retry: {
      initialIntervalMs: msOf(retryPolicy?.initialInterval),
      backoffCoefficient: retryPolicy?.backoffCoefficient ?? 0,
      maximumIntervalMs: msOf(retryPolicy?.maximumInterval),
      maximumAttempts: retryPolicy?.maximumAttempts ?? 0,
    },
  };
}

/** Seconds are a Long where the SDK made them. */
const msOf = (duration: Duration): number =>
  duration ? Number(String(duration.seconds ?? 0)) * 1_000 + Math.round((duration.nanos ?? 0) / 1e6) : 0;

const valueOf = (payload: Payload | null | undefined): unknown =>
  payload ? (defaultPayloadConverter.fromPayload(payload) ?? null) : null;

const valuesOf = (fields: Record<string, Payload> | null | undefined): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields ?? {}).map(([name, payload]) => [name, valueOf(payload)]));
