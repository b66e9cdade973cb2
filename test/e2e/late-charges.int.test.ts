import { describe, expect, test } from 'vitest';
import { cancelOrder, updatePayment } from '../../workflows/messages.ts';
import { authenticate, followCharge, leaveOpen, payInTab } from '../support/customer-browser.ts';
import { act, booksOf, eventsOf, expectEnd, sagaSuite, type StartedOrder } from './saga-suite.ts';

const declinedCard = 'pm_card_chargeDeclined';
const asksCustomer = 'pm_card_authenticationRequired';

describe('a charge that comes late, from a tab that the customer still has open', () => {
  const saga = sagaSuite();

  const held = (order: StartedOrder, status = 'payment_failed') =>
    saga().until(order.orderId, ({ hold }) => hold?.status === status);
  const pay = (order: StartedOrder) =>
    order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId: 'pm_card_visa' }] });
  const firstIntent = async (order: StartedOrder) =>
    (await booksOf(saga(), order.orderId)).ledger.payments[0]?.intentId ?? '';
  test.concurrent('is refused by the provider once another card has been tried', async () => {
    const order = await saga().start({ paymentMethodId: asksCustomer }, { actionPollMs: 100 });
    await held(order, 'payment_action_required');
    const intentId = await firstIntent(order);
    await authenticate(saga(), intentId, 'fail');
    await held(order);
    await pay(order);
    await expectEnd(saga(), order, { status: 'completed' });
    expect(await payInTab(saga(), intentId)).toBe(409);
    const { provider } = await booksOf(saga(), order.orderId);
    expect(provider.charged).toHaveLength(1);
  });

  test.concurrent.each(['cancelled', 'failed'] as const)(
    'is refused by the provider once the order is %s',
    async (status) => {
      const order = await saga().start(
        { paymentMethodId: declinedCard },
        { holdPaymentMs: status === 'failed' ? 400 : 60_000 },
      );
      await held(order).catch(() => {});
      const intentId = await firstIntent(order);
      if (status === 'cancelled') await order.executeUpdate(cancelOrder, { args: [act] });
      await expectEnd(saga(), order, {
        status,
        ...(status === 'failed' ? { failure: 'CardDeclined' } : {}),
      });
      expect(await payInTab(saga(), intentId)).toBe(409);
    },
  );

  test.concurrent('is the payment of an order that is held for it, which goes on', async () => {
    const order = await saga().start({ paymentMethodId: declinedCard });
    await held(order);
    const intentId = await firstIntent(order);
    expect(await payInTab(saga(), intentId)).toBe(200);
    await followCharge(saga(), intentId, 3);
    const { provider, ledger, audit } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toHaveLength(1);
    expect(ledger.payments).toMatchObject([{ state: 'charged', intentId }]);
    expect(audit.map(({ reason }) => reason)).toContain('charged: the customer has paid after all');
    const told = await eventsOf(saga(), order.orderId);
    expect(told.filter((type) => type === 'payment.processed')).toHaveLength(1);
  });

  test.concurrent(
    'is the order’s also when its run is gone, and found when another takes it up',
    async () => {
      const order = await saga().start({ paymentMethodId: declinedCard });
      await held(order);
      const intentId = await firstIntent(order);
      await order.terminate('the run is gone');
      await payInTab(saga(), intentId);
      await followCharge(saga(), intentId);
      const { ledger } = await booksOf(saga(), order.orderId);
      expect(ledger).toMatchObject({ status: 'payment_processed', payments: [{ state: 'charged' }] });
      const again = await saga().start({ orderId: order.orderId, paymentMethodId: declinedCard });
      const { provider } = await expectEnd(saga(), again, { status: 'completed' });
      expect(provider.charged).toHaveLength(1);
    },
  );

  test.concurrent.each(['completed', 'cancelled'] as const)(
    'goes back in full from a %s order that left an intent open',
    async (status) => {
      const paymentMethodId = status === 'completed' ? 'pm_card_visa' : declinedCard;
      const order = await saga().start({ paymentMethodId });
      if (status === 'cancelled') {
        await held(order);
        await order.executeUpdate(cancelOrder, { args: [act] });
      }
      await order.result();
      const intentId = await leaveOpen(saga(), order.orderId);
      expect(await payInTab(saga(), intentId)).toBe(200);
      await followCharge(saga(), intentId, 3);
      const { provider, ledger, audit } = await expectEnd(saga(), order, { status });
      expect(provider.refunded).toMatchObject([{ intent: intentId, amount: 749_900 }]);
      expect(ledger.payments.at(-1)).toMatchObject({ intentId, state: 'refunded' });
      expect(audit.filter(({ to }) => to === 'charged_late')).toHaveLength(1);
      expect(await eventsOf(saga(), order.orderId)).toContain('payment.refunded');
    },
  );
});
