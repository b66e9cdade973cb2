import { orderId, workflowIdOf } from '../domain/ids.ts';
import { closedLoop } from './closed-loop.ts';
import { createCheckouts } from './place-order.ts';
import { cpuSeconds } from './process-usage.ts';
import type { BenchContext } from './sections/section.ts';
import { rounded, sum } from './statistics.ts';

export const IN_FLIGHT = 50;

/** One window of a closed loop. */
export interface LoopWindow {
  perSecond: number;
  /** CPU milliseconds of each process for one workflow. */
  cpuMs: Record<string, number>;
  /** Events that waited for the broker when the window ended. */
  backlog: number;
}

/** Keeps `work` going 50 times over; `groups` are the process groups whose CPU is told. */
export async function measureWindow(
  { books, quick }: BenchContext,
  groups: () => Record<string, number>,
  work: () => Promise<void>,
): Promise<LoopWindow> {
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

/** Places one order after another and awaits their ends. */
export function placeOrders({ client, environment }: BenchContext, prefix: string): () => Promise<void> {
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

export const cpuOf = (cpuMs: Record<string, number>): number => sum(Object.values(cpuMs));

export const mean = (values: readonly number[]): number => sum(values) / values.length;

export function meanCpu(windows: readonly LoopWindow[]): Record<string, number> {
  const names = Object.keys(windows[0]?.cpuMs ?? {});
  return Object.fromEntries(
    names.map((name) => [name, rounded(mean(windows.map(({ cpuMs }) => cpuMs[name] ?? 0)), 1)]),
  );
}

/** Without what is next to nothing; the driver is not the product, so it is told apart. */
export function describeCpu({ driver = 0, ...cpuMs }: Record<string, number>): string {
  const shown = Object.entries(cpuMs)
    .filter(([, ms]) => ms >= 0.5)
    .sort(([, a], [, b]) => b - a);
  const total = rounded(sum(shown.map(([, ms]) => ms)), 1);
  return `${total} ms (${shown.map(([name, ms]) => `${name} ${ms}`).join(', ')}); driver ${driver}`;
}
