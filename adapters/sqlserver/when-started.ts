import { setTimeout as sleep } from 'node:timers/promises';
import { isStarting, readDriverError } from './errors.ts';

/** An Azure database that was paused resumes within a minute of the first login. */
const longestMs = 120_000;
const pauseMs = 2_000;

/**
 * Opens what may be starting: tries again for up to two minutes while the server says that it is on its way, telling so
 * once. Rejects at once with any other error, and with the last one when the time is up.
 */
export async function whenStarted<T>(
  open: () => Promise<T>,
  input: { onWaiting?: ((message: string) => void) | undefined; pauseMs?: number; longestMs?: number },
): Promise<T> {
  const end = Date.now() + (input.longestMs ?? longestMs);
  for (let told = false; ; told = true) {
    try {
      return await open();
    } catch (error) {
      if (!isStarting(error) || Date.now() >= end) throw error;
      if (!told)
        input.onWaiting?.(`The database is starting (${readDriverError(error).message}): waiting for it`);
    }
    await sleep(input.pauseMs ?? pauseMs);
  }
}
