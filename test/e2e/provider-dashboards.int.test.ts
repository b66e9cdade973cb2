import { describe, expect, test } from 'vitest';
import { tellOrder } from '../../api/orders/story/order-story.ts';
import type { EmailTask } from '../../domain/email-task.ts';
import type { OrderView } from '../../domain/order.ts';
import type { PolicyChanges } from '../../domain/policy.ts';
import {
  approveOrder,
  cancelOrder,
  extendHold,
  resolveParked,
  setShippingAddress,
  updatePayment,
  type ResolveParked,
} from '../../workflows/messages.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import { bankOf } from '../support/customer-bank.ts';
import { providerDashboard } from '../support/provider-dashboard.ts';
import { act, booksOf, expectEnd, sagaSuite, type StartedOrder } from './saga-suite.ts';

const labelRefused = { shippingAddress: { ...goodAddress, street1: 'LABEL-REFUSED 1' } };
const declined = { paymentMethodId: 'pm_card_chargeDeclined' };

/* What people do at the providers' own desks while an order is held, and what the order does when it goes on. */
describe('an order that people have helped by hand while it was held', () => {
  const saga = sagaSuite();

  const dashboard = ({ orderId }: StartedOrder) => providerDashboard(saga(), orderId);
  async function held(
    overrides: object,
    status: NonNullable<OrderView['hold']>['status'],
    policy: PolicyChanges = {},
  ): Promise<{ order: StartedOrder; view: OrderView }> {
    const order = await saga().start(overrides, policy);
    return { order, view: await saga().until(order.orderId, ({ hold }) => hold?.status === status) };
  }
  const pay = (order: StartedOrder) =>
    order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
  const correct = (order: StartedOrder) =>
    order.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
  const resolve = (order: StartedOrder, action: ResolveParked['action']) =>
    order.executeUpdate(resolveParked, { args: [{ ...act, action }] });
  async function toldOf({ orderId }: StartedOrder) {
    const { read } = saga().deps.store;
    const books = await read.money(orderId);
    if (!books) throw new Error(`Order ${orderId} has no books`);
    const rows = await read.audit(`order:${orderId}`);
    return tellOrder(rows, books, await read.events({ orderId, afterSequence: 0 }));
  }
  /** The mail that tells the customer of the end, as it waits for the relay. */
  async function endMailOf({ orderId }: StartedOrder): Promise<unknown> {
    const { outbox } = saga().deps.store;
    const owner = 'test';
    const partitions = await outbox.lease({ owner, nowUtc: new Date().toISOString(), leaseMs: 10_000 });
    const pending = await outbox.pending({ owner, partitions, limit: 5_000 });
    return pending
      .filter((one) => one.orderId === orderId && one.destination === 'queue:email-queue')
      .map(({ payload }): unknown => JSON.parse(payload))
      .find((task) => (task as EmailTask).template === 'order-ended');
  }
  const parkedWith = (order: StartedOrder, activity: string) =>
    saga().until(
      order.orderId,
      ({ parked }) => parked?.activity === activity && parked.failureType === 'FoundAtProvider',
    );

  test.concurrent.each([
    ['its card was declined', declined, 'payment_failed'],
    [
      'its customer did not authenticate',
      { paymentMethodId: 'pm_card_authenticationRequired' },
      'payment_action_required',
    ],
  ] as const)('takes their charge when %s, and tries no other card', async (_case, card, status) => {
    const { order, view } = await held(card, status, { actionPollMs: 60_000 });
    const intentId = await dashboard(order).charge(view);
    await pay(order);
    const { ledger, provider } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toMatchObject([{ intent: intentId }]);
    expect(ledger.payments.map(({ n, state }) => `${n} ${state}`)).toEqual(['1 canceled', '2 charged']);
    expect(ledger.payments[1]?.intentId).toBe(intentId);
  });

  test.concurrent('tries the other card where nobody has charged', async () => {
    const { order } = await held(declined, 'payment_failed');
    await pay(order);
    const { provider } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toHaveLength(1);
  });

  test.concurrent('waits for a person where they have charged twice, and tries no other card', async () => {
    const { order, view } = await held(declined, 'payment_failed');
    const [first, second] = [await dashboard(order).charge(view), await dashboard(order).charge(view)];
    await pay(order);
    const { parked } = await parkedWith(order, 'payment');
    expect(parked?.failure).toMatch(/2 payments that nobody here made carry its id/);
    expect((await booksOf(saga(), order.orderId)).provider.charged).toHaveLength(2);
    await dashboard(order).refund(first, 1);
    await resolve(order, 'retry');
    const { ledger } = await expectEnd(saga(), order, { status: 'completed' });
    expect(ledger.payments.at(-1)).toMatchObject({ state: 'charged', intentId: second });
  });

  test.concurrent('takes their charge when it is approved', async () => {
    const { order, view } = await held({}, 'awaiting_approval', { approval: { aboveMinor: { INR: 0 } } });
    const intentId = await dashboard(order).charge(view);
    await order.executeUpdate(approveOrder, { args: [act] });
    const { provider } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toMatchObject([{ intent: intentId }]);
  });

  test.concurrent('takes their charge when an address is corrected before anything was charged', async () => {
    const shippingAddress = { ...goodAddress, street1: 'UNDELIVERABLE 1' };
    const { order, view } = await held({ shippingAddress }, 'address_rejected');
    const intentId = await dashboard(order).charge(view);
    await correct(order);
    const { provider } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toMatchObject([{ intent: intentId }]);
  });

  test.concurrent('takes their label to the address that is corrected then, and buys none', async () => {
    const { order, view } = await held(labelRefused, 'address_rejected');
    const shipmentId = await dashboard(order).label(view);
    await correct(order);
    const { provider, ledger } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.labels).toMatchObject([{ shipment: shipmentId, refundStatus: null }]);
    expect(ledger.shipments.at(-1)).toMatchObject({ state: 'bought', providerShipmentId: shipmentId });
  });

  test.concurrent(
    'is not taken back over their label, also where it was held for an address since',
    async () => {
      const { order, view } = await held(labelRefused, 'address_rejected');
      const shipmentId = await dashboard(order).label(view);
      const address = { ...goodAddress, street1: 'UNDELIVERABLE 1' };
      await order.executeUpdate(setShippingAddress, { args: [{ ...act, address }] });
      await saga().until(
        order.orderId,
        ({ hold, step }) => hold?.status === 'address_rejected' && step === 'address',
      );
      await order.executeUpdate(cancelOrder, { args: [act] });
      await parkedWith(order, 'seekLabels');
      await dashboard(order).voidLabel(shipmentId);
      await resolve(order, 'retry');
      await expectEnd(saga(), order, { status: 'cancelled' });
    },
  );

  test.concurrent(
    'asks for their charge at another card, not at each poll for its authentication',
    async () => {
      const { order } = await held(declined, 'payment_failed', { actionPollMs: 200 });
      const paymentMethodId = 'pm_card_authenticationRequired';
      await order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId }] });
      const asked = async () => {
        const { events } = await order.fetchHistory();
        const payments = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
          scheduled?.activityType?.name === 'processPayment' ? (scheduled.input?.payloads ?? []) : [],
        );
        return payments.map(({ data }) =>
          Buffer.from(data ?? [])
            .toString()
            .includes('"asked":true'),
        );
      };
      const [own, other, ...polls] = await until(asked, ({ length }) => length >= 4);
      expect([own, other, ...new Set(polls)]).toEqual([false, true, false]);
      await order.executeUpdate(cancelOrder, { args: [act] });
      await expectEnd(saga(), order, { status: 'cancelled' });
    },
  );

  test.concurrent('waits for a person where their label goes elsewhere, and buys none', async () => {
    const { order, view } = await held(labelRefused, 'address_rejected');
    const shipmentId = await dashboard(order).label(view, { ...goodAddress, postalCode: '560001' });
    await correct(order);
    const { parked } = await parkedWith(order, 'shipping');
    expect(parked?.failure).toMatch(/another country or postal code/);
    expect((await booksOf(saga(), order.orderId)).provider.labels).toHaveLength(1);
    await dashboard(order).voidLabel(shipmentId);
    await resolve(order, 'retry');
    await expectEnd(saga(), order, { status: 'completed' });
  });

  test.concurrent('takes their label when a dispute about its charge was won', async () => {
    const { order } = await held(labelRefused, 'address_rejected');
    const dispute = await bankOf(saga()).dispute(order.orderId);
    await correct(order);
    const view = await saga().until(order.orderId, ({ hold }) => hold?.status === 'payment_disputed');
    const shipmentId = await dashboard(order).label(view);
    await bankOf(saga()).decide(dispute, 'won');
    await bankOf(saga()).notice({ kind: 'dispute', id: dispute });
    const { provider } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.labels).toMatchObject([{ shipment: shipmentId }]);
  });

  test.concurrent('keeps no charge of theirs when the hold that they extended ends', async () => {
    const { order, view } = await held(declined, 'payment_failed', { holdPaymentMs: 2_000 });
    const untilUtc = new Date(Date.parse(view.hold?.untilUtc ?? '') + 1_000).toISOString();
    await order.executeUpdate(extendHold, { args: [{ ...act, untilUtc }] });
    const intentId = await dashboard(order).charge(view);
    const { parked } = await parkedWith(order, 'seekCharges');
    expect(parked?.failure).toContain(intentId);
    await dashboard(order).refund(intentId, 1);
    await resolve(order, 'retry');
    await expectEnd(saga(), order, { status: 'failed', failure: 'CardDeclined' });
  });

  test.concurrent('keeps no label of theirs when it is canceled, unless a person says so', async () => {
    const { order, view } = await held(labelRefused, 'address_rejected');
    const shipmentId = await dashboard(order).label(view);
    await order.executeUpdate(cancelOrder, { args: [act] });
    const { parked } = await parkedWith(order, 'seekLabels');
    expect(parked?.actions).toEqual(['retry', 'skip']);
    await resolve(order, 'skip');
    await expect(order.result()).resolves.toMatchObject({ status: 'cancelled' });
    /* Nothing of it is the order's: it says that its money went back, and the checker finds the label. */
    const { story, next } = await toldOf(order);
    expect(story.join('\n')).toMatch(/at the carrier by hand[^]*Our staff left it out/);
    expect(story.join('\n')).toMatch(/The 7499.00 INR that were charged were refunded/);
    expect(next).toMatch(/the order has ended/);
    expect((await booksOf(saga(), order.orderId)).ledger.shipments).not.toMatchObject([{ state: 'bought' }]);
    await expect(saga().check(order.orderId)).rejects.toThrow(`a label that no row knows: ${shipmentId}`);
    await dashboard(order).voidLabel(shipmentId);
    await saga().check(order.orderId);
  });

  test.concurrent(
    'says of a charge that a person has left there what is known, and owes nothing',
    async () => {
      const { order, view } = await held(declined, 'payment_failed');
      const intentId = await dashboard(order).charge(view);
      await order.executeUpdate(cancelOrder, { args: [act] });
      await parkedWith(order, 'seekCharges');
      await resolve(order, 'skip');
      await expect(order.result()).resolves.toMatchObject({ status: 'cancelled' });
      const { story } = await toldOf(order);
      expect(story.at(-1)).toBe(
        'Nothing was charged but by hand: what somebody has charged at the payment provider was left there.',
      );
      const { ledger } = await booksOf(saga(), order.orderId);
      expect(ledger).toMatchObject({ payments: [{ state: 'canceled' }], refunds: [] });
      const trail = await saga().deps.store.read.audit(`order:${order.orderId}`);
      expect(trail.find(({ reason }) => reason === `skip: ${act.reason}`)).toMatchObject({
        actor: act.actor,
      });
      expect(await endMailOf(order)).toMatchObject({ template: 'order-ended', chargeLeft: true });
      await expect(saga().check(order.orderId)).rejects.toThrow(`a charge that no row knows: ${intentId}`);
      await dashboard(order).refund(intentId, 1);
      await saga().check(order.orderId);
    },
  );
});

const away = { kind: 'outage', mode: '503' } as const;
const small = { attemptTimeoutMs: 1_200, budgetMs: 2_000, initialIntervalMs: 50, maximumIntervalMs: 100 };

/* Its own providers: a list has no order's id that a fault could go by. */
describe('an order that people have helped, while a provider’s list cannot be read', () => {
  const saga = sagaSuite();

  test('is parked, and nothing is sent until it can be', async () => {
    const lists = [
      { ...away, id: 'charges', provider: 'stripe', operation: 'payment_intents.list' },
      { ...away, id: 'labels', provider: 'easypost', operation: 'shipments.list' },
    ] as const;
    for (const fault of lists) await saga().addFault(fault);
    const order = await saga().start(declined, { steps: { payment: small, shipping: small } });
    const { orderId } = order;
    const dashboard = providerDashboard(saga(), orderId);
    const isHeld = ({ hold }: OrderView) => hold !== undefined;
    const tryAgain = () => order.executeUpdate(resolveParked, { args: [{ ...act, action: 'retry' }] });

    const intent = await dashboard.charge(await saga().until(orderId, isHeld));
    await order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
    await saga().until(orderId, ({ parked }) => parked?.activity === 'payment');
    expect((await booksOf(saga(), orderId)).provider.charged).toMatchObject([{ intent }]);
    await saga().removeFault('charges');
    await tryAgain();

    const shipment = await dashboard.label(
      await saga().until(orderId, ({ parked }) => parked?.activity === 'shipping'),
    );
    expect((await booksOf(saga(), orderId)).provider.labels).toMatchObject([{ shipment }]);
    /* Until then an attempt of ours may still buy one. */
    await new Promise((over) => setTimeout(over, 2 * small.attemptTimeoutMs));
    await saga().removeFault('labels');
    await tryAgain();
    const { provider } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider).toMatchObject({ charged: [{ intent }], labels: [{ shipment }] });
  });
});
