import { describe, expect, test } from 'vitest';
import { until } from '../setup/saga-environment.ts';
import { inMs, providerEnv, requestsTo, setSwitch } from '../e2e/provider-suite.ts';
import { eventsOf, newOrderId, sagaSuite } from '../e2e/saga-suite.ts';
import { runbookOf } from '../support/runbook.ts';

const quickAddress = { address: { budgetMs: 200, attemptTimeoutMs: 150 } };

describe('while a provider fails', () => {
  const probeAfterMs = 500;
  const saga = sagaSuite({
    env: providerEnv({ circuit: { minimumCalls: 6, windowMs: 5_000, probeAfterMs } }),
  });
  const circuit = async () => {
    const { circuits } = await saga().deps.store.read.providers();
    return circuits.find(({ provider }) => provider === 'carrier');
  };

  test('its circuit opens, probes and closes by itself; nothing is parked and nothing charged twice', async () => {
    expect(runbookOf('CircuitOpen')).toContain(
      'its steps wait in Temporal and one probe at a time looks whether it is back.',
    );
    await saga().addFault({ id: 'down', provider: 'easypost', kind: 'outage' });
    const steps = { ...quickAddress, shipping: { budgetMs: 2_000, attemptTimeoutMs: 1_500 } };
    const orders = await Promise.all(Array.from({ length: 8 }, () => saga().start({}, { steps })));
    await until(circuit, (one) => one?.state === 'open');
    await Promise.all(orders.map(({ orderId }) => saga().until(orderId, ({ step }) => step === 'shipping')));
    await inMs(500);
    const before = await requestsTo(saga(), 'easypost');
    await inMs(4 * probeAfterMs);
    const probes = (await requestsTo(saga(), 'easypost')) - before;
    expect(probes).toBeGreaterThanOrEqual(1);
    expect(probes).toBeLessThanOrEqual(5);
    expect(await circuit()).toMatchObject({ reason: expect.stringMatching(/EasyPost .*503/) });

    await saga().removeFault('down');
    await Promise.all(orders.map((order) => order.result()));
    const counts = await saga().check(...orders.map(({ orderId }) => orderId));
    expect(counts).toMatchObject({ completed: 8, charges: 8, labels: 8, lost: 0, duplicated: 0 });
    await until(circuit, (one) => one?.state === 'closed');
    const events = await Promise.all(orders.map(({ orderId }) => eventsOf(saga(), orderId)));
    expect(events.flat()).not.toContain('order.parked');
  });

  test('declined cards open no circuit', async () => {
    const orders = await Promise.all(
      Array.from({ length: 8 }, () =>
        saga().start({ paymentMethodId: 'pm_card_chargeDeclined' }, { holdPaymentMs: 300 }),
      ),
    );
    await Promise.all(orders.map((order) => order.result()));
    expect(saga().deps.providers.status('payments')).toEqual({ state: 'available' });
    const { circuits } = await saga().deps.store.read.providers();
    expect(circuits.find(({ provider }) => provider === 'payments')?.state).toBe('closed');
  });
});

describe('after a provider was held up', () => {
  const policy = { maximumPerSecond: 4, slowStartPerSecond: 2, slowStartMs: 1_000 };
  const saga = sagaSuite({ env: providerEnv(policy) });
  const created = () => requestsTo(saga(), 'easypost', 'shipments.create');

  test('the backlog drains slowly at first, and then at no more than the rate of the queue', async () => {
    await setSwitch(saga(), 'carrier', 'paused');
    const ids = Array.from({ length: 14 }, newOrderId);
    const orders = await Promise.all(
      ids.map((orderId) => saga().start({ orderId }, { steps: quickAddress })),
    );
    await Promise.all(ids.map((id) => saga().until(id, ({ step }) => step === 'shipping')));
    await setSwitch(saga(), 'carrier', 'running');
    const samples: { atMs: number; count: number }[] = [];
    const startedMs = performance.now();
    for (let count = 0; count < ids.length;) {
      count = await created();
      samples.push({ atMs: performance.now() - startedMs, count });
      await inMs(25);
    }
    const within = (fromMs: number, toMs: number) => {
      const at = (ms: number) => samples.findLast(({ atMs }) => atMs <= ms)?.count ?? 0;
      return at(toMs) - at(fromMs);
    };
    const most = Math.max(...samples.map(({ atMs }) => within(atMs, atMs + 1_000)));
    const tookMs = samples.at(-1)?.atMs ?? 0;
    console.log(`Drained ${ids.length} in ${tookMs.toFixed(0)} ms, at most ${most} in a second`);
    expect(within(0, policy.slowStartMs)).toBeLessThanOrEqual(policy.slowStartPerSecond + 2);
    /* A rate may save up one second's worth. */
    expect(most).toBeLessThanOrEqual(2 * policy.maximumPerSecond + 2);
    expect(tookMs).toBeGreaterThan(2_000);
    await Promise.all(orders.map((order) => order.result()));
  });
});
