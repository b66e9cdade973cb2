import { describe, expect, test } from 'vitest';
import { operationKeys } from '../../domain/ids.ts';
import { casesFixture } from '../support/cases-fixture.ts';
import { createBreakableDeps } from './breakable-deps.ts';
import { booksOf, newOrderId, sagaSuite, type StartedOrder } from './saga-suite.ts';

const breakable = createBreakableDeps();

describe('cases: orders that have lost their run', () => {
  const saga = sagaSuite({ wrap: breakable.wrap });
  const caseFixture = () => casesFixture(saga());

  /** An order whose run was terminated right after its charge. */
  async function lost() {
    const orderId = newOrderId();
    const key = operationKeys.createFulfillment(orderId);
    breakable.keys.add(key);
    const order = await saga().start({ orderId });
    await saga().until(orderId, ({ step }) => step === 'fulfillment');
    await order.terminate('by an operator');
    await new Promise((resolve) => setTimeout(resolve, 700));
    breakable.keys.delete(key);
    return order;
  }

  const listed = async (orderId: string) =>
    (await caseFixture().list()).body.cases?.find((one) => one.orderId === orderId);

  test('a sweep finds them once and tells people; orders with a run and ended ones are left alone', async () => {
    const held = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
    const ended = await saga().start();
    await ended.result();
    const order = await lost();
    const { orderId } = order;
    const effects = (of: StartedOrder) => caseFixture().runs.effects(of.orderId, of.firstExecutionRunId);
    expect(await effects(held)).toEqual({ charged: false, labelBought: false });
    expect(await effects(order)).toEqual({ charged: true, labelBought: false });
    expect(await effects(ended)).toEqual({ charged: true, labelBought: true });
    const rows = () => saga().deps.store.read.audit(`order:${held.orderId}`);
    const before = (await rows()).length;
    await caseFixture().sweep();
    await caseFixture().sweep();
    expect(await listed(orderId)).toMatchObject({
      status: 'payment_processed',
      acts: ['restart', 'compensate'],
      failure: `Temporal closed run ${order.firstExecutionRunId} (TERMINATED) while the order was open; nothing was taken back`,
    });
    const { events, audit } = await booksOf(saga(), orderId);
    expect(events.at(-1)).toMatchObject({ eventType: 'order.parked.v1', payload: { activity: 'run' } });
    expect(audit.filter(({ actor }) => actor === 'sweep')).toHaveLength(1);
    await saga().check(orderId);
    const path = `/orders/${orderId}`;
    expect((await caseFixture().ask('GET', path)).body).toMatchObject({
      source: 'store',
      parked: { activity: 'run' },
    });
    const cancelled = await caseFixture().ask('POST', `${path}/cancel`, { reason: 'ordered twice' });
    expect(cancelled).toMatchObject({ status: 409, body: { code: 'run_lost' } });
    expect(await listed(held.orderId)).toBeUndefined();
    expect(await rows()).toHaveLength(before);
    expect((await booksOf(saga(), ended.orderId)).view.status).toBe('completed');

    expect((await caseFixture().act(orderId, 'restart')).status).toBe(202);
    await caseFixture().end(orderId);
    expect(await listed(orderId)).toBeUndefined();
    await held.terminate();
    expect((await caseFixture().act(held.orderId, 'compensate')).status).toBe(202);
    await caseFixture().end(held.orderId);
  });

  test('of several operators at once one wins, and the others are told', async () => {
    const order = await lost();
    const acts = ['restart', 'compensate', 'restart', 'compensate'] as const;
    const answers = await Promise.all(acts.map((act) => caseFixture().act(order.orderId, act)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409, 409, 409]);
    for (const { status, body } of answers) {
      if (status === 409) expect(body.detail).toMatch(/its run is open|just started it again|has ended/);
    }
    await caseFixture().end(order.orderId);
    await saga().check(order.orderId);
  });

  test('an order with a run, an ended one and an unknown one are refused', async () => {
    const order = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
    await saga().until(order.orderId, ({ hold }) => hold !== undefined);
    expect(await caseFixture().act(order.orderId, 'restart')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('its run is open') },
    });
    await order.cancel();
    await order.result().catch(() => undefined);
    expect(await caseFixture().act(order.orderId, 'restart')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('has ended: cancelled') },
    });
    expect((await caseFixture().act(newOrderId(), 'restart')).status).toBe(404);
  });
});
