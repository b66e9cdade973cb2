import { join } from 'node:path';
import { orderId, workflowIdOf } from '../../domain/ids.ts';
import { type OwnedProcess, startProcess } from '../../infra/processes.ts';
import { bareTaskQueue } from '../bare-activities.ts';
import { closedLoop } from '../closed-loop.ts';
import { createCheckouts } from '../place-order.ts';
import { cpuSeconds, databaseHandles } from '../process-usage.ts';
import { rounded, sum } from '../statistics.ts';
import type { BenchContext, Section } from './section.ts';

const IN_FLIGHT = 50;

/** One window of a closed loop. */
interface Window {
  perSecond: number;
  /** CPU milliseconds of each process for one workflow. */
  cpuMs: Record<string, number>;
  /** Events that waited for the broker when the window ended. */
  backlog: number;
}

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
    const bare: Window[] = [];
    const orders: Window[] = [];
    try {
      for (let round = 0; round < (quick ? 1 : 3); round += 1) {
        bare.push(await measure(context, groups, startBare(context)));
        say(`  bare   ${rounded(bare.at(-1)?.perSecond ?? 0, 1)}/s`);
        orders.push(await measure(context, groups, placeOrder(context, `rate-${round}`)));
        say(`  orders ${rounded(orders.at(-1)?.perSecond ?? 0, 1)}/s`);
      }
    } finally {
      handles.stop();
      await bareWorker.stop();
    }
    return reportOf(bare, orders, handles.peak);
  },
};

async function measure(
  { books, quick }: BenchContext,
  groups: () => Record<string, number>,
  work: () => Promise<void>,
): Promise<Window> {
  let before: Record<string, number> = {};
  let after: Record<string, number> = {};
  let backlog = 0;
  const result = await closedLoop({
    inFlight: IN_FLIGHT,
    warmUpMs: quick ? 3_000 : 10_000,
    measureMs: quick ? 8_000 : 30_000,
    work,
    onMeasure: (moment) => {
      if (moment === 'begin') before = { ...cpuSeconds(groups()), driver: ownCpuSeconds() };
      else {
        after = { ...cpuSeconds(groups()), driver: ownCpuSeconds() };
        backlog = books.unpublished();
      }
    },
  });
  await books.drained();
  const cpuMs = Object.entries(after).map(
    ([name, used]) => [name, rounded(((used - (before[name] ?? 0)) * 1_000) / result.finished, 2)] as const,
  );
  return { perSecond: result.perSecond, cpuMs: Object.fromEntries(cpuMs), backlog };
}

const ownCpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
};

function placeOrder({ client, environment }: BenchContext, prefix: string): () => Promise<void> {
  const checkouts = createCheckouts(environment.urls.api);
  let count = 0;
  return async () => {
    const id = await checkouts.placed(`${prefix}-${(count += 1)}`);
    const { status } = (await client.workflow.getHandle(workflowIdOf(orderId(id))).result()) as {
      status: string;
    };
    if (status !== 'completed') throw new Error(`Order ${id} ended as ${status}; expected completed`);
  };
}

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

function reportOf(bare: readonly Window[], orders: readonly Window[], handles: Record<string, number>) {
  const bareRate = mean(bare.map(({ perSecond }) => perSecond));
  const orderRate = mean(orders.map(({ perSecond }) => perSecond));
  const ratio = orderRate / bareRate;
  const cpu = meanCpu(orders);
  const bareCpu = meanCpu(bare);
  const rounds = (windows: readonly Window[]) =>
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

const cpuOf = (cpuMs: Record<string, number>): number => sum(Object.values(cpuMs));

const mean = (values: readonly number[]): number => sum(values) / values.length;

function meanCpu(windows: readonly Window[]): Record<string, number> {
  const names = Object.keys(windows[0]?.cpuMs ?? {});
  return Object.fromEntries(
    names.map((name) => [name, rounded(mean(windows.map(({ cpuMs }) => cpuMs[name] ?? 0)), 1)]),
  );
}

/** Without what is next to nothing; the driver is not the product, so it is told apart. */
function describeCpu({ driver = 0, ...cpuMs }: Record<string, number>): string {
  const shown = Object.entries(cpuMs)
    .filter(([, ms]) => ms >= 0.5)
    .sort(([, a], [, b]) => b - a);
  const total = rounded(sum(shown.map(([, ms]) => ms)), 1);
  return `${total} ms (${shown.map(([name, ms]) => `${name} ${ms}`).join(', ')}); driver ${driver}`;
}
