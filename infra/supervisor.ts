import { setTimeout as sleep } from 'node:timers/promises';
import { type Exit, type OwnedProcess, type ProcessSpec, startProcess } from './processes.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A process that ran this long has recovered: its next crash is a first one again. */
const STEADY_AFTER_MS = 60_000;

/** What a process printed before it ended this early is shown: it is probably a mistake in its settings. */
const YOUNG_MS = 10_000;

export type Supervised = {
  name: string;
  /** The running process; undefined during the pause before a restart. */
  current: () => OwnedProcess | undefined;
  /** Ends the process and its supervision. */
  stop: () => Promise<void>;
};

export type Supervision = {
  spec: ProcessSpec;
  say: (line: string) => void;
  /** What is said of an early end instead of what the process printed, where it is known. */
  why?: () => Promise<string | undefined>;
  /** Replaceable in tests. */
  start?: (spec: ProcessSpec) => Promise<OwnedProcess>;
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  now?: () => number;
};

/** Keeps a process running: whenever it ends by itself or is killed it is started again, after 0.5 s at first and at most 30 s. */
export function supervise(options: Supervision): Supervised {
  const {
    spec,
    say,
    why = async () => undefined,
    start = startProcess,
    pause = pauseFor,
    now = Date.now,
  } = options;
  const stopping = new AbortController();
  let current: OwnedProcess | undefined;
  let crashes = 0;

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const startedAt = now();
      const lastWords = await runOnce();
      if (stopping.signal.aborted) return;
      const ranMs = now() - startedAt;
      crashes = ranMs > STEADY_AFTER_MS ? 0 : crashes;
      const pauseMs = restartPauseMs(crashes++);
      say(`${spec.name} ${lastWords.how}; starting it again in ${pauseMs / 1000} s`);
      if (ranMs < YOUNG_MS) say((await why()) ?? lastWords.printed);
      await pause(pauseMs, stopping.signal);
    }
  };

  /** Until it has ended. What cannot be started now (no process, no memory, no room for its files) may be later. */
  const runOnce = async (): Promise<{ how: string; printed: string }> => {
    try {
      current = await start(spec);
    } catch (error) {
      return { how: 'cannot be started', printed: error instanceof Error ? error.message : String(error) };
    }
    const process = current;
    if (stopping.signal.aborted) await process.stop();
    const exit = await process.exited;
    current = undefined;
    return { how: `ended (${describeExit(exit)})`, printed: process.lastLines() };
  };

  const ended = run();
  return {
    name: spec.name,
    current: () => current,
    stop: async () => {
      stopping.abort();
      await current?.stop();
      await ended;
    },
  };
}

/** Doubles from 0.5 s to 30 s with every crash in a row. */
export function restartPauseMs(crashesBefore: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** crashesBefore, LONGEST_PAUSE_MS);
}

function describeExit(exit: Exit): string {
  return exit.signal ?? `exit code ${exit.code}`;
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
