import { afterAll, beforeAll, expect, it } from 'vitest';
import { inMs, providerEnv, requestsTo } from '../e2e/provider-suite.ts';
import { eventsOf, type StartedOrder } from '../e2e/saga-suite.ts';
import { startSagaEnvironment, until, type SagaEnvironment } from '../setup/saga-environment.ts';

/* The outage of half an hour, sixty times as fast; a budget of fifteen minutes ends in the middle of it. */
const MINUTE = 1_000;
const OUTAGE_MS = 30 * MINUTE;
const ORDERS_PER_MINUTE = 3;
const rates = { maximumPerSecond: 20, slowStartPerSecond: 5, slowStartMs: 3 * MINUTE };
const circuit = { minimumCalls: 20, windowMs: 5 * MINUTE, probeAfterMs: MINUTE };
const steps = {
  address: { budgetMs: 300, attemptTimeoutMs: 250 },
  shipping: { budgetMs: 15 * MINUTE, attemptTimeoutMs: 5 * MINUTE },
};

let saga: SagaEnvironment;
beforeAll(async () => {
  saga = await startSagaEnvironment({ env: providerEnv({ ...rates, circuit }) });
});
afterAll(() => saga?.close());

async function takeOrders(forMs: number): Promise<StartedOrder[]> {
  const orders: StartedOrder[] = [];
  for (let atMs = 0; atMs < forMs; atMs += MINUTE / ORDERS_PER_MINUTE) {
    const [order] = await Promise.all([saga.start({}, { steps }), inMs(MINUTE / ORDERS_PER_MINUTE)]);
    orders.push(order);
  }
  return orders;
}

/** Requests for labels, ten times a second, until `stopped`. */
function watchLabels() {
  const samples: { atMs: number; count: number }[] = [];
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      samples.push({ atMs: performance.now(), count: await requestsTo(saga, 'easypost', 'shipments.buy') });
      await inMs(100);
    }
  })();
  return {
    async most(): Promise<number> {
      stopped = true;
      await watching;
      const rises = samples.map(({ atMs, count }) => {
        const later = samples.findLast((other) => other.atMs <= atMs + 1_000);
        return (later?.count ?? count) - count;
      });
      return Math.max(...rises);
    },
  };
}

it('an outage of the carrier fails no checkout, charges nobody twice, parks nothing, and drains by itself', async () => {
  const before = await takeOrders(5 * MINUTE);
  await saga.addFault({ id: 'outage', provider: 'easypost', kind: 'outage' });
  const first = takeOrders(OUTAGE_MS / 2);
  await until(
    async () => saga.deps.providers.status('carrier').state,
    (state) => state === 'circuit-open',
    OUTAGE_MS,
  );
  const asked = await requestsTo(saga, 'easypost');
  const openedMs = performance.now();
  const during = [...(await first), ...(await takeOrders(OUTAGE_MS / 2))];
  const probes = (await requestsTo(saga, 'easypost')) - asked;
  const openMs = performance.now() - openedMs;

  const labels = watchLabels();
  const endedMs = performance.now();
  await saga.removeFault('outage');
  const after = await takeOrders(5 * MINUTE);
  const orders = [...before, ...during, ...after];
  const results = await Promise.all(orders.map((order) => order.result()));
  const drainedMs = performance.now() - endedMs;
  const most = await labels.most();
  console.log(
    `${orders.length} orders, ${during.length} during the outage; open ${(openMs / 1_000).toFixed(0)} s with ${probes} requests; ` +
      `drained in ${(drainedMs / 1_000).toFixed(1)} s, at most ${most} labels in a second`,
  );

  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['completed']));
  const counts = await saga.checkAll();
  const all = orders.length;
  expect(counts).toMatchObject({
    completed: all,
    charges: all,
    labels: all,
    refunds: 0,
    lost: 0,
    duplicated: 0,
  });
  const events = await Promise.all(orders.map(({ orderId }) => eventsOf(saga, orderId)));
  expect(events.flat()).not.toContain('order.parked');
  expect(probes).toBeLessThanOrEqual(openMs / circuit.probeAfterMs + 2);
  /* A rate may save up one second's worth. */
  expect(most).toBeLessThanOrEqual(2 * rates.maximumPerSecond);
});
