import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DefaultLogger,
  Worker,
  type InjectedSinks,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';
import { bundleOrderWorkflows } from '../../workers/saga/workflow-bundle.ts';
import type { CommandSinks } from './command-interceptors.ts';
import { differences, recordedCommands, taskQueueOf, type Command } from './commands.ts';
import { historyOf, type RecordedHistory } from './history-files.ts';

const workflowsOfToday = fileURLToPath(new URL('../../workflows', import.meta.url));
const commandInterceptors = fileURLToPath(new URL('./command-interceptors.ts', import.meta.url));

/** Workflows that tell which commands they give; those of the project unless another `workflows/` is named. */
export const bundleForReplay = ({
  workflows = workflowsOfToday,
  interceptors = [],
}: { workflows?: string; interceptors?: string[] } = {}): Promise<WorkflowBundleWithSourceMap> =>
  bundleOrderWorkflows({
    logger: new DefaultLogger('ERROR'),
    workflowsPath: join(workflows, 'index.ts'),
    payloadConverterPath: join(workflows, 'payload-converter.ts'),
    workflowInterceptorModules: [...interceptors, commandInterceptors],
  });

/**
 * Replays histories on bundled code; what does not fit by workflow id, nothing where all of it does. The server's SDK
 * compares the order of commands and their types; what they hold is compared here.
 */
export async function replay(
  recordings: readonly RecordedHistory[],
  workflowBundle: WorkflowBundleWithSourceMap,
  sinks: InjectedSinks<Sinks> = {},
): Promise<Map<string, string[]>> {
  const given = new Map<string, Command[]>();
  const commands: InjectedSinks<CommandSinks> = {
    commands: {
      given: {
        callDuringReplay: true,
        /* Cloned, since what comes from another realm is never deeply equal to ours. */
        fn: ({ workflowId }, more) =>
          void given.set(workflowId, [...(given.get(workflowId) ?? []), ...structuredClone(more)]),
      },
    },
  };
  const histories = recordings.map((one) => ({ workflowId: one.workflowId, history: historyOf(one) }));
  const results = Worker.runReplayHistories({ workflowBundle, sinks: { ...sinks, ...commands } }, histories);
  const misfits = new Map<string, string[]>();
  for await (const { workflowId, error } of results) {
    const recording = recordings.find((one) => one.workflowId === workflowId);
    if (!recording) throw new Error(`Replayed ${workflowId}, of which there is no recording`);
    const now = (given.get(workflowId) ?? []).map((one) => onItsQueue(recording, one));
    misfits.set(workflowId, error ? [error.message] : differences(recordedCommands(recording), now));
  }
  return misfits;
}

/** A replayed run lives on a task queue of the SDK's own making. */
const onItsQueue = (recording: RecordedHistory, command: Command): Command =>
  command.kind === 'activity' && command.taskQueue.startsWith('fake_replay_queue-')
    ? { ...command, taskQueue: taskQueueOf(recording) }
    : command;
