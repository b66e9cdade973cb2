import { setTimeout as sleep } from 'node:timers/promises';

/** One of the product's own processes, as the launcher runs it. */
export type ApplicationProcess = {
  name: 'api' | 'worker' | 'relay' | 'sandbox';
  script: string;
  /** ANSI color of its lines. */
  color: number;
  /** How long it may take to end what it is doing before it is killed. */
  graceMs: number;
};

/** In the order they are stopped: no new orders first, then the work in progress, then its events, then the outside world. */
export const applicationProcesses: readonly ApplicationProcess[] = [
  { name: 'api', script: 'api/server.ts', color: 36, graceMs: 15_000 },
  { name: 'worker', script: 'workers/worker.ts', color: 32, graceMs: 30_000 },
  { name: 'relay', script: 'workers/relay.ts', color: 33, graceMs: 15_000 },
  { name: 'sandbox', script: 'sandbox/server.ts', color: 35, graceMs: 10_000 },
];

const POLL_MS = 100;
const PROBE_TIMEOUT_MS = 2_000;
const SAY_EVERY_MS = 15_000;

/**
 * Waits until `GET <baseUrl>/readyz` answers 2xx. Fails after `timeoutMs` with the last answer; `isOver` ends the wait
 * early, and what `mustGoOn` throws ends it at once. `say` hears every 15 s of the last answer.
 */
export async function waitForReadiness(probe: {
  name: string;
  baseUrl: string;
  timeoutMs: number;
  isOver: () => boolean;
  mustGoOn?: () => Promise<void>;
  say?: (line: string) => void;
  /** Checks that may be down: the product works without them. */
  without?: readonly string[];
}): Promise<void> {
  const deadline = Date.now() + probe.timeoutMs;
  let last = 'no answer yet';
  let saidAt = Date.now();
  while (Date.now() < deadline && !probe.isOver()) {
    await probe.mustGoOn?.();
    last = await askReadiness(probe.baseUrl, probe.without ?? []);
    if (last === 'ready') return;
    if (Date.now() - saidAt > SAY_EVERY_MS) {
      saidAt = Date.now();
      probe.say?.(`${probe.name} is not ready yet: ${last}`);
    }
    await sleep(POLL_MS);
  }
  throw new Error(
    `${probe.name} was not ready in ${probe.timeoutMs / 1000} s. GET ${probe.baseUrl}/readyz: ${last}`,
  );
}

async function askReadiness(baseUrl: string, without: readonly string[]): Promise<string> {
  try {
    const response = await fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const body = await response.text();
    return response.ok || lacksOnly(without, body) ? 'ready' : `${response.status} ${body.slice(0, 300)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function lacksOnly(names: readonly string[], body: string): boolean {
  if (names.length === 0) return false;
  const { checks = {} } = JSON.parse(body) as { checks?: Record<string, string> };
  const down = Object.entries(checks).filter(([, status]) => status !== 'up');
  return down.length > 0 && down.every(([name]) => names.includes(name));
}
