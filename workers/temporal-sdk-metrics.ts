import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { TelemetryOptions } from '@temporalio/worker';

export interface TemporalSdkMetrics {
  /** For `Runtime.install`, before the first connection. */
  telemetry: Pick<TelemetryOptions, 'metrics'>;
  /** The SDK's metrics in Prometheus' text format; a comment that says why when they cannot be had. */
  read(): Promise<string>;
}

const readTimeoutMs = 2_000;
/** Waits for a worker: the goal is 0.2 s. */
const waits = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 30, 120];
const work = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/**
 * The SDK serves its metrics on a loopback port of its own; `/metrics` of the process prints them after its own
 * (docs/adr/0017). Seconds and `_total`, as everything else.
 */
export async function temporalSdkMetrics(): Promise<TemporalSdkMetrics> {
  const address = `127.0.0.1:${await freeLoopbackPort()}`;
  return {
    telemetry: {
      metrics: {
        prometheus: {
          bindAddress: address,
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
        },
      },
    },
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
