import { describe, expect, test } from 'vitest';
import type { PolicyChanges } from '../../domain/policy.ts';
import { cancelOrder, setShippingAddress } from '../../workflows/messages.ts';
import { goodAddress, until } from '../setup/saga-environment.ts';
import { bankOf } from '../support/customer-bank.ts';
import { act, booksOf, expectEnd, refusalOf, sagaSuite, shownOf, type StartedOrder } from './saga-suite.ts';

const charged = [
  'order.created',
  'inventory.reserved',
  'payment.processed',
  'fulfillment.created',
  'order.held',
];
const back = ['fulfillment.cancelled', 'inventory.released', 'order.failed'];

describe('an order whose charge is not kept when its label is to be bought', () => {
  const saga = sagaSuite();

  const bank = () => bankOf(saga());
  /** Charged, and held for its address right before the label. */
  const start = async (policy: PolicyChanges = {}) => {
    const shippingAddress = { ...goodAddress, street1: 'LABEL-REFUSED 1' };
    const order = await saga().start({ shippingAddress }, policy);
    await saga().until(order.orderId, ({ hold }) => hold?.status === 'address_rejected');
    return order;
  };
  const goOn = (order: StartedOrder) =>
    order.executeUpdate(setShippingAddress, { args: [{ ...act, address: goodAddress }] });
  const disputed = async (policy: PolicyChanges = {}) => {
    const order = await start(policy);
    const id = await bank().dispute(order.orderId);
    await goOn(order);
    const { hold } = await saga().until(order.orderId, (view) => view.hold?.status === 'payment_disputed');
    return { order, id, hold };
  };
  /** What the order owes goes back, or not, when the dispute is decided. */
  const untilNothingOwed = ({ orderId }: StartedOrder) =>
    until(
      async () => (await booksOf(saga(), orderId)).ledger.refunds,
      (refunds) => refunds.every(({ state }) => state !== 'owed'),
    );
  const labels = async ({ orderId }: StartedOrder) => (await booksOf(saga(), orderId)).provider.labels;

  test.concurrent(
    'waits while the bank has the money, says so, and ships when the dispute is won',
    async () => {
      const { order, id, hold } = await disputed();
      expect(hold).toMatchObject({
        failureType: 'PaymentDisputed',
        reason: expect.stringContaining(id) as string,
      });
      expect(Date.parse(hold?.untilUtc ?? '') - Date.parse(hold?.sinceUtc ?? '')).toBe(7 * 24 * 3_600_000);
      expect(await shownOf(order)).toMatchObject({
        orderStatus: 'payment_disputed',
        sagaState: 'held',
        details: expect.stringMatching(/goes on by itself when the customer's bank has decided/) as string,
      });
      expect(
        await refusalOf(order.executeUpdate('payment', { args: [{ ...act, paymentMethodId: 'pm_x' }] })),
      ).toMatch(/payment_disputed/);
      expect(await labels(order)).toEqual([]);
      await saga().check(order.orderId);
      await bank().decide(id, 'won');
      await bank().notice({ kind: 'dispute', id });
      await expectEnd(saga(), order, {
        status: 'completed',
        events: [
          ...charged.slice(0, 4),
          'order.held',
          'payment.disputed',
          'order.shipping_suspended',
          'dispute.closed',
          'shipment.generated',
          'order.completed',
        ],
      });
      expect(await labels(order)).toHaveLength(1);
    },
  );

  test.concurrent('asks the provider by itself when no notice comes', async () => {
    const { order, id } = await disputed({ actionPollMs: 10 });
    await bank().decide(id, 'won');
    await expectEnd(saga(), order, { status: 'completed' });
  });

  test.concurrent('is taken back when the dispute is lost, and nothing goes back twice', async () => {
    const { order, id } = await disputed();
    await bank().decide(id, 'lost');
    await bank().notice({ kind: 'dispute', id });
    const { provider } = await expectEnd(saga(), order, {
      status: 'failed',
      failure: 'PaymentDisputed',
      events: [...charged, 'payment.disputed', 'order.shipping_suspended', 'dispute.closed', ...back],
    });
    expect(provider).toMatchObject({ refunded: [], labels: [] });
  });

  test.concurrent('is cancelled out of the hold, or at its deadline, without a label', async () => {
    const [cancelled, late] = await Promise.all([disputed(), disputed({ holdDisputeMs: 300 })]);
    await cancelled.order.executeUpdate(cancelOrder, { args: [act] });
    for (const { order, id } of [cancelled, late]) {
      await order.result();
      await bank().followDebts();
      await bank().decide(id, 'lost');
      await bank().notice({ kind: 'dispute', id });
      await untilNothingOwed(order);
    }
    await expectEnd(saga(), cancelled.order, { status: 'cancelled' });
    await expectEnd(saga(), late.order, { status: 'failed', failure: 'PaymentDisputed' });
    expect([await labels(cancelled.order), await labels(late.order)]).toEqual([[], []]);
  });

  test.concurrent('takes a corrected address while it waits, and ships there', async () => {
    const { order, id, hold } = await disputed();
    const address = { ...goodAddress, street1: '14 Residency Road' };
    await order.executeUpdate(setShippingAddress, { args: [{ ...act, address }] });
    /* The carrier looks at it first, and the order waits anew. */
    await saga().until(
      order.orderId,
      (view) => view.hold?.status === 'payment_disputed' && view.hold.sinceUtc !== hold?.sinceUtc,
    );
    await bank().decide(id, 'won');
    await bank().notice({ kind: 'dispute', id });
    const { ledger } = await expectEnd(saga(), order, { status: 'completed' });
    expect(ledger.shipments.at(-1)).toMatchObject({ n: 3, state: 'bought' });
  });

  test.concurrent('ships while the bank only inquires', async () => {
    const order = await start();
    await bank().dispute(order.orderId, true);
    await goOn(order);
    await expectEnd(saga(), order, { status: 'completed' });
  });

  test.concurrent('is taken back when all of it was refunded at the provider’s desk', async () => {
    const order = await start();
    const intent = await bank().intentOf(order.orderId);
    const response = await fetch(`${saga().sandbox.url}/v1/refunds`, {
      method: 'POST',
      headers: { authorization: `Bearer ${saga().config.STRIPE_SECRET_KEY}` },
      body: new URLSearchParams({ payment_intent: intent }),
    });
    const { id } = (await response.json()) as { id: string };
    await bank().notice({ kind: 'refund', id });
    await goOn(order);
    const { provider } = await expectEnd(saga(), order, {
      status: 'failed',
      failure: 'PaymentRefunded',
      events: [...charged, 'payment.refunded', ...back],
    });
    expect(provider.labels).toEqual([]);
    expect(provider.refunded).toHaveLength(1);
  });
});
