import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnedProcess } from '../processes.ts';

const POLL_MS = 100;

/**
 * Waits until `check` succeeds. Fails at once when the server's process ends, and after `timeoutMs` otherwise,
 * with the last reason and the end of the server's own output. A server that did not get ready is stopped.
 */
export async function waitUntilReady(
  server: OwnedProcess,
  check: () => Promise<void>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let reason = 'never checked';
  while (Date.now() < deadline && !server.hasExited()) {
    try {
      await check();
      return;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
      await sleep(POLL_MS);
    }
  }
  const what = server.hasExited()
    ? 'ended while starting'
    : `was not ready in ${timeoutMs / 1000} s (${reason})`;
  await server.stop();
  throw new Error(`${server.name} ${what}. It printed:\n${server.lastLines()}`);
}
