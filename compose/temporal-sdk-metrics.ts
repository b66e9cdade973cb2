import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { TelemetryOptions } from '@temporalio/worker';

export interface TemporalSdkMetrics {
  /** The SDK's metrics in Prometheus' text format; a comment that says why when they cannot be had. */
  read(): Promise<string>;
}

const readTimeoutMs = 2_000;
const ATTEMPTS = 10;
/** Waits for a worker: the goal is 0.2 s. */
const waits = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 30, 120];
const work = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/**
 * The SDK serves its metrics on a loopback port of its own; `/metrics` of the process prints them after its own
 * (docs/adr/0017). Seconds and `_total`, as everything else. `install` is the SDK's `Runtime.install`, before the first
 * connection; it is called again with another port where somebody else has taken the chosen one meanwhile.
 */
export async function installSdkMetrics(
  install: (telemetry: Pick<TelemetryOptions, 'metrics'>) => unknown,
  choosePort: () => Promise<number> = freeLoopbackPort,
): Promise<TemporalSdkMetrics> {
  for (let attempt = 1; ; attempt++) {
    const address = `127.0.0.1:${await choosePort()}`;
    try {
      install({ metrics: { prometheus: { bindAddress: address, ...shape } } });
      return readerOf(address);
    } catch (error) {
      if (attempt === ATTEMPTS || !/address already in use/i.test((error as Error).message)) throw error;
    }
  }
}

const shape = {
  countersTotalSuffix: true,
  unitSuffix: true,
  useSecondsForDurations: true,
  histogramBucketOverrides: {
    workflow_task_schedule_to_start_latency: waits,
    activity_schedule_to_start_latency: waits,
    workflow_task_execution_latency: work,
    workflow_task_replay_latency: work,
    request_latency: work,
  },
};

function readerOf(address: string): TemporalSdkMetrics {
  return {
    async read() {
      try {
        const response = await fetch(`http://${address}/metrics`, {
          signal: AbortSignal.timeout(readTimeoutMs),
        });
        if (!response.ok) throw new Error(`it answered ${response.status}`);
        return await response.text();
      } catch (error) {
        return `# The Temporal SDK's metrics cannot be read: ${(error as Error).message}\n`;
      }
    },
  };
}

/** The SDK takes no port 0 that it would tell. */
async function freeLoopbackPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
