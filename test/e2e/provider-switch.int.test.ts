import { describe, expect, test } from 'vitest';
import type { ProviderName } from '../../domain/providers.ts';
import { approveOrder, cancelOrder, cancelSignal, resolveParked } from '../../workflows/messages.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import { firstTask, resetRun } from '../support/reset-run.ts';
import { inMs, providerEnv, requestsTo, setSwitch } from './provider-suite.ts';
import {
  act,
  auditedActs,
  booksOf,
  detailsOf,
  eventsOf,
  expectCanceledRun,
  expectEnd,
  newOrderId,
  sagaSuite,
  type StartedOrder,
} from './saga-suite.ts';

const quickAddress = { address: { budgetMs: 200, attemptTimeoutMs: 150 } };
/** Ends long before the pause does. */
const smallShipping = { shipping: { budgetMs: 1_200, attemptTimeoutMs: 1_100 } };

describe('while an operator has paused a provider', () => {
  const saga = sagaSuite({ env: providerEnv({}) });
  const pending = async (order: StartedOrder) => (await order.describe()).raw.pendingActivities ?? [];
  const stopped = (provider: ProviderName) =>
    until(
      async () => saga().deps.providers.pace(provider),
      (pace) => pace === 'stopped',
    );
  const waits = ({ orderId }: StartedOrder) =>
    saga().until(orderId, ({ waitingFor }) => waitingFor !== undefined);

  test('orders are taken and paid, and wait without an attempt until it is resumed', async () => {
    await setSwitch(saga(), 'carrier', 'paused');
    await stopped('carrier');
    await inMs(300);
    const before = await requestsTo(saga(), 'easypost');
    const orders = await Promise.all([1, 2, 3].map(() => saga().start({}, { steps: quickAddress })));
    await Promise.all(orders.map(({ orderId }) => saga().until(orderId, ({ step }) => step === 'shipping')));
    await inMs(1_000);
    expect((await requestsTo(saga(), 'easypost')) - before).toBe(0);
    for (const order of orders) {
      expect(await pending(order)).toEqual([expect.objectContaining({ attempt: 1, lastStartedTime: null })]);
    }
    await setSwitch(saga(), 'carrier', 'running');
    for (const order of orders) await expectEnd(saga(), order, { status: 'completed' });
  });

  test('a budget that ends meanwhile parks nothing, and people see what the order waits for', async () => {
    await setSwitch(saga(), 'carrier', 'paused');
    await stopped('carrier');
    const start = () => saga().start({}, { steps: { ...quickAddress, ...smallShipping } });
    const [goesOn, given] = [await start(), await start()];
    const view = await waits(goesOn);
    expect(view).toMatchObject({
      sagaState: 'running',
      step: 'shipping',
      waitingFor: { provider: 'carrier', state: 'paused', reason: 'maintenance' },
    });
    expect(await detailsOf(goesOn)).toMatch(/Waits for carrier, paused since .*: maintenance/);
    await inMs(1_400);
    await waits(given);
    await given.executeUpdate(cancelOrder, { args: [act] });
    await setSwitch(saga(), 'carrier', 'running');
    await expectEnd(saga(), goesOn, { status: 'completed' });
    await expectEnd(saga(), given, { status: 'cancelled' });
    expect(await eventsOf(saga(), goesOn.orderId)).not.toContain('order.parked');
    expect(await auditedActs(saga(), goesOn.orderId, 'budget of carrier')).toEqual([
      expect.stringMatching(/^waits: paused since .*: maintenance$/),
    ]);
  });

  test('a service that the carrier does not have parks the order again, also right after a pause', async () => {
    const orderId = newOrderId();
    const carrier = { provider: 'easypost', operation: 'shipments.buy', match: { orderId } } as const;
    await saga().addFault({ ...carrier, id: `refuses-${orderId}`, kind: 'error', status: 402 });
    const steps = { ...quickAddress, shipping: { budgetMs: 4_000, attemptTimeoutMs: 1_100 } };
    const order = await saga().start({ orderId }, { steps });
    await saga().until(orderId, ({ parked }) => parked?.activity === 'shipping');
    await setSwitch(saga(), 'carrier', 'paused');
    await stopped('carrier');
    await saga().removeFault(`refuses-${orderId}`);
    await setSwitch(saga(), 'carrier', 'running');
    const wish = { ...act, action: 'retry-with', input: { service: 'Sleigh' } } as const;
    await order.executeUpdate(resolveParked, { args: [wish] });
    await saga().until(orderId, ({ parked }) => parked?.failureType === 'ServiceNotOffered');
    expect((await booksOf(saga(), orderId)).provider.labels).toEqual([]);
    await order.executeUpdate(cancelOrder, { args: [act] });
    await expectEnd(saga(), order, { status: 'cancelled' });
  });

  test('an order whose label was not asked for is cancelled at once, and its money goes back meanwhile', async () => {
    await setSwitch(saga(), 'carrier', 'paused');
    await stopped('carrier');
    await inMs(300);
    const before = await requestsTo(saga(), 'easypost');
    const start = () => saga().start({}, { steps: quickAddress });
    const orders = await Promise.all([start(), start(), start(), start()]);
    const [byUpdate, twice, bySignal, byTemporal] = orders;
    await Promise.all(orders.map(({ orderId }) => saga().until(orderId, ({ step }) => step === 'shipping')));
    const cancel = (order: StartedOrder) => order.executeUpdate(cancelOrder, { args: [act] });
    await byTemporal.cancel();
    await expectCanceledRun(saga(), byTemporal);
    await cancel(byUpdate);
    await Promise.allSettled([cancel(twice), cancel(twice)]);
    await bySignal.signal(cancelSignal, act);
    for (const order of [byUpdate, twice, bySignal]) {
      const { provider } = await expectEnd(saga(), order, { status: 'cancelled' });
      expect(provider).toMatchObject({ labels: [], refunded: [expect.anything()] });
    }
    expect((await requestsTo(saga(), 'easypost')) - before).toBe(0);
    await setSwitch(saga(), 'carrier', 'running');
  });

  test('another act is refused with the cancel that is still to be had', async () => {
    await setSwitch(saga(), 'carrier', 'paused');
    await stopped('carrier');
    const order = await saga().start({}, { steps: quickAddress });
    await saga().until(order.orderId, ({ step }) => step === 'shipping');
    const refused = order.executeUpdate(approveOrder, { args: [act] }).catch((error: unknown) => error);
    expect(await refused).toMatchObject({ cause: { details: ['act_refused', ['cancel']] } });
    await order.executeUpdate(cancelOrder, { args: [act] });
    await setSwitch(saga(), 'carrier', 'running');
    await expectEnd(saga(), order, { status: 'cancelled' });
  });

  test.each(['an update', "Temporal's own cancel"])(
    'a label that was tried once and waits is stopped by %s after a reset as well',
    async (way) => {
      const orderId = newOrderId();
      const down = {
        provider: 'easypost',
        operation: 'shipments.create',
        kind: 'error',
        status: 503,
      } as const;
      await saga().addFault({ ...down, id: orderId, match: { orderId } });
      const shipping = { budgetMs: 60_000, attemptTimeoutMs: 1_000 };
      const order = await saga().start({ orderId }, { steps: { ...quickAddress, shipping } });
      await until(
        async () => (await booksOf(saga(), orderId)).ledger.shipments,
        (shipments) => shipments.length > 0,
      );
      await setSwitch(saga(), 'carrier', 'paused');
      await stopped('carrier');
      await inMs(2_500);
      const run = await resetRun(saga(), order, firstTask);
      if (way === 'an update') await run.executeUpdate(cancelOrder, { args: [act] });
      else await run.cancel();
      /* The money goes back at once; whether somebody bought a label by hand is asked once the carrier can be. */
      await until(
        async () => (await booksOf(saga(), orderId)).ledger.refunds,
        (refunds) => refunds.length > 0,
      );
      await setSwitch(saga(), 'carrier', 'running');
      await run.result().catch(() => undefined);
      expect((await booksOf(saga(), orderId)).view.status).toBe('cancelled');
      await saga().check(orderId);
    },
  );

  test('a refund waits as well, is not parked, and is made once the provider is resumed', async () => {
    const order = await saga().start(
      { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED' } },
      { compensation: { budgetMs: 1_500 } },
    );
    await saga().until(order.orderId, ({ hold }) => hold !== undefined);
    await setSwitch(saga(), 'payments', 'paused');
    await stopped('payments');
    const before = await requestsTo(saga(), 'stripe');
    await order.executeUpdate(cancelOrder, { args: [act] });
    const view = await waits(order);
    expect(view).toMatchObject({ sagaState: 'compensating', waitingFor: { provider: 'payments' } });
    expect((await requestsTo(saga(), 'stripe')) - before).toBe(0);
    await setSwitch(saga(), 'payments', 'running');
    const { provider } = await expectEnd(saga(), order, { status: 'cancelled' });
    expect(provider.refunded).toHaveLength(1);
    expect(await eventsOf(saga(), order.orderId)).not.toContain('order.parked');
  });
});
