import type { UpdateDefinition } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import type { OrderId } from '../../domain/ids.ts';
import type { Address, OrderView, ResolveInput, SagaState } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import {
  approveOrder,
  cancelOrder,
  extendHold,
  resolveParked,
  setShippingAddress,
  updatePayment,
} from '../../workflows/messages.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import { casesFixture } from '../support/cases-fixture.ts';
import { createBreakableDeps } from './breakable-deps.ts';
import { act, booksOf, newOrderId, sagaSuite, type StartedOrder } from './saga-suite.ts';
import { createStoreSwitch } from './switchable-store.ts';
import type { Act } from '../../domain/order-run.ts';

const small = { attemptTimeoutMs: 1_000, budgetMs: 1_000, maximumIntervalMs: 100 };
const otherAddress: Address = { ...goodAddress, street1: '7 Other Road' };
const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;
const approval: PolicyChanges = { approval: { aboveMinor: { INR: 0 } } };

describe('an act that is accepted right before its run is terminated', () => {
  const broken = createBreakableDeps();
  const saga = sagaSuite({ wrap: broken.wrap });

  const waits = {
    'a declined card': { paymentMethodId: 'pm_card_chargeDeclined' },
    'an authentication': { paymentMethodId: 'pm_card_authenticationRequired' },
    'a refused address': { shippingAddress: { ...goodAddress, street1: 'UNDELIVERABLE 1' } },
    'an address refused at the label': { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED 1' } },
    approval: {},
  };
  type Wait = keyof typeof waits;

  async function held(wait: Wait): Promise<StartedOrder> {
    const order = await saga().start(waits[wait], wait === 'approval' ? approval : {});
    await isNoted(order.orderId, 'held');
    return order;
  }

  /** Also in SQL, so that nothing is on its way there any more. */
  async function isNoted(orderId: OrderId, sagaState: SagaState): Promise<void> {
    await until(
      () => row(orderId),
      (known) => known?.sagaState === sagaState,
    );
  }

  /** The act's own row alone is in SQL: nothing else that its run writes of it gets there. */
  async function accept<Args extends [Act]>(
    order: StartedOrder,
    update: UpdateDefinition<OrderView, Args>,
    ...args: Args
  ): Promise<void> {
    broken.noteless.add(order.firstExecutionRunId);
    const actId = `${update.name}-1`;
    await order.executeUpdate(update, { args, updateId: actId });
    await until(
      () => saga().deps.store.read.acts(order.orderId),
      (acts) => acts.some((one) => one.actId === actId && one.state === 'accepted'),
    );
  }

  /** The run is gone before it can do anything with what it has just accepted. */
  async function again(order: StartedOrder) {
    await order.terminate('by mistake');
    const audit = await saga().deps.store.read.audit(`order:${order.orderId}`);
    expect(audit.at(-1)).toMatchObject({ to: expect.stringMatching(/^(accepted|asked)$/) });
    const cases = casesFixture(saga());
    expect(await cases.act(order.orderId, 'restart')).toMatchObject({ status: 202 });
    return cases;
  }

  const row = (orderId: OrderId) => saga().deps.store.transaction((tx) => tx.orders.find(orderId));
  const recovered = (orderId: OrderId) =>
    until(
      () => saga().deps.store.read.audit(`order:${orderId}`),
      (rows) => rows.some(({ from }) => from === 'restart'),
    );

  test.each(Object.keys(waits) as Wait[])(
    'a cancel while %s is waited for takes the order back',
    async (wait) => {
      const order = await held(wait);
      await accept(order, cancelOrder, act);
      const cases = await again(order);
      expect(await cases.end(order.orderId)).toMatchObject({ status: 'cancelled' });
      await saga().check(order.orderId);
      expect(await saga().deps.store.read.acts(order.orderId)).toMatchObject([
        { actId: 'cancel-1', name: 'cancel', state: 'done' },
      ]);
    },
  );

  test.each(Object.keys(waits) as Wait[])(
    'an address while %s is waited for is where it goes',
    async (wait) => {
      const order = await held(wait);
      await accept(order, setShippingAddress, { ...act, address: otherAddress });
      await again(order);
      await recovered(order.orderId);
      expect((await row(order.orderId))?.shippingAddress.street1).toBe(otherAddress.street1);
      const run = saga().client.workflow.getHandle(order.workflowId);
      if (wait === 'a refused address' || wait === 'an address refused at the label') {
        expect(await run.result()).toMatchObject({ status: 'completed' });
        expect((await booksOf(saga(), order.orderId)).ledger.shipments.at(-1)).toMatchObject({
          n: 2,
          state: 'bought',
        });
      } else {
        await saga().until(order.orderId, isHeld);
        await run.executeUpdate(cancelOrder, { args: [act] });
        expect(await run.result()).toMatchObject({ status: 'cancelled' });
      }
      await saga().check(order.orderId);
    },
  );

  test.each(['a declined card', 'an authentication'] as const)(
    'a card while %s is waited for is the one that is charged',
    async (wait) => {
      const order = await held(wait);
      await accept(order, updatePayment, { ...act, paymentMethodId: 'pm_card_visa' });
      const cases = await again(order);
      expect(await cases.end(order.orderId)).toMatchObject({ status: 'completed' });
      await saga().check(order.orderId);
      expect((await row(order.orderId))?.paymentMethodId).toBe('pm_card_visa');
    },
  );

  test('an approval lets the order pass', async () => {
    const order = await held('approval');
    await accept(order, approveOrder, act);
    const cases = await again(order);
    expect(await cases.end(order.orderId)).toMatchObject({ status: 'completed' });
    await saga().check(order.orderId);
  });

  test.each(Object.keys(waits) as Wait[])('more time for %s is given in the next run', async (wait) => {
    const order = await held(wait);
    const { hold } = await saga().until(order.orderId, isHeld);
    const untilUtc = new Date(Date.parse(hold?.untilUtc ?? '') + 3_600_000).toISOString();
    await accept(order, extendHold, { ...act, untilUtc });
    await again(order);
    await recovered(order.orderId);
    expect((await saga().until(order.orderId, isHeld)).hold?.untilUtc).toBe(untilUtc);
    await casesFixture(saga()).ask('POST', `/orders/${order.orderId}/cancel`);
    await casesFixture(saga()).end(order.orderId);
  });

  test('another card for a parked payment is charged, another service for a parked label bought', async () => {
    const [paid, shipped] = [newOrderId(), newOrderId()];
    const break1 = async (id: OrderId, provider: 'stripe' | 'easypost', operation: string) => {
      const fault = { provider, operation, kind: 'outage', mode: '503', id, match: { orderId: id } } as const;
      await saga().addFault(fault);
    };
    await break1(paid, 'stripe', 'payment_intents.confirm');
    await break1(shipped, 'easypost', 'shipments.create');
    const payment = await saga().start(
      { orderId: paid, paymentMethodId: 'pm_card_mastercard' },
      { steps: { payment: small } },
    );
    const label = await saga().start({ orderId: shipped }, { steps: { shipping: small } });
    await Promise.all([isNoted(paid, 'parked'), isNoted(shipped, 'parked')]);
    const resolve = (order: StartedOrder, input: ResolveInput) =>
      accept(order, resolveParked, { ...act, action: 'retry-with', input });
    await resolve(payment, { paymentMethodId: 'pm_card_visa' });
    await resolve(label, { service: 'Priority' });
    await again(payment);
    const cases = await again(label);
    await Promise.all([saga().removeFault(paid), saga().removeFault(shipped)]);
    expect(await cases.end(paid)).toMatchObject({ status: 'completed' });
    expect(await cases.end(shipped)).toMatchObject({ status: 'completed' });
    expect((await row(paid))?.paymentMethodId).toBe('pm_card_visa');
    expect((await booksOf(saga(), shipped)).view.shipment?.service).toBe('Priority');
    await saga().check(paid);
    await saga().check(shipped);
  });
});

describe('acts while SQL is away', () => {
  const sql = createStoreSwitch();
  const saga = sagaSuite({ wrap: sql.wrap });

  test('are pending, never refused for their number, and on record once SQL answers', async () => {
    const order = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
    await saga().until(order.orderId, isHeld);
    sql.away = true;
    const untils = Array.from({ length: 14 }, (_, n) =>
      new Date(Date.now() + (2 + n / 10) * 3_600_000).toISOString(),
    );
    const states: unknown[] = [];
    for (const untilUtc of untils) {
      const id = `extend-${untilUtc}`;
      const view = await order.executeUpdate(extendHold, { args: [{ ...act, untilUtc }], updateId: id });
      states.push(view.act?.state);
    }
    expect(new Set(states)).toEqual(new Set(['pending']));
    sql.away = false;
    const acts = () => saga().deps.store.read.acts(order.orderId);
    const known = await until(acts, (rows) => rows.filter(({ state }) => state === 'done').length === 14);
    expect(known).toHaveLength(14);
    expect((await saga().until(order.orderId, isHeld)).hold?.untilUtc).toBe(untils.at(-1));
    await order.executeUpdate(cancelOrder, { args: [act] });
    expect(await order.result()).toMatchObject({ status: 'cancelled' });
    await saga().check(order.orderId);
  });

  test('are taken over from the history of a run that was terminated before SQL had them', async () => {
    sql.away = false;
    const order = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
    await saga().until(order.orderId, isHeld);
    sql.away = true;
    const address = { ...act, address: otherAddress };
    await order.executeUpdate(setShippingAddress, { args: [address], updateId: 'address-1' });
    await order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
    await order.terminate('by mistake');
    sql.away = false;
    const cases = casesFixture(saga());
    expect(await cases.act(order.orderId, 'restart')).toMatchObject({ status: 202 });
    expect(await cases.end(order.orderId)).toMatchObject({ status: 'completed' });
    await saga().check(order.orderId);
    const { ledger } = await booksOf(saga(), order.orderId);
    expect(ledger.shipments.map(({ n }) => n)).toEqual([2]);
    const acts = await saga().deps.store.read.acts(order.orderId);
    expect(acts.map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual([
      'payment done',
      'shipping-address done',
    ]);
  });
});
