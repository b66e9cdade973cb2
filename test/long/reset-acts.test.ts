import { describe, expect, test } from 'vitest';
import { operationKeys } from '../../domain/ids.ts';
import type { OrderView } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import {
  cancelOrder,
  cancelSignal,
  getOrder,
  setShippingAddress,
  shippingAddressSignal,
  updatePayment,
} from '../../workflows/messages.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import { beforeFirstUpdate, firstTask, resetRun } from '../support/reset-run.ts';
import { createBreakableDeps } from '../e2e/breakable-deps.ts';
import {
  act,
  auditedActs,
  booksOf,
  newOrderId,
  refusalOf,
  sagaSuite,
  type StartedOrder,
} from '../e2e/saga-suite.ts';
import { createStoreSwitch } from '../e2e/switchable-store.ts';

const breakable = createBreakableDeps();
const refusedAtLabel = { ...goodAddress, street1: 'LABEL-REFUSED 1' };
const declined = 'pm_card_chargeDeclined';
const isHeld = ({ hold }: OrderView): boolean => hold !== undefined;
const isShipped = ({ shipment }: OrderView): boolean => shipment !== undefined;

const correct = (order: Pick<StartedOrder, 'executeUpdate'>) =>
  order.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });

describe("acts on an order after Temporal's reset", () => {
  const saga = sagaSuite({ wrap: breakable.wrap });

  /** An order that cannot complete until it is let go. */
  async function start(checkout: object, policy: PolicyChanges = {}) {
    const orderId = newOrderId();
    const key = operationKeys.completeOrder(orderId);
    breakable.keys.add(key);
    const order = await saga().start({ ...checkout, orderId }, policy);
    return { order, orderId, letGo: () => breakable.keys.delete(key) };
  }

  /** Its label is bought, for an address that was corrected. */
  async function shippedElsewhere(way: 'update' | 'signal' = 'update') {
    const started = await start({ shippingAddress: refusedAtLabel });
    await saga().until(started.orderId, isHeld);
    if (way === 'update') await correct(started.order);
    else await started.order.signal(shippingAddressSignal, { ...act, address: goodAddress });
    await saga().until(started.orderId, isShipped);
    return started;
  }

  const numbersOf = async ({ orderId }: Pick<StartedOrder, 'orderId'>) => {
    const { ledger, provider } = await booksOf(saga(), orderId);
    return {
      payments: ledger.payments.map(({ n }) => n),
      shipments: ledger.shipments.map(({ n }) => n),
      charged: provider.charged.length,
      labels: provider.labels.length,
    };
  };

  test.each(['update', 'signal'] as const)(
    'a corrected address that was shipped to, by %s, is applied again and buys no other label',
    async (way) => {
      const { order, letGo } = await shippedElsewhere(way);
      const run = await resetRun(saga(), order, firstTask);
      await until(() => run.query(getOrder), isShipped);
      letGo();
      expect(await run.result()).toMatchObject({ status: 'completed' });
      await saga().check(order.orderId);
      expect(await numbersOf(order)).toEqual({ payments: [1], shipments: [1, 2], charged: 1, labels: 1 });
    },
  );

  test('another card that was charged is applied again, and nothing is charged or numbered anew', async () => {
    const { order, orderId, letGo } = await start({ paymentMethodId: declined });
    await saga().until(orderId, isHeld);
    await order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
    await saga().until(orderId, isShipped);
    const run = await resetRun(saga(), order, firstTask);
    letGo();
    expect(await run.result()).toMatchObject({ status: 'completed' });
    await saga().check(orderId);
    expect(await numbersOf(order)).toEqual({ payments: [1, 2], shipments: [1], charged: 1, labels: 1 });
  });

  test.each([
    ['before everything', firstTask],
    ['to the hold that the order was in', beforeFirstUpdate],
  ])('a cancel that came after the label stays refused, reset %s', async (_, point) => {
    const { order, orderId, letGo } = await shippedElsewhere();
    await order.signal(cancelSignal, act);
    await until(
      () => auditedActs(saga(), orderId, 'cancel'),
      (acts) => acts.length === 1,
    );
    const run = await resetRun(saga(), order, point);
    await until(
      () => auditedActs(saga(), orderId, 'cancel'),
      (acts) => acts.length === 2,
    );
    letGo();
    expect(await run.result()).toMatchObject({ status: 'completed' });
    await saga().check(orderId);
    expect(await auditedActs(saga(), orderId, 'cancel')).toEqual(
      Array(2).fill(expect.stringMatching(/^refused: Shipping has started/)),
    );
    expect(await numbersOf(order)).toEqual({ payments: [1], shipments: [1, 2], charged: 1, labels: 1 });
  });

  test("a cancel of Temporal's own that came after the label stays refused as well", async () => {
    const { order, orderId, letGo } = await shippedElsewhere();
    const run = await resetRun(saga(), order, beforeFirstUpdate);
    await run.cancel();
    await until(
      () => auditedActs(saga(), orderId, 'cancel'),
      (acts) => acts.length === 1,
    );
    letGo();
    expect(await run.result()).toMatchObject({ status: 'completed' });
    await saga().check(orderId);
  });

  test('a cancel in the new run is accepted as long as nothing was shipped, and told when it was', async () => {
    const { order, orderId } = await start({ shippingAddress: refusedAtLabel });
    await saga().until(orderId, isHeld);
    await correct(order);
    await saga().until(orderId, isShipped);
    const shipped = await resetRun(saga(), order, beforeFirstUpdate);
    expect(await refusalOf(shipped.executeUpdate(cancelOrder, { args: [act] }))).toMatch(
      /Shipping has started/,
    );
    breakable.keys.delete(operationKeys.completeOrder(orderId));
    expect(await shipped.result()).toMatchObject({ status: 'completed' });

    const held = await saga().start({ paymentMethodId: declined });
    await saga().until(held.orderId, isHeld);
    const run = await resetRun(saga(), held, firstTask);
    expect(await run.executeUpdate(cancelOrder, { args: [act] })).toMatchObject({
      cancelRequested: { actor: act.actor },
    });
    expect(await run.result()).toMatchObject({ status: 'cancelled' });
    await saga().check(orderId, held.orderId);
  });

  test('an order that has ended and is reset into a hold shows its end, and the hold no more', async () => {
    const { order, letGo } = await shippedElsewhere();
    letGo();
    await order.result();
    const run = await resetRun(saga(), order, beforeFirstUpdate);
    expect(await run.result()).toMatchObject({ status: 'completed' });
    const view = await run.query(getOrder);
    expect(view).toMatchObject({ status: 'completed', sagaState: 'ended' });
    expect(view).not.toHaveProperty('hold');
  });

  test.each(['an act', 'the deadline'])(
    'a shipped order that is reset into a hold goes on from it when %s comes, and is not taken back',
    async (what) => {
      const { order, orderId } = await start(
        { shippingAddress: refusedAtLabel },
        { holdAddressMs: what === 'an act' ? 60_000 : 6_000 },
      );
      await saga().until(orderId, isHeld);
      await correct(order);
      await saga().until(orderId, isShipped);
      const run = await resetRun(saga(), order, beforeFirstUpdate, { alone: true });
      breakable.keys.delete(operationKeys.completeOrder(orderId));
      if (what === 'an act') {
        await until(() => run.query(getOrder), isHeld);
        const answer = run.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
        expect(await refusalOf(answer)).toMatch(/Shipping has started/);
      }
      expect(await run.result()).toMatchObject({ status: 'completed' });
      await saga().check(orderId);
      expect(await numbersOf(order)).toEqual({ payments: [1], shipments: [1, 2], charged: 1, labels: 1 });
    },
  );
});

describe("acts on an order after Temporal's reset while SQL is away", () => {
  const sql = createStoreSwitch();
  const saga = sagaSuite({ wrap: (deps) => sql.wrap(breakable.wrap(deps)) });

  /** Resets the order to its first task, and cancels it in the new run before SQL can say how far it had come. */
  async function cancelUnseen(order: StartedOrder) {
    sql.away = true;
    const run = await resetRun(saga(), order, firstTask);
    const answer = await run.executeUpdate(cancelOrder, { args: [act] });
    expect(answer.pending).toEqual(['cancel']);
    sql.away = false;
    return run;
  }

  test('a cancel of a shipped order is pending, and refused once when SQL answers', async () => {
    const orderId = newOrderId();
    const key = operationKeys.completeOrder(orderId);
    breakable.keys.add(key);
    const order = await saga().start({ orderId });
    await saga().until(orderId, isShipped);
    const run = await cancelUnseen(order);
    const cancels = () => auditedActs(saga(), orderId, 'cancel');
    await until(cancels, (acts) => acts.length > 0);
    breakable.keys.delete(key);
    expect(await run.result()).toMatchObject({ status: 'completed' });
    expect(await cancels()).toEqual([expect.stringMatching(/^refused: Shipping has started/)]);
    await saga().check(orderId);
  });

  test('a cancel of an order that is not shipped is pending, and has its effect when SQL answers', async () => {
    const order = await saga().start({ paymentMethodId: declined });
    await saga().until(order.orderId, isHeld);
    const run = await cancelUnseen(order);
    expect(await run.result()).toMatchObject({ status: 'cancelled' });
    await saga().check(order.orderId);
  });
});
