import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 2_000;

/**
 * Does what needs the disk, again and again while the disk is full, read-only or otherwise away: says so at first and
 * whenever the reason changes, and when it is done at last. Errors that are not the system's are thrown.
 */
export async function untilDone<T>(work: {
  /** What is written, for people. */
  what: string;
  act: () => T;
  say: (line: string) => void;
  isOver: () => boolean;
  pause?: (ms: number) => Promise<unknown>;
}): Promise<T> {
  const { what, act, say, isOver, pause = (ms) => sleep(ms, undefined, { ref: false }) } = work;
  let said = '';
  for (;;) {
    try {
      const done = act();
      if (said !== '') say(`${what}: written now`);
      return done;
    } catch (error) {
      if (!isSystemError(error) || isOver()) throw error;
      if (error.message !== said) say(`${what} cannot be written, trying again: ${error.message}`);
      said = error.message;
    }
    await pause(PAUSE_MS);
  }
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string' && 'syscall' in error;
