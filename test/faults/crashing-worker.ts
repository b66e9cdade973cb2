import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, type OwnedProcess } from '../../infra/processes.ts';
import { workflowIdOf, type OrderId } from '../../domain/ids.ts';
import { testBundle, type SagaEnvironment } from '../setup/saga-environment.ts';
import { killedFile, planFile, type KillPoint } from './kill-points.ts';

export interface CrashingWorker {
  /** Plants kill points for one order; before the activity that is meant starts. */
  plant(id: OrderId, points: readonly KillPoint[]): Promise<void>;
  /** The planted points of this order at which nothing was killed. */
  missed(id: OrderId, points: readonly KillPoint[]): KillPoint[];
  /** How many worker processes have died by SIGKILL so far. */
  kills(): number;
  close(): Promise<void>;
}

const program = fileURLToPath(new URL('crash-worker.ts', import.meta.url));

/** Runs the saga's worker as a process of its own and starts it again each time it was killed. */
export async function runCrashingWorker(saga: SagaEnvironment): Promise<CrashingWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'order-saga-crash-'));
  const bundle = await testBundle();
  const bundleFile = join(folder, 'workflows.js');
  await writeFile(bundleFile, bundle.code);
  const env = { ...process.env, ...saga.env, WORKFLOW_BUNDLE: bundleFile, KILL_POINTS: folder };
  const start = (): Promise<OwnedProcess> =>
    startProcess({
      name: 'crash-worker',
      command: process.execPath,
      args: [program],
      env,
      output: { onLine: (line) => console.error(`crash-worker: ${line}`) },
      graceMs: 5_000,
    });

  let kills = 0;
  let closing = false;
  let worker = await start();
  const supervised = (async () => {
    for (;;) {
      const { signal, code } = await worker.exited;
      if (closing) return;
      if (signal !== 'SIGKILL') {
        throw new Error(`The worker ended by itself (${signal ?? code}):\n${worker.lastLines()}`);
      }
      kills += 1;
      worker = await start();
    }
  })();
  supervised.catch((error: unknown) => console.error(error));

  return {
    plant: (id, points) => writeFile(planFile(folder, workflowIdOf(id)), JSON.stringify(points)),
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
