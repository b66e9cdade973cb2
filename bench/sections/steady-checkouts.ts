import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess } from '../../infra/processes.ts';
import { cpuSeconds } from '../process-usage.ts';
import type { OpenLoopLine, OpenLoopOptions } from '../open-loop.ts';
import { distributionOf, rounded } from '../statistics.ts';
import type { BenchContext, Figure, Section } from './section.ts';

/** Checkout latency and the orders' times at two steady rates, open loop. */
export const steadyCheckouts: Section = {
  name: 'checkout',
  async run(context) {
    const figures: Figure[] = [];
    const facts: Record<string, unknown> = {};
    for (const perHour of [15_000, 45_000]) {
      context.say(`  checkouts at ${perHour} an hour`);
      const rate = await measure(context, perHour);
      facts[perHour] = rate.facts;
      figures.push(...rate.figures);
    }
    return { figures, facts };
  },
};

async function measure(context: BenchContext, perHour: number) {
  const { environment, books, quick } = context;
  const seconds = quick ? 10 : 75;
  const file = join(environment.folder, `checkouts-${perHour}.jsonl`);
  const before = cpuSeconds(environment.groups());
  const began = performance.now();
  await runLoad(environment.env, {
    api: environment.urls.api,
    perHour,
    seconds,
    warmUpSeconds: quick ? 2 : 10,
    keyPrefix: `open-${perHour}`,
    file,
  });
  const backlog = books.unpublished();
  const wallSeconds = (performance.now() - began) / 1_000;
  const cpu = Object.entries(cpuSeconds(environment.groups())).map(
    ([name, used]) => [name, rounded((used - (before[name] ?? 0)) / wallSeconds, 3)] as const,
  );
  await books.drained();
  const lines = readLines(file).filter(({ warmUp }) => !warmUp);
  const taken = lines.filter(({ status }) => status === 202);
  const latency = distributionOf(lines.map(({ latencyMs }) => latencyMs));
  const times = books.times(new Map(taken.map(({ orderId, dueMs }) => [orderId, dueMs])));
  const refused = lines.length - taken.length;
  return {
    facts: {
      seconds,
      requests: lines.length,
      refused,
      latencyMs: latency,
      ...times,
      cores: Object.fromEntries(cpu),
      backlog,
    },
    figures: figuresOf({ perHour, latency, refused, times }),
  };
}

function figuresOf(input: {
  perHour: number;
  latency: ReturnType<typeof distributionOf>;
  refused: number;
  times: ReturnType<BenchContext['books']['times']>;
}): Figure[] {
  const { perHour, latency, refused, times } = input;
  const at = `at ${perHour.toLocaleString('en-US')} orders/h`;
  const { toShipmentGenerated: shipped, toCompleted: completed } = times;
  return [
    {
      figure: `checkout ${at}`,
      value: `p50 ${latency.p50} ms, p99 ${latency.p99} ms, max ${latency.max} ms (${latency.count} requests, ${refused} not taken)`,
      goal: 'p99 below 47 ms, target 25 ms',
    },
    { figure: `checkout to shipment_generated ${at}`, value: `p50 ${shipped.p50} ms, p99 ${shipped.p99} ms` },
    { figure: `checkout to completed ${at}`, value: `p50 ${completed.p50} ms, p99 ${completed.p99} ms` },
  ];
}

async function runLoad(env: NodeJS.ProcessEnv, options: OpenLoopOptions): Promise<void> {
  const load = await startProcess({
    name: 'load',
    command: process.execPath,
    args: [join(import.meta.dirname, '..', 'open-loop.ts'), JSON.stringify(options)],
    env,
    output: { onLine: (line) => console.error(line) },
  });
  const { code } = await load.exited;
  if (code !== 0) throw new Error(`The load generator ended with exit code ${code}: ${load.lastLines()}`);
}

const readLines = (file: string): OpenLoopLine[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as OpenLoopLine);
