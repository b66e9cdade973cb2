import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startProcess } from '../../infra/processes.ts';
import { cpuOf, mean, meanCpu, measureWindow, placeOrders, type LoopWindow } from '../order-window.ts';
import { rounded } from '../statistics.ts';
import type { BenchContext, Section } from './section.ts';

const observed = ['api', 'worker', 'relay'] as const;
/** As Prometheus does here. */
const SCRAPE_EVERY_MS = 5_000;
const FIRST_ORDERS = 20;

type Mode = 'off' | 'on';

/**
 * Completed orders with metrics, scraped, and traces of every order against the same without both, in turns: the
 * processes are started anew for each window, off-on, on-off, off-on, so that neither has the better place.
 */
export const telemetryOverhead: Section = {
  name: 'telemetry',
  async run(context) {
    const { quick, say } = context;
    const collector = await startCollector(context);
    const windows: Record<Mode, LoopWindow[]> = { off: [], on: [] };
    try {
      for (let round = 0; round < (quick ? 1 : 3); round += 1) {
        for (const mode of round % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const)) {
          const window = await measureMode(context, {
            mode,
            collector,
            prefix: `telemetry-${mode}-${round}`,
          });
          windows[mode].push(window);
          say(`  ${mode.padEnd(3)} ${rounded(window.perSecond, 1)}/s`);
        }
      }
      return reportOf(windows, await collector.received());
    } finally {
      await Promise.all(observed.map((name) => context.environment.restart(name, {})));
      await collector.stop();
    }
  },
};

type Collector = Awaited<ReturnType<typeof startCollector>>;

async function startCollector({ environment }: BenchContext) {
  const { promise: url, resolve } = Promise.withResolvers<string>();
  const owned = await startProcess({
    name: 'null-collector',
    command: process.execPath,
    args: [join(import.meta.dirname, '..', 'null-collector.ts')],
    env: environment.env,
    output: { onLine: resolve },
  });
  const address = await Promise.race([url, owned.exited.then(() => '')]);
  if (address === '') throw new Error(`The collector did not start: ${owned.lastLines()}`);
  return {
    url: address,
    pid: owned.pid,
    received: async () => (await (await fetch(address)).json()) as { requests: number; bytes: number },
    stop: () => owned.stop(),
  };
}

async function measureMode(
  context: BenchContext,
  { mode, collector, prefix }: { mode: Mode; collector: Collector; prefix: string },
): Promise<LoopWindow> {
  const { environment } = context;
  const changes = mode === 'on' ? { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } : withoutMetrics;
  await Promise.all(observed.map((name) => environment.restart(name, changes)));
  const scraping = mode === 'on' ? setInterval(() => void scrape(context), SCRAPE_EVERY_MS) : undefined;
  try {
    const groups = () => ({ ...environment.groups(), collector: collector.pid });
    const place = placeOrders(context, prefix);
    // A process that has just started meets its first orders one by one.
    for (let first = 0; first < FIRST_ORDERS; first += 1) await place();
    return await measureWindow(context, groups, place);
  } finally {
    clearInterval(scraping);
  }
}

const withoutMetrics = {
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, '..', 'without-metrics.ts')).href}`,
};

async function scrape({ environment }: BenchContext): Promise<void> {
  for (const name of observed) {
    await fetch(`${environment.urls[name]}/metrics`)
      .then((response) => response.arrayBuffer())
      .catch(() => {});
  }
}

function reportOf(windows: Record<Mode, LoopWindow[]>, received: { requests: number; bytes: number }) {
  const rate = (mode: Mode) => mean(windows[mode].map(({ perSecond }) => perSecond));
  const cpu = { off: productCpu(windows.off), on: productCpu(windows.on) };
  const cost = { rate: 1 - rate('on') / rate('off'), cpu: cpuOf(cpu.on) / cpuOf(cpu.off) - 1 };
  const rounds = (mode: Mode) => windows[mode].map(({ perSecond }) => rounded(perSecond, 1)).join(', ');
  return {
    facts: { ...windows, cost, received },
    figures: [
      {
        figure: 'orders without metrics and traces',
        value: `${rounded(rate('off'), 1)}/s (${rounds('off')})`,
      },
      { figure: 'orders with metrics and traces', value: `${rounded(rate('on'), 1)}/s (${rounds('on')})` },
      { figure: 'cost of metrics and traces', value: `${rounded(cost.rate * 100, 1)} %`, goal: 'below 10 %' },
      {
        figure: '  by CPU alone, which other programs disturb less',
        value: `${rounded(cost.cpu * 100, 1)} %: ${rounded(cpuOf(cpu.off), 1)} ms an order without, ${rounded(cpuOf(cpu.on), 1)} ms with`,
      },
    ],
  };
}

/** What places the orders and what receives the traces stand elsewhere in earnest. */
function productCpu(windows: readonly LoopWindow[]): Record<string, number> {
  const { collector: _, driver: __, ...product } = meanCpu(windows);
  return product;
}
