import { chmod, copyFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess } from '../processes.ts';
import { binFolder, sharedBinFolder } from '../runtime-folder.ts';
import { createNotHere, type LaunchContext } from './dependency.ts';
import { findOnPath, firstExecutable } from './find-binary.ts';
import { runCommand } from './run-command.ts';
import { CLI_PACKAGES, CLI_VERSION, OLDEST_SERVER } from './temporal-settings.ts';

/** A download that brings no byte for this long is given up: the network is closed. */
const SILENCE_MS = 15_000;
const BUILD_TIMEOUT_MS = 900_000;
const GO_PACKAGE = 'github.com/temporalio/cli/cmd/temporal';

/** `temporal` on PATH, when its server is new enough. */
export async function cliOnPath({ env }: LaunchContext): Promise<string> {
  const path = await findOnPath('temporal', env);
  if (path === undefined) throw createNotHere('no temporal on PATH');
  const server = /Server (\d+\.\d+\.\d+)/.exec(
    await runCommand({ command: path, args: ['--version'], env }),
  )?.[1];
  if (server === undefined || isOlder(server, OLDEST_SERVER)) {
    throw new Error(
      `${path} has server ${server ?? 'of unknown version'}; ${OLDEST_SERVER} or newer is needed`,
    );
  }
  return path;
}

/** What an earlier start of this clone, or of another clone of this user, built or downloaded. */
export async function cachedCli({ env }: Pick<LaunchContext, 'env'>): Promise<string> {
  const path = await firstExecutable([join(binFolder, 'temporal'), sharedCli(env)]);
  if (path === undefined) throw createNotHere('nothing built or downloaded yet');
  return path;
}

/**
 * The download that `@temporalio/testing` does by itself, in a process of its own because it cannot be canceled.
 * Fails within seconds where the network is closed.
 */
export async function downloadedCli(context: LaunchContext): Promise<string> {
  const folder = dirname(sharedCli(context.env));
  await mkdir(folder, { recursive: true });
  context.say(`Temporal: downloading the CLI ${CLI_VERSION}`);
  const lines: string[] = [];
  const child = await startProcess({
    name: 'temporal-download',
    command: process.execPath,
    args: [join(import.meta.dirname, 'download-temporal.ts'), folder, CLI_VERSION],
    env: context.env,
    output: { onLine: (line) => lines.push(line) },
  });
  const downloaded = join(folder, `temporal-${CLI_VERSION}`);
  let lastChange = { size: 0, at: Date.now() };
  while (!child.hasExited()) {
    await Promise.race([child.exited, sleep(1_000, undefined, { ref: false })]);
    const size = await bytesOf(`${downloaded}.downloading`);
    if (size !== lastChange.size) lastChange = { size, at: Date.now() };
    if (Date.now() - lastChange.at > SILENCE_MS) await child.stop();
  }
  const exit = await child.exited;
  if (exit.code !== 0)
    throw new Error(`the download did not come: ${lines.at(-1) ?? `no data for ${SILENCE_MS / 1000} s`}`);
  return downloaded;
}

/** Builds the CLI with Go (about 2 minutes, once) into the clone's runtime folder and shares it with later clones. */
export async function builtCli(context: LaunchContext): Promise<string> {
  const go = await findOnPath('go', context.env, ['/usr/local/go/bin']);
  if (go === undefined) throw createNotHere('no go on PATH');
  await mkdir(binFolder, { recursive: true });
  context.say(
    `Temporal: building the CLI ${CLI_VERSION} with go install (${CLI_PACKAGES} packages; 2 to 10 minutes, once)`,
  );
  await runCommand({
    command: go,
    args: ['install', '-v', `${GO_PACKAGE}@${CLI_VERSION}`],
    env: { ...context.env, GOBIN: binFolder },
    timeoutMs: BUILD_TIMEOUT_MS,
    onProgress: (seconds, _line, lines) => context.say(`Temporal: ${seconds} s: ${buildProgress(lines)}`),
  });
  const built = join(binFolder, 'temporal');
  await shareCli(built, sharedCli(context.env));
  return built;
}

/** How far a build is, by what `go install -v` prints: modules as they are fetched, packages as they are compiled. */
export function buildProgress(lines: readonly string[]): string {
  const fetched = lines.filter((line) => line.startsWith('go: downloading ')).length;
  const compiled = lines.filter((line) => /^[\w.]+(\/[\w.~-]+)*$/.test(line)).length;
  if (compiled === 0) return `${fetched} modules fetched, nothing compiled yet`;
  return `${compiled} of at most ${CLI_PACKAGES} packages compiled, ${lines.at(-1)} was the last`;
}

function sharedCli(env: NodeJS.ProcessEnv): string {
  return join(sharedBinFolder(env), `temporal-${CLI_VERSION}`);
}

async function shareCli(from: string, to: string): Promise<void> {
  const unfinished = `${to}.${process.pid}`;
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, unfinished);
  await chmod(unfinished, 0o755);
  await rename(unfinished, to);
}

async function bytesOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}

function isOlder(version: string, than: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, wanted] of than.split('.').map(Number).entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}
