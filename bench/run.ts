import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { projectFolder } from '../infra/runtime-folder.ts';
import { startBenchEnvironment, type BenchEnvironment } from './bench-environment.ts';
import { describeMachine } from './machine.ts';
import { openBooks } from './order-times.ts';
import { completionRate } from './sections/completion-rate.ts';
import { durableWritesSection } from './sections/durable-writes-section.ts';
import { heldOrders } from './sections/held-orders.ts';
import { oneAtATime } from './sections/one-at-a-time.ts';
import type { Figure, Section } from './sections/section.ts';
import { steadyCheckouts } from './sections/steady-checkouts.ts';
import { telemetryOverhead } from './sections/telemetry-overhead.ts';

/**
 * `npm run bench [-- --quick] [-- --only <section>]`: measures the product on this machine, everything on it, and prints one
 * table. The figures and their parts are also written to `bench/results/<time>.json`. `--only` may be given several times.
 */
const sections: readonly Section[] = [
  durableWritesSection,
  oneAtATime,
  steadyCheckouts,
  completionRate,
  heldOrders,
  telemetryOverhead,
];
/** The worker's default, stated because memory hangs on it. */
const MAX_CACHED_WORKFLOWS = '2000';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
  },
});
const unknown = values.only.filter((name) => !sections.some((section) => section.name === name));
if (unknown.length > 0) {
  console.error(
    `--only ${unknown.join(', ')}: expected one of ${sections.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}
const chosen = sections.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
const environment = await startBenchEnvironment({ MAX_CACHED_WORKFLOWS });
try {
  await measure(environment);
} finally {
  await environment.close();
}

async function measure(bench: BenchEnvironment): Promise<void> {
  const connection = await Connection.connect({ address: bench.temporal.address });
  const client = new Client({ connection, namespace: bench.temporal.namespace });
  const books = openBooks(bench.databaseFile);
  const machine = await describeMachine(client, bench.env);
  const results: Record<string, unknown> = {};
  const figures: Figure[] = [];
  for (const { name, run } of chosen) {
    console.log(`${name} ...`);
    try {
      const result = await run({ environment: bench, client, books, quick: values.quick, say: console.log });
      results[name] = result.facts;
      figures.push(...result.figures);
    } catch (error) {
      // What the other sections measure is still worth having.
      const reason = error instanceof Error ? error.message : String(error);
      results[name] = { failed: reason };
      figures.push({ figure: `section ${name}`, value: `FAILED: ${reason}` });
      process.exitCode = 1;
    }
  }
  books.close();
  await connection.close();
  console.log(`\n${tableOf(figures)}\n`);
  console.log(
    `${machine.cores} cores, ${machine.cpu}; load before: ${machine.loadBefore.toFixed(1)}${values.quick ? '; --quick: not for figures' : ''}`,
  );
  console.log(`Written to ${write({ machine, quick: values.quick, results, figures })}`);
}

function tableOf(figures: readonly Figure[]): string {
  const width = Math.max(...figures.map(({ figure }) => figure.length));
  return figures
    .map(({ figure, value, goal }) => `${figure.padEnd(width)}  ${value}${goal ? `  [${goal}]` : ''}`)
    .join('\n');
}

function write(report: Record<string, unknown>): string {
  const atUtc = new Date().toISOString();
  const folder = join(projectFolder, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${atUtc.replaceAll(':', '-').slice(0, 19)}.json`);
  writeFileSync(file, `${JSON.stringify({ atUtc, ...report }, null, 2)}\n`);
  return file;
}
