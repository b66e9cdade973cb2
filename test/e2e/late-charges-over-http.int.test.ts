import { describe, expect, test } from 'vitest';
import { cancelOrder, updatePayment } from '../../workflows/messages.ts';
import { until } from '../setup/saga-environment.ts';
import { leaveOpen, payInTab } from '../support/customer-browser.ts';
import { apiFixture } from './api-fixture.ts';
import { act, booksOf, eventsOf, expectEnd, sagaSuite, type StartedOrder } from './saga-suite.ts';

const declinedCard = 'pm_card_chargeDeclined';
const total = 749_900;

describe('a late charge that only the provider’s webhook tells of', () => {
  const saga = sagaSuite();
  apiFixture(saga);

  const firstIntent = async ({ orderId }: StartedOrder) =>
    (await booksOf(saga(), orderId)).ledger.payments[0]?.intentId ?? '';
  const held = async (holdPaymentMs = 60_000) => {
    const order = await saga().start({ paymentMethodId: declinedCard }, { holdPaymentMs });
    await until(
      () => eventsOf(saga(), order.orderId),
      (told) => told.includes('order.held'),
    );
    return order;
  };
  const pay = (order: StartedOrder) =>
    order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });

  /** Orders that have ended after a declined card, and how many charges they keep. */
  const ended = {
    failed: { kept: 0, order: () => held(400) },
    cancelled: {
      kept: 0,
      async order() {
        const order = await held();
        await order.executeUpdate(cancelOrder, { args: [act] });
        return order;
      },
    },
    completed: {
      kept: 1,
      async order() {
        const order = await held();
        await pay(order);
        return order;
      },
    },
  };
  const ends = (['failed', 'cancelled', 'completed'] as const).map((status) => [status] as const);

  test.concurrent.each(ends)('cannot come of a %s order: its declined intent is canceled', async (status) => {
    const order = await ended[status].order();
    const intentId = await firstIntent(order);
    await order.result();
    expect(await payInTab(saga(), intentId)).toBe(409);
    const { provider } = await booksOf(saga(), order.orderId);
    expect(provider.charged.map(({ intent }) => intent === intentId)).toEqual(
      Array.from({ length: ended[status].kept }, () => false),
    );
    await saga().check(order.orderId);
  });

  test.concurrent.each(ends)(
    'goes back in full from a %s order that an intent was left open of',
    async (status) => {
      const order = await ended[status].order();
      await order.result();
      const intentId = await leaveOpen(saga(), order.orderId);
      expect(await payInTab(saga(), intentId)).toBe(200);
      await until(
        () => eventsOf(saga(), order.orderId),
        (told) => told.includes('payment.refunded'),
      );
      const { provider, ledger, audit } = await booksOf(saga(), order.orderId);
      expect(provider.refunded).toMatchObject([{ intent: intentId, amount: total }]);
      expect(provider.charged).toHaveLength(ended[status].kept + 1);
      expect(ledger).toMatchObject({ status });
      expect(ledger.payments.at(-1)).toMatchObject({ intentId, state: 'refunded' });
      expect(audit.filter(({ to }) => to === 'charged_late')).toHaveLength(1);
      await saga().check(order.orderId);
    },
  );

  test.concurrent('is the payment of the order that is held for it, which completes', async () => {
    const order = await held();
    const intentId = await firstIntent(order);
    expect(await payInTab(saga(), intentId)).toBe(200);
    const { provider, ledger } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toMatchObject([{ intent: intentId }]);
    expect(provider.refunded).toEqual([]);
    expect(ledger.payments).toMatchObject([{ intentId, state: 'charged' }]);
  });
});
