import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';

const projectFolder = join(import.meta.dirname, '..', '..');
const historiesFolder = join(projectFolder, 'test', 'histories');

export interface RecordedHistory {
  /** File name without `.json`: what the order went through. */
  name: string;
  workflowId: string;
  /** As the Web UI and the command line export it. */
  history: object;
}

/** All recorded histories, by name. */
export async function readHistories(): Promise<RecordedHistory[]> {
  const files = (await readdir(historiesFolder)).filter((file) => file.endsWith('.json')).toSorted();
  return Promise.all(
    files.map(async (file) => ({
      name: file.replace(/\.json$/, ''),
      ...(JSON.parse(await readFile(join(historiesFolder, file), 'utf8')) as Omit<RecordedHistory, 'name'>),
    })),
  );
}

/** Writes the history of a run as Temporal's own command line exports it. */
export async function writeHistory(
  { temporalCli, temporalAddress }: { temporalCli: string; temporalAddress: string },
  { name, workflowId, runId }: { name: string; workflowId: string; runId: string },
): Promise<void> {
  const run = ['--workflow-id', workflowId, '--run-id', runId];
  const args = ['workflow', 'show', '--address', temporalAddress, ...run, '--output', 'json'];
  const { stdout } = await promisify(execFile)(temporalCli, args, { maxBuffer: 50_000_000 });
  const recorded = { workflowId, history: JSON.parse(stdout) as object };
  /* Stack traces name where the project lay when it was recorded; that is nobody's business. */
  const json = JSON.stringify(recorded).replaceAll(`${projectFolder}/`, '');
  await writeFile(join(historiesFolder, `${name}.json`), `${json}\n`);
}

/*
 * The SDK reads such JSON itself where its packages share one protobufjs. Here @grpc/proto-loader has an older one at
 * the top, each package gets its own copy, and the types of one are unknown to another ("type must be a Type").
 */
const fromHere = createRequire(import.meta.url);
const fromProto = createRequire(fromHere.resolve('@temporalio/proto'));
const { fromJson } = fromProto('protobufjs/ext/protojson') as {
  fromJson(type: unknown, json: unknown, options: { ignoreUnknownFields: boolean }): History;
};
const { patchProtobufRoot } = fromProto('@temporalio/proto/lib/patch-protobuf-root') as {
  patchProtobufRoot(root: unknown): { lookupType(name: string): unknown };
};
const historyType = patchProtobufRoot(fromProto('@temporalio/proto/protos/root')).lookupType(
  'temporal.api.history.v1.History',
);

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

/** A recorded history as the worker replays it. */
export const historyOf = ({ history }: RecordedHistory): History =>
  fromJson(historyType, history, { ignoreUnknownFields: true });
