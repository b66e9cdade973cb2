import { type ChildProcess, fork, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { forgetProcess, recordProcess } from './leftovers.ts';

const DEFAULT_GRACE_MS = 10_000;
const KEPT_LINES = 30;

const running = new Map<number, () => Promise<void>>();
let closing = false;

export type Exit = { code: number | null; signal: NodeJS.Signals | null };

/** Where a child's output goes: appended to a file, line by line to a function, or straight to this process's terminal. */
export type Output = { file: string } | { onLine: (line: string) => void } | { terminal: true };

export type ProcessSpec = {
  name: string;
  command: string;
  args: readonly string[];
  output: Output;
  env?: NodeJS.ProcessEnv;
  folder?: string;
  /** Where the process id is noted while it runs, so that a later start can stop a leftover. */
  pidFolder?: string;
  /** How long SIGTERM may take before SIGKILL. Default 10 s. */
  graceMs?: number;
  /** Who gets the SIGTERM, where it is not the process itself but one that it started. */
  signalPid?: () => number | undefined;
};

export type OwnedProcess = {
  name: string;
  pid: number;
  /** Settles when the process has ended, for whatever reason. Never rejects. */
  exited: Promise<Exit>;
  hasExited: () => boolean;
  /** The end of what it printed, for error messages. */
  lastLines: () => string;
  /** SIGTERM to the process (or to its `signalPid`), SIGKILL to its whole group after the grace time; resolves when it is gone. */
  stop: () => Promise<void>;
};

/**
 * Starts a child that leads its own process group: a terminal's Ctrl-C reaches only the launcher, which decides the order of stopping.
 * A reaper process ends it when this process dies without stopping it. Throws when the command cannot be started.
 */
export async function startProcess(spec: ProcessSpec): Promise<OwnedProcess> {
  if (closing) throw new Error(`${spec.name}: not started, because everything is being stopped`);
  const kept: string[] = [];
  const child = launch(spec, kept);
  const { exited, hasExited } = watchExit(child);
  await started(child, spec);
  const pid = child.pid as number;
  tellReaper({ watch: pid });
  running.set(pid, () => owned.stop());
  if (spec.pidFolder !== undefined) noteProcess(spec.pidFolder, spec.name, pid);
  void exited.then(() => {
    // What it started must not hold its ports and data when it is started again.
    signal(-pid, 'SIGKILL');
    tellReaper({ forget: pid });
    running.delete(pid);
    if (spec.pidFolder !== undefined) forgetProcess(spec.pidFolder, spec.name, pid);
  });
  const owned: OwnedProcess = {
    name: spec.name,
    pid,
    exited,
    hasExited,
    lastLines: () => ('file' in spec.output ? endOfFile(spec.output.file) : kept.join('\n')),
    stop: () =>
      stopChild({
        group: pid,
        target: spec.signalPid?.() ?? pid,
        exited,
        graceMs: spec.graceMs ?? DEFAULT_GRACE_MS,
      }),
  };
  return owned;
}

/** Stops every child that still runs, the newest first, and lets none be started any more: for the end of the launcher. */
export async function stopAllProcesses(): Promise<void> {
  closing = true;
  for (const stop of [...running.values()].reverse()) await stop();
}

/** Without its note it runs as well; only a start after this launcher and its reaper were both killed would not find it. */
function noteProcess(folder: string, name: string, pid: number): void {
  try {
    recordProcess(folder, name, pid);
  } catch (error) {
    console.error(`${name}: its process id cannot be noted in ${folder}: ${String(error)}`);
  }
}

/** A log that cannot be opened is no reason not to run: the output is dropped then, and that is said. */
function openLog(name: string, file: string): number | 'ignore' {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return openSync(file, 'a');
  } catch (error) {
    console.error(`${name}: runs without its log, ${file} cannot be opened: ${String(error)}`);
    return 'ignore';
  }
}

function launch(spec: ProcessSpec, kept: string[]): ChildProcess {
  const options = { cwd: spec.folder, env: spec.env ?? process.env, detached: true };
  if ('file' in spec.output) {
    const log = openLog(spec.name, spec.output.file);
    const child = spawn(spec.command, spec.args, { ...options, stdio: ['ignore', log, log] });
    if (log !== 'ignore') closeSync(log);
    return child;
  }
  if ('terminal' in spec.output) return spawn(spec.command, spec.args, { ...options, stdio: 'inherit' });
  const { onLine } = spec.output;
  const child = spawn(spec.command, spec.args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      kept.push(line);
      if (kept.length > KEPT_LINES) kept.shift();
      onLine(line);
    });
  }
  return child;
}

function watchExit(child: ChildProcess): { exited: Promise<Exit>; hasExited: () => boolean } {
  let ended = false;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true;
      resolve({ code, signal });
    });
  });
  return { exited, hasExited: () => ended };
}

function started(child: ChildProcess, spec: ProcessSpec): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) =>
      reject(new Error(`${spec.name}: cannot run ${spec.command}: ${error.message}`)),
    );
  });
}

async function stopChild(child: {
  group: number;
  target: number;
  exited: Promise<Exit>;
  graceMs: number;
}): Promise<void> {
  signal(child.target, 'SIGTERM');
  const ended = await Promise.race([
    child.exited.then(() => true),
    sleep(child.graceMs, false, { ref: false }),
  ]);
  signal(-child.group, 'SIGKILL');
  if (!ended) await child.exited;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone, which is what was wanted.
  }
}

function endOfFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-KEPT_LINES).join('\n');
  } catch {
    return '';
  }
}

let reaper: ChildProcess | undefined;

function tellReaper(message: { watch: number } | { forget: number }): void {
  if (reaper === undefined || !reaper.connected) {
    if ('forget' in message) return;
    reaper = fork(join(import.meta.dirname, 'reaper.mjs'), { detached: true, stdio: 'ignore', execArgv: [] });
    reaper.unref();
    reaper.channel?.unref();
  }
  reaper.send(message, () => {});
}
