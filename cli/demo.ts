import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import {
  apiKeyOf,
  createDemoClient,
  readAddresses,
  type DemoAddresses,
  type DemoClient,
} from './demo/demo-client.ts';
import { createLiveTable, createPlainLines, silent, type Display } from './demo/display.ts';
import { followOrder, type Progress } from './demo/follow-order.ts';
import { nextCommand, webUiLink } from './demo/next-commands.ts';
import { scenarios, type Scenario } from './demo/scenarios.ts';

/**
 * `npm start -- --demo`, or `npm run -s node -- cli/demo.ts [--json]` beside a running product: posts orders of different fates and shows
 * them until each has ended or waits for a person, 60 s at most. Needs the API and the sandbox over HTTP, whose addresses it
 * reads from ORDER_SAGA_ADDRESSES (default `.runtime/addresses.json`). `--json` prints one line per final state and nothing else.
 * Exit code 0 when every order has ended or waits.
 */
const TIME_LIMIT_MS = 60_000;
const STAGGER_MS = 150;

const json = process.argv.includes('--json');
const colors = process.stdout.isTTY && !json;
const over = new AbortController();
// A reader that has gone away (`| head`) ends the demo as Ctrl-C does.
process.stdout.on('error', () => over.abort());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => over.abort());

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const addresses = readAddresses(process.env['ORDER_SAGA_ADDRESSES'] ?? '.runtime/addresses.json');
  const apiKey = apiKeyOf(process.env['API_CALLERS']);
  const client = createDemoClient(addresses, apiKey);
  const orders = scenarios(await client.products());
  const rows = orders.map(({ title }): Progress => ({ title, startedMs: Date.now(), sinceMs: Date.now() }));
  if (!json) console.log(`\nThe demo: ${orders.length} orders, each with a fate of its own.\n`);
  await run(client, orders, rows);
  if (json) printJson(rows, addresses, apiKey);
  else printWhatIsNext(rows, addresses, apiKey);
  return rows.every(({ outcome }) => outcome === 'ended' || outcome === 'waiting') ? 0 : 1;
}

/** Follows all orders side by side; takes every fault back, however it ends. */
async function run(client: DemoClient, orders: Scenario[], rows: Progress[]): Promise<void> {
  const faults: string[] = [];
  const display = displayFor(rows);
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(TIME_LIMIT_MS)]);
  try {
    await Promise.all(
      orders.map(async (scenario, index) => {
        await sleep(index * STAGGER_MS);
        const progress = rows[index] as Progress;
        await followOrder({ client, scenario, progress, faults, signal, changed: display.changed });
      }),
    );
  } finally {
    display.close();
    await Promise.allSettled(faults.map((id) => client.removeFault(id)));
  }
}

function displayFor(rows: Progress[]): Display {
  if (json) return silent;
  return process.stdout.isTTY
    ? createLiveTable(rows, process.stdout)
    : createPlainLines(rows, process.stdout);
}

function printWhatIsNext(
  rows: readonly Progress[],
  addresses: DemoAddresses,
  apiKey: string | undefined,
): void {
  const namespace = process.env['TEMPORAL_NAMESPACE'] ?? 'default';
  const strong = (text: string) => (colors ? styleText('bold', text) : text);
  const waiting = rows.filter(({ outcome }) => outcome === 'waiting');
  if (waiting.length > 0) console.log(`\n${strong('These orders wait for you.')} Type, in another terminal:`);
  for (const row of waiting) {
    const next = nextCommand(row, addresses, apiKey);
    if (next) console.log(`\n  ${strong(row.title)}: ${next.why}\n  ${next.command}`);
  }
  const titleWidth = Math.max(...rows.map(({ title }) => title.length));
  const links = rows.map(
    (row) => [row.title.padEnd(titleWidth), webUiLink(row, addresses, namespace)] as const,
  );
  if (addresses.temporalUi) console.log(`\n${strong('Each run in the Temporal Web UI:')}\n`);
  for (const [title, link] of links) if (link) console.log(`  ${title}  ${link}`);
  for (const { title, outcome, problem } of rows) {
    if (outcome === 'unfinished')
      console.log(`\n  ${title}: ${problem ?? `still on its way after ${TIME_LIMIT_MS / 1_000} s`}`);
  }
  console.log('');
}

function printJson(rows: readonly Progress[], addresses: DemoAddresses, apiKey: string | undefined): void {
  const namespace = process.env['TEMPORAL_NAMESPACE'] ?? 'default';
  for (const row of rows) {
    const { title, orderId, outcome, order, lastEvent, problem, startedMs, sinceMs } = row;
    const { status, sagaState, step, failure } = order ?? {};
    const next = outcome === 'waiting' ? nextCommand(row, addresses, apiKey)?.command : undefined;
    const facts = { title, orderId, outcome, status, sagaState, step, failure, lastEvent, problem };
    console.log(
      JSON.stringify({
        ...facts,
        seconds: (sinceMs - startedMs) / 1_000,
        next,
        webUi: webUiLink(row, addresses, namespace),
      }),
    );
  }
}
