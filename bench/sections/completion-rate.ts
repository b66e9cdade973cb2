import { join } from 'node:path';
import { type OwnedProcess, startProcess } from '../../infra/processes.ts';
import { bareTaskQueue } from '../bare-activities.ts';
import {
  cpuOf,
  describeCpu,
  IN_FLIGHT,
  mean,
  meanCpu,
  measureWindow,
  placeOrders,
  type LoopWindow,
} from '../order-window.ts';
import { databaseHandles } from '../process-usage.ts';
import { rounded, sum } from '../statistics.ts';
import type { BenchContext, Section } from './section.ts';

/**
 * Highest steady rate of completed orders beside the bare workflow's, in turns, so that a machine that gets slower or faster
 * does so for both. Both are awaited in the same way.
 */
export const completionRate: Section = {
  name: 'rate',
  async run(context) {
    const { environment, quick, say } = context;
    const bareWorker = await startBareWorker(environment.env);
    const groups = () => ({ ...environment.groups(), bareWorker: bareWorker.pid });
    const handles = watchHandles(context);
    const bare: LoopWindow[] = [];
    const orders: LoopWindow[] = [];
    try {
      for (let round = 0; round < (quick ? 1 : 3); round += 1) {
        bare.push(await measureWindow(context, groups, startBare(context)));
        say(`  bare   ${rounded(bare.at(-1)?.perSecond ?? 0, 1)}/s`);
        orders.push(await measureWindow(context, groups, placeOrders(context, `rate-${round}`)));
        say(`  orders ${rounded(orders.at(-1)?.perSecond ?? 0, 1)}/s`);
      }
    } finally {
      handles.stop();
      await bareWorker.stop();
    }
    return reportOf(bare, orders, handles.peak);
  },
};

function startBare({ client }: BenchContext): () => Promise<void> {
  return async () => {
    const workflowId = `bare-${crypto.randomUUID()}`;
    const handle = await client.workflow.start('bareWorkflow', { workflowId, taskQueue: bareTaskQueue });
    await handle.result();
  };
}

async function startBareWorker(env: NodeJS.ProcessEnv): Promise<OwnedProcess> {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const worker = await startProcess({
    name: 'bare-worker',
    command: process.execPath,
    args: [join(import.meta.dirname, '..', 'bare-worker.ts')],
    env,
    output: { onLine: (line) => (line === 'ready' ? resolve() : console.error(line)) },
  });
  await Promise.race([ready, worker.exited]);
  if (worker.hasExited()) throw new Error(`The bare worker did not start: ${worker.lastLines()}`);
  return worker;
}

/** Samples open handles on the database once a second and keeps the sample with the most. */
function watchHandles({ environment }: BenchContext) {
  const watched = { peak: {} as Record<string, number>, stop: () => clearInterval(timer) };
  const timer = setInterval(() => {
    const now = databaseHandles(environment.groups(), environment.databaseFile);
    if (sum(Object.values(now)) > sum(Object.values(watched.peak))) watched.peak = now;
  }, 1_000);
  return watched;
}

function reportOf(
  bare: readonly LoopWindow[],
  orders: readonly LoopWindow[],
  handles: Record<string, number>,
) {
  const bareRate = mean(bare.map(({ perSecond }) => perSecond));
  const orderRate = mean(orders.map(({ perSecond }) => perSecond));
  const ratio = orderRate / bareRate;
  const cpu = meanCpu(orders);
  const bareCpu = meanCpu(bare);
  const rounds = (windows: readonly LoopWindow[]) =>
    windows.map(({ perSecond }) => rounded(perSecond, 1)).join(', ');
  return {
    facts: { inFlight: IN_FLIGHT, bare, orders, bareRate, orderRate, ratio, databaseHandles: handles },
    figures: [
      { figure: 'bare workflow (5 no-op activities)', value: `${rounded(bareRate, 1)}/s (${rounds(bare)})` },
      { figure: 'completed orders', value: `${rounded(orderRate, 1)}/s (${rounds(orders)})` },
      {
        figure: 'orders beside bare',
        value: `${rounded(ratio * 100, 0)} %`,
        goal: 'at least 80 %, target 150 %',
      },
      {
        figure: '  by CPU alone, which other programs disturb less',
        value: `${rounded((100 * cpuOf(bareCpu)) / cpuOf(cpu), 0)} %`,
      },
      { figure: 'CPU per order', value: describeCpu(cpu) },
      { figure: 'CPU per bare workflow', value: describeCpu(bareCpu) },
      {
        figure: 'events behind at the end of a round',
        value: orders.map(({ backlog }) => backlog).join(', '),
      },
      {
        figure: 'SQL connections open at peak',
        value: `${sum(Object.values(handles))} (${Object.entries(handles)
          .map(([name, count]) => `${name} ${count}`)
          .join(', ')})`,
      },
    ],
  };
}
