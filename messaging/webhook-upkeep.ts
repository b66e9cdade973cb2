import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

const gaugeMs = 10_000;
const purgeEvery = 60;
const purgeLimit = 500;
const keptMs = 30 * 24 * 3_600_000;

/** Keeps the gauges of webhooks and deletes recorded attempts that are older than 30 days, a few at a time. */
export function startWebhookUpkeep(deps: {
  store: Pick<Store, 'read' | 'transaction'>;
  openCircuits: () => number;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}): { close(): Promise<void> } {
  const { store, metrics, clock, logger } = deps;
  let rounds = 0;
  let round = Promise.resolve();

  async function upkeep(): Promise<void> {
    metrics.webhookCircuitsOpen.set(deps.openCircuits());
    const counts = await store.read.webhooks.counts();
    metrics.webhookEndpoints.set({ state: 'enabled' }, counts.enabled);
    metrics.webhookEndpoints.set({ state: 'disabled' }, counts.disabled);
    if (rounds % purgeEvery === 0) await purge();
    rounds += 1;
  }

  async function purge(): Promise<void> {
    const attemptedBeforeUtc = new Date(Date.parse(clock.nowUtc()) - keptMs).toISOString();
    for (;;) {
      const deleted = await store.transaction((tx) =>
        tx.webhooks.purge({ attemptedBeforeUtc, limit: purgeLimit }),
      );
      if (deleted < purgeLimit) return;
    }
  }

  const run = () => {
    round = upkeep().catch((error: unknown) => logger.warn({ err: error }, 'upkeep of webhooks was put off'));
  };
  run();
  const timer = setInterval(run, gaugeMs);
  return {
    async close() {
      clearInterval(timer);
      await round;
    },
  };
}
