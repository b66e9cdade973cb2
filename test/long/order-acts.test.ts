import { expect, it } from 'vitest';
import type { OrderId } from '../../domain/ids.ts';
import { sagaSuite } from '../e2e/saga-suite.ts';
import { until } from '../setup/saga-environment.ts';
import { startOpsFixture } from '../support/ops-fixture.ts';

/* Circuits stay closed and nothing is rationed: the test is about parked orders, and about as many as there are. */
const providers = { maximumPerSecond: 10_000, slowStartPerSecond: 10_000, circuit: { minimumCalls: 1e6 } };
const saga = sagaSuite({ env: { PROVIDER_POLICY: JSON.stringify(providers) } });

const why = 'the carrier is back';

/** Time enough for a label on a busy machine, once the carrier is back. */
const parksLate = {
  steps: { shipping: { attemptTimeoutMs: 5_000, budgetMs: 10_000, maximumIntervalMs: 2_000 } },
};

it(
  '500 orders that parked in an outage are resolved at once while new ones arrive; a dead worker repeats nothing',
  { timeout: 1_200_000 },
  async () => {
    const fixture = await startOpsFixture(saga());
    const count = 500;
    await saga().addFault({
      id: 'storm',
      provider: 'easypost',
      operation: 'shipments.create',
      kind: 'outage',
    });
    const start = () => saga().start({}, parksLate);
    const parked: Awaited<ReturnType<typeof start>>[] = [];
    for (let index = 0; index < count; index += 1) parked.push(await start());
    const isParked = { sagaState: 'parked', step: 'shipping', open: true } as const;
    await until(
      () => fixture.workflows.count(isParked),
      (found) => found === count,
      240_000,
    );
    await saga().removeFault('storm');

    const fresh: ReturnType<typeof start>[] = [];
    const arriving = setInterval(() => fresh.push(saga().start()), 500);
    const startedAt = performance.now();
    const resolve = [
      'resolve',
      '--where',
      'step=shipping state=parked',
      '--reason',
      why,
      '--rate',
      '50',
      '--yes',
    ];
    const acting = fixture.ops(resolve);
    await until(
      () => fixture.workflows.count(isParked),
      (left) => left < count - 50,
      60_000,
    );
    await fixture.restartWorker();
    const { out, error } = await acting;
    const seconds = (performance.now() - startedAt) / 1_000;
    clearInterval(arriving);
    expect(out).toMatch(/completed: resolve \(retry\): \d+ accepted, 0 refused/);
    expect(seconds).toBeGreaterThan(count / 50 - 2);
    console.log(
      `${count} resolved in ${seconds.toFixed(1)} s, ${error ?? 'all took it'}; ${fresh.length} arrived`,
    );

    /* A busy machine does not answer for single orders in time, or parks them once more: people type it again. */
    const orders = [...parked, ...(await Promise.all(fresh))];
    const over = Promise.all(orders.map((order) => order.result()));
    const typing = setInterval(() => void fixture.ops(resolve), 10_000);
    const ends = await over.finally(() => clearInterval(typing));
    expect(ends.filter(({ status }) => status !== 'completed')).toEqual([]);
    expect(orders.length).toBeGreaterThan(count + 10);
    const trails = await Promise.all(parked.map(({ orderId }) => parkings(orderId)));
    expect(trails.filter(({ begun, resolved }) => begun === 0 || begun !== resolved)).toEqual([]);
    await fixture.close();
  },
);

/** How often the order was parked, and how often it was moved on by the act: once each time. */
async function parkings(id: OrderId): Promise<{ begun: number; resolved: number }> {
  const rows = await saga().deps.store.read.audit(`order:${id}`);
  return {
    begun: rows.filter(({ to }) => to === 'parked').length,
    resolved: rows.filter(({ from, reason }) => from === 'parked' && reason === why).length,
  };
}
