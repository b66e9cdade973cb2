import { describe, expect, test } from 'vitest';
import {
  cancelOrder,
  getOrder,
  paymentNotice,
  paymentSignal,
  updatePayment,
} from '../../workflows/messages.ts';
import { until, type SagaEnvironment } from '../setup/saga-environment.ts';
import {
  act,
  auditedActs,
  booksOf,
  eventsOf,
  expectEnd,
  refusalOf,
  sagaSuite,
  shownOf,
  type StartedOrder,
} from './saga-suite.ts';

const declinedCard = 'pm_card_chargeDeclined';
const asksCustomer = 'pm_card_authenticationRequired';
const shipped = ['payment.processed', 'fulfillment.created', 'shipment.generated', 'order.completed'];

describe('an order whose payment is held', () => {
  const saga = sagaSuite();

  const held = async (order: StartedOrder, status = 'payment_failed', sinceNot?: string) =>
    saga().until(order.orderId, ({ hold }) => hold?.status === status && hold.sinceUtc !== sinceNot);
  const pay = (order: StartedOrder, paymentMethodId = 'pm_card_visa') =>
    order.executeUpdate(updatePayment, { args: [{ ...act, paymentMethodId }] });

  test.concurrent('waits for another card, shows until when and why, and completes with it', async () => {
    const order = await saga().start({ paymentMethodId: declinedCard }, { holdPaymentMs: 60_000 });
    const { hold, sagaState } = await held(order);
    expect(sagaState).toBe('held');
    expect(hold).toMatchObject({ failureType: 'CardDeclined', reason: expect.stringMatching(/declined/) });
    const waitsMs = Date.parse(hold?.untilUtc ?? '') - Date.parse(hold?.sinceUtc ?? '');
    expect(waitsMs).toBeGreaterThan(59_000);
    expect(waitsMs).toBeLessThan(61_000);
    await saga().until(order.orderId, () => true);
    expect(await shownOf(order)).toMatchObject({
      run: 'RUNNING',
      orderStatus: 'payment_failed',
      sagaState: 'held',
      failureType: 'CardDeclined',
      details: expect.stringMatching(
        /Mend it: `npm run -s temporal -- workflow signal .* --name payment --input/,
      ),
    });
    const answer = await pay(order);
    expect(answer.orderId).toBe(order.orderId);
    const events = ['order.created', 'inventory.reserved', 'payment.failed', 'order.held', ...shipped];
    const { provider, audit } = await expectEnd(saga(), order, { status: 'completed', events });
    expect(provider.charged).toHaveLength(1);
    expect(audit.find(({ actor, to }) => actor === act.actor && to !== 'accepted')).toMatchObject({
      from: 'held',
      to: 'running',
    });
    expect(await shownOf(order)).toMatchObject({ orderStatus: 'completed', failureType: undefined });
  });

  test.concurrent('waits again after each declined card and is charged once in the end', async () => {
    const order = await saga().start({ paymentMethodId: declinedCard });
    const first = await held(order);
    await pay(order, 'pm_card_chargeDeclinedInsufficientFunds');
    const second = await held(order, 'payment_failed', first.hold?.sinceUtc);
    expect(second.hold?.reason).toMatch(/insufficient funds/);
    await order.signal(paymentSignal, { paymentMethodId: 'pm_card_visa' });
    const { provider, ledger } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toHaveLength(1);
    expect(ledger.payments.map(({ n, state }) => `${n} ${state}`)).toEqual([
      '1 canceled',
      '2 canceled',
      '3 charged',
    ]);
    expect(provider.intents.map(({ status }) => status).sort()).toEqual([
      'canceled',
      'canceled',
      'succeeded',
    ]);
  });

  test.concurrent(
    'fails at the deadline: payment.failed, inventory.released, order.failed, stock back',
    async () => {
      const order = await saga().start({ paymentMethodId: declinedCard }, { holdPaymentMs: 400 });
      const events = ['order.created', 'inventory.reserved', 'payment.failed', 'order.held'];
      const { view, provider, ledger } = await expectEnd(saga(), order, {
        status: 'failed',
        failure: 'CardDeclined',
        events: [...events, 'inventory.released', 'order.failed'],
      });
      expect(provider.intents).toMatchObject([{ status: 'canceled' }]);
      expect(ledger.payments).toMatchObject([{ state: 'canceled' }]);
      expect(view.failure?.reason).toMatch(/Nobody mended it before the deadline/);
      expect(await shownOf(order)).toMatchObject({
        orderStatus: 'failed',
        sagaState: 'ended',
        run: 'COMPLETED',
      });
    },
  );

  test.concurrent('accepts only so many further cards, and only while it is held', async () => {
    const order = await saga().start({ paymentMethodId: declinedCard }, { maximumPaymentUpdates: 1 });
    const first = await held(order);
    expect(await refusalOf(pay(order, ''))).toMatch(/paymentMethodId: expected a text/);
    await pay(order, declinedCard);
    await held(order, 'payment_failed', first.hold?.sinceUtc);
    expect(await refusalOf(pay(order))).toMatch(/1 payment methods were tried already/);
    await order.signal(paymentSignal, { paymentMethodId: 'pm_card_visa' });
    const refused = await until(
      () => auditedActs(saga(), order.orderId, 'payment'),
      (rows) => rows.length > 1,
    );
    expect(refused.slice(1)).toEqual([expect.stringMatching(/^refused: 1 payment methods were tried/)]);
    await order.cancel();
    await expect(order.result()).rejects.toThrow(/cancelled|taken back/i);
    await saga().check(order.orderId);
  });

  test.concurrent('waits for the customer, finds the payment by looking, and completes', async () => {
    const order = await saga().start({ paymentMethodId: asksCustomer }, { actionPollMs: 100 });
    const { hold } = await held(order, 'payment_action_required');
    expect(hold?.nextAction).toMatchObject({ type: expect.any(String), clientSecret: expect.any(String) });
    await authenticate(saga(), order, 'succeed');
    const events = ['order.created', 'inventory.reserved', 'order.held', ...shipped];
    const { provider } = await expectEnd(saga(), order, { status: 'completed', events });
    expect(provider.charged).toHaveLength(1);
  });

  test.concurrent("is woken by the provider's notice long before it would look by itself", async () => {
    const order = await saga().start({ paymentMethodId: asksCustomer }, { actionPollMs: 60_000 });
    await held(order, 'payment_action_required');
    await authenticate(saga(), order, 'succeed');
    await order.signal(paymentNotice, { eventId: 'evt_1' });
    await order.signal(paymentNotice, { eventId: 'evt_1' });
    await expectEnd(saga(), order, { status: 'completed' });
  });

  test.concurrent('takes a notice that comes before the money does for what it is', async () => {
    const order = await saga().start({ paymentMethodId: asksCustomer }, { actionPollMs: 60_000 });
    await held(order, 'payment_action_required');
    await order.signal(paymentNotice, { eventId: 'evt_1' });
    await authenticate(saga(), order, 'succeed');
    await order.signal(paymentNotice, { eventId: 'evt_2' });
    await expectEnd(saga(), order, { status: 'completed' });
  });

  test.concurrent('waits for another card when the customer fails the authentication', async () => {
    const order = await saga().start({ paymentMethodId: asksCustomer }, { actionPollMs: 100 });
    await held(order, 'payment_action_required');
    await authenticate(saga(), order, 'fail');
    await held(order, 'payment_failed');
    await pay(order);
    const before = ['order.created', 'inventory.reserved', 'order.held', 'payment.failed', 'order.held'];
    const { provider } = await expectEnd(saga(), order, {
      status: 'completed',
      events: [...before, ...shipped],
    });
    expect(provider.charged).toHaveLength(1);
  });

  test.concurrent('with another card given meanwhile the earlier intent can no longer charge', async () => {
    const order = await saga().start({ paymentMethodId: asksCustomer }, { actionPollMs: 60_000 });
    await held(order, 'payment_action_required');
    await pay(order);
    const { provider, ledger } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toHaveLength(1);
    expect(ledger.payments.map(({ state }) => state)).toEqual(['canceled', 'charged']);
    expect(provider.intents.map(({ status }) => status).sort()).toEqual(['canceled', 'succeeded']);
  });

  test.concurrent('with another card given after the first was authenticated is charged once', async () => {
    const order = await saga().start({ paymentMethodId: asksCustomer }, { actionPollMs: 60_000 });
    await held(order, 'payment_action_required');
    await authenticate(saga(), order, 'succeed');
    await pay(order);
    const { provider, ledger } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toHaveLength(1);
    expect(ledger.payments[0]?.state).toBe('charged');
  });

  test.concurrent(
    'fails at the deadline of a customer who never came, and the intent can no longer charge',
    async () => {
      const order = await saga().start({ paymentMethodId: asksCustomer }, { holdPaymentMs: 500 });
      const { provider } = await expectEnd(saga(), order, {
        status: 'failed',
        failure: 'CustomerActionRequired',
        events: [
          'order.created',
          'inventory.reserved',
          'order.held',
          'payment.failed',
          'inventory.released',
          'order.failed',
        ],
      });
      expect(provider.intents).toEqual([expect.objectContaining({ status: 'canceled' })]);
    },
  );

  test.concurrent('refunds a customer who authenticated at the deadline', async () => {
    const order = await saga().start(
      { paymentMethodId: asksCustomer },
      { holdPaymentMs: 1_500, actionPollMs: 60_000 },
    );
    await held(order, 'payment_action_required');
    await authenticate(saga(), order, 'succeed');
    const { provider } = await expectEnd(saga(), order, {
      status: 'failed',
      failure: 'CustomerActionRequired',
    });
    expect(provider).toMatchObject({ charged: [{}], refunded: [{}] });
    expect(await eventsOf(saga(), order.orderId)).toContain('payment.refunded');
  });

  test.concurrent('refuses a card while the order is not held', async () => {
    const order = await saga().start({ paymentMethodId: declinedCard });
    await held(order);
    await pay(order);
    await order.result();
    await expect(pay(order)).rejects.toThrow(/already completed/);
    expect((await order.query(getOrder)).status).toBe('completed');
    await saga().check(order.orderId);
  });

  test.concurrent.each([
    ['pm_sandbox_processing', ['charged'], 1],
    ['pm_sandbox_processingFails', ['canceled', 'charged'], 1],
  ])('another card given while %s is processed waits for its end only', async (method, states, charges) => {
    const order = await saga().start({ paymentMethodId: method }, { actionPollMs: 60_000 });
    await held(order, 'payment_action_required');
    await pay(order);
    const { provider, ledger } = await expectEnd(saga(), order, { status: 'completed' });
    expect(provider.charged).toHaveLength(charges);
    const known = ledger.payments.filter(({ intentId }) => intentId);
    expect(known.map(({ state }) => state)).toEqual(states);
  });

  test.concurrent.each(['pm_sandbox_processing', 'pm_sandbox_processingFails'])(
    'an order that is canceled while %s is processed keeps no money',
    async (paymentMethodId) => {
      const order = await saga().start({ paymentMethodId }, { actionPollMs: 60_000 });
      await held(order, 'payment_action_required');
      await order.executeUpdate(cancelOrder, { args: [act] });
      const { ledger } = await expectEnd(saga(), order, { status: 'cancelled' });
      expect(['refunded', 'canceled']).toContain(ledger.payments[0]?.state);
    },
  );

  test.concurrent('an asynchronous payment method is waited for until it has settled', async () => {
    const order = await saga().start({ paymentMethodId: 'pm_sandbox_processing' }, { actionPollMs: 300 });
    await held(order, 'payment_action_required');
    await expectEnd(saga(), order, { status: 'completed' });
  });
});

/** What the customer does at the payment provider. */
async function authenticate(
  saga: SagaEnvironment,
  order: StartedOrder,
  outcome: 'succeed' | 'fail',
): Promise<void> {
  const { ledger } = await booksOf(saga, order.orderId);
  const intent = ledger.payments.at(-1)?.intentId;
  const response = await fetch(`${saga.sandbox.url}/sandbox/payment_intents/${intent}/authenticate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ outcome }),
  });
  expect(response.status).toBe(200);
}
