import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { startProcess, type OwnedProcess } from '../../infra/processes.ts';
import { taskQueues, workflowIdOf, type OrderId } from '../../domain/ids.ts';
import type { Checkout } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import { fulfillOrder } from '../../workflows/index.ts';
import { uniqueName } from '../setup/isolation.ts';
import { testBundle, workflowInput, type SagaEnvironment } from '../setup/saga-environment.ts';
import { killedFile, planFile, type KillPoint } from './kill-points.ts';

export interface CrashingWorker {
  /** Starts an order on this worker, a good one but for the overrides, with kill points of its own. */
  start(
    id: OrderId,
    points: readonly KillPoint[],
    policy: PolicyChanges,
    overrides?: Partial<Checkout>,
  ): Promise<WorkflowHandle<typeof fulfillOrder> & { orderId: OrderId }>;
  /** The planted points of this order at which nothing was killed. */
  missed(id: OrderId, points: readonly KillPoint[]): KillPoint[];
  /** How many worker processes have died by SIGKILL so far. */
  kills(): number;
  close(): Promise<void>;
}

/** A killed worker's workflow tasks are noticed after this, in milliseconds; Temporal's default is ten seconds. */
const workflowTaskTimeout = 1_500;

const program = fileURLToPath(new URL('crash-worker.ts', import.meta.url));

/**
 * Runs the saga's worker as a process of its own, on task queues of its own, and starts it again each time it was
 * killed.
 */
export async function runCrashingWorker(
  saga: SagaEnvironment,
  options: {
    env?: Record<string, string>;
    /** Of another Temporal than the environment's. */
    client?: Client;
    /** Whether it may also end by itself and be started again, as when its server is gone. */
    mayEnd?: boolean;
  } = {},
): Promise<CrashingWorker> {
  const { client = saga.client, mayEnd = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-crash-'));
  const bundle = await testBundle();
  const bundleFile = join(folder, 'workflows.js');
  await writeFile(bundleFile, bundle.code);
  const prefix = uniqueName('crash');
  const env = {
    ...process.env,
    ...saga.env,
    ...options.env,
    TASK_QUEUE_PREFIX: prefix,
    WORKFLOW_BUNDLE: bundleFile,
    KILL_POINTS: folder,
  };
  const start = (): Promise<OwnedProcess> =>
    startProcess({
      name: 'crash-worker',
      command: process.execPath,
      args: [program],
      env,
      output: { onLine: () => {} },
      graceMs: 5_000,
    });

  let kills = 0;
  let closing = false;
  let worker = await start();
  const supervised = (async () => {
    for (;;) {
      const { signal, code } = await worker.exited;
      if (closing) return;
      if (signal === 'SIGKILL') kills += 1;
      else if (!mayEnd) {
        throw new Error(`The worker ended by itself (${signal ?? code}):\n${worker.lastLines()}`);
      }
      worker = await start();
    }
  })();
  supervised.catch((error: unknown) => console.error(error));

  return {
    async start(id, points, policy, overrides) {
      await writeFile(planFile(folder, workflowIdOf(id)), JSON.stringify(points));
      const queues = taskQueues(prefix);
      const input = {
        ...workflowInput(saga.config, { ...overrides, orderId: id }, policy),
        taskQueues: queues,
      };
      const handle = await client.workflow.start(fulfillOrder, {
        workflowId: workflowIdOf(id),
        taskQueue: queues.orders,
        workflowTaskTimeout,
        args: [input],
      });
      return Object.assign(handle, { orderId: id });
    },
    missed: (id, points) =>
      points.filter((_, index) => !existsSync(killedFile(folder, workflowIdOf(id), index))),
    kills: () => kills,
    async close() {
      closing = true;
      await worker.stop();
      await supervised;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
