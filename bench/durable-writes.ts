import { setTimeout as sleep } from 'node:timers/promises';

/** Executions created and updated in Temporal's store: what its database has to make durable. */
export interface DurableWrites {
  create: number;
  update: number;
}

/**
 * What one order costs that is paid and shipped at the first try: the start, two writes for the first workflow task, and four
 * for each of the two ordinary activities (payment, label). Local activities cost none of their own.
 */
export const durableWritesPerOrder: DurableWrites = { create: 1, update: 10 };

const POLL_MS = 250;
/** The server publishes its counters once a second. */
const QUIET_MS = 2_500;
const TIMEOUT_MS = 30_000;

/** The namespace's writes so far, once the counters have stood still: nothing else may use the namespace meanwhile. */
export async function settledDurableWrites(server: {
  metricsUrl: string;
  namespace: string;
}): Promise<DurableWrites> {
  const deadline = Date.now() + TIMEOUT_MS;
  let last = await readDurableWrites(server);
  let sinceMs = Date.now();
  while (Date.now() - sinceMs < QUIET_MS) {
    if (Date.now() > deadline)
      throw new Error(`Temporal's write counters did not come to rest in ${TIMEOUT_MS / 1_000} s`);
    await sleep(POLL_MS);
    const now = await readDurableWrites(server);
    if (now.create !== last.create || now.update !== last.update) sinceMs = Date.now();
    last = now;
  }
  return last;
}

async function readDurableWrites({
  metricsUrl,
  namespace,
}: {
  metricsUrl: string;
  namespace: string;
}): Promise<DurableWrites> {
  const response = await fetch(metricsUrl);
  if (!response.ok) throw new Error(`GET ${metricsUrl} answered ${response.status}`);
  const lines = (await response.text()).split('\n');
  const count = (operation: string) =>
    lines
      .filter((line) => line.startsWith('persistence_requests{'))
      .filter(
        (line) => line.includes(`namespace="${namespace}"`) && line.includes(`operation="${operation}"`),
      )
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  return { create: count('CreateWorkflowExecution'), update: count('UpdateWorkflowExecution') };
}

export const difference = (after: DurableWrites, before: DurableWrites): DurableWrites => ({
  create: after.create - before.create,
  update: after.update - before.update,
});
