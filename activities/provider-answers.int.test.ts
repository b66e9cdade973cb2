import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectSqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import { operationKeys, type OrderId } from '../domain/ids.ts';
import type { Address } from '../domain/order.ts';
import type { Store } from '../ports/store.ts';
import { givenCharge } from '../test/contract/store-fixtures.ts';
import { attemptTimeoutMs, createModelledOrder, type Scene } from '../test/support/modelled-order.ts';
import type { PaymentState } from '../ports/store/money.ts';

const HOUR = 3_600_000;
const YEARS = 3 * 365 * 24 * HOUR;
const address: Address = { name: 'A', street1: '1 Road', city: 'Pune', postalCode: '411001', country: 'IN' };

describe('the answers of the steps that call a provider', () => {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-saga-answers-'));
    store = await connectSqliteStore({ path: join(folder, 'orders.sqlite') });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function given(scene: Omit<Scene, 'store'> = {}) {
    const order = await createModelledOrder({ store, ...scene });
    const { orderId } = order;
    return {
      ...order,
      pay: (n = 1, paymentMethodId = `pm_${n}`) =>
        order.once((a) => a.processPayment({ orderId, n, paymentMethodId, attemptTimeoutMs })),
      recordCharge: (id = 'pi_1') =>
        order.once((a) => a.recordCharge({ subject: { kind: 'payment', id }, attemptTimeoutMs })),
      close: () =>
        order.once((a) =>
          a.closeOrder({
            orderId,
            step: 'payment',
            ending: { status: 'failed', failure: { type: 'CardDeclined', reason: 'declined' } },
          }),
        ),
      refund: () => order.once((a) => a.refundPayment({ orderId, attemptTimeoutMs })),
      settleDebt: (n = 1) => order.once((a) => a.settleDebt({ orderId, n, attemptTimeoutMs })),
      ship: async (n = 1, to = address) => {
        await givenCharge(store, orderId);
        return order.once((a) => a.generateShipment({ orderId, n, address: to, attemptTimeoutMs }));
      },
      void: () => order.once((a) => a.voidShipment({ orderId, attemptTimeoutMs })),
    };
  }

  /** Another payment of the order, as SQL has it. */
  const putPayment = (orderId: OrderId, row: { n: number; state: PaymentState; intentId: string }) =>
    store.transaction(async (tx) => {
      const [first] = await tx.payments.list(orderId);
      if (first) await tx.payments.put({ ...first, ...row });
    });

  /** Runs twice, years apart: the same answer, no request, nothing written. */
  async function expectSameForYears(
    order: Awaited<ReturnType<typeof given>>,
    run: () => Promise<unknown>,
    expected: object,
  ) {
    await expect(run()).resolves.toMatchObject(expected);
    const [ledger, requests] = [await order.ledger(), order.stripe.sent.length + order.carrier.sent.length];
    order.world.pass(YEARS);
    await expect(run()).resolves.toMatchObject(expected);
    expect(order.stripe.sent.length + order.carrier.sent.length).toBe(requests);
    expect(await order.ledger()).toEqual(ledger);
  }

  const refused = (type: string) => ({ error: { type, nonRetryable: true } });

  test('a charge is answered by its intent, and by the same one years later', async () => {
    const order = await given();
    await expectSameForYears(order, () => order.pay(), { value: { intentId: 'pi_1' } });
    expect(order.stripe.sent).toEqual([
      `create payment-${order.orderId}-1`,
      `confirm payment-${order.orderId}-1-confirm`,
    ]);
  });

  test('a declined card stays declined for that payment, whatever the card does years later', async () => {
    const order = await given({ fateOf: () => 'declines' });
    await expectSameForYears(order, () => order.pay(), refused('CardDeclined'));
    expect(await order.ledger()).toMatchObject({
      status: 'payment_failed',
      eventTypes: ['payment.failed.v1'],
    });
  });

  const unsettled = (is: boolean) => ({ error: { details: [is ? { unsettled: true } : {}] } });

  test('a declined payment may still be paid in another tab: it is canceled before another card is tried', async () => {
    const order = await given({ fateOf: (method) => (method === 'pm_1' ? 'declines' : 'succeeds') });
    await expect(order.pay()).resolves.toMatchObject(unsettled(true));
    await expect(order.pay(2)).resolves.toMatchObject({ value: { intentId: 'pi_2' } });
    order.stripe.payInAnotherTab();
    expect(order.stripe.charged()).toMatchObject([{ intentId: 'pi_2' }]);
    expect((await order.ledger()).payments).toMatchObject([{ state: 'canceled' }, { state: 'charged' }]);
  });

  test('a declined payment that was paid in another tab after all is the order’s; no other card is used', async () => {
    const order = await given({ fateOf: () => 'declines' });
    await order.pay();
    order.stripe.payInAnotherTab();
    await expect(order.pay(2)).resolves.toMatchObject({ value: { intentId: 'pi_1' } });
    expect(order.stripe.intents.size).toBe(1);
    const { eventTypes, payments } = await order.ledger();
    expect(eventTypes).toEqual(['payment.failed.v1', 'payment.processed.v1']);
    expect(payments).toMatchObject([{ state: 'charged' }, { state: 'canceled' }]);
  });

  test('no order ends while an intent of it may still charge', async () => {
    const order = await given({ fateOf: () => 'declines' });
    await order.pay();
    await expect(order.close()).resolves.toMatchObject({ value: { compensate: ['refundPayment'] } });
    await order.refund();
    await expect(order.close()).resolves.toMatchObject({ value: null });
    order.stripe.payInAnotherTab();
    expect(order.stripe.charged()).toEqual([]);
  });

  test('a refusal after an attempt whose outcome nobody knows does not say that nothing happened', async () => {
    const order = await given();
    order.carrier.breakNext('create', 'reply-lost');
    await expect(order.ship()).resolves.toMatchObject({ error: { type: 'OutcomeUnknown' } });
    const nowhere = { ...address, city: 'Nowhere' };
    await expect(order.ship(1, nowhere)).resolves.toMatchObject(unsettled(true));
    const first = await (await given()).ship(1, nowhere);
    expect(first).toMatchObject(refused('AddressUndeliverable'));
    expect(first).not.toMatchObject(unsettled(true));
  });

  test('an intent belongs to its payment method: under another one it is canceled, and another is made', async () => {
    const order = await given();
    order.stripe.breakNext('confirm', 'dropped');
    await expect(order.pay(1, 'pm_old')).resolves.toMatchObject({ error: { type: 'OutcomeUnknown' } });
    await expect(order.pay(1, 'pm_new')).resolves.toMatchObject({ value: { intentId: 'pi_2' } });
    expect(order.stripe.intents.get('pi_1')?.status).toBe('canceled');
    expect(order.stripe.kept()).toMatchObject([{ intentId: 'pi_2' }]);
    expect((await order.ledger()).payments).toMatchObject([{ state: 'charged', paymentMethodId: 'pm_new' }]);
  });

  test('an intent that nobody heard of is not charged under another payment method either', async () => {
    const order = await given();
    order.stripe.breakNext('create', 'reply-lost');
    await order.pay(1, 'pm_old');
    await expect(order.pay(1, 'pm_new')).resolves.toMatchObject({ value: { intentId: 'pi_2' } });
    expect(order.stripe.intents.get('pi_1')?.status).toBe('unconfirmed');
  });

  test('a charge under the replaced payment method is the order’s all the same', async () => {
    const order = await given();
    order.stripe.breakNext('confirm', 'reply-lost');
    await order.pay(1, 'pm_old');
    await expect(order.pay(1, 'pm_new')).resolves.toMatchObject({ value: { intentId: 'pi_1' } });
    expect(order.stripe.intents.size).toBe(1);
  });

  test.each([1, 2])(
    'a charge that was refunded at the provider meanwhile pays for nothing (asked as %i)',
    async (n) => {
      const order = await given();
      order.stripe.breakNext('confirm', 'reply-lost');
      await order.pay();
      order.stripe.refundByHand('pi_1');
      const answer = await order.pay(n);
      const { payments, status, eventTypes } = await order.ledger();
      expect(payments[0]).toMatchObject({ state: 'refunded' });
      if (n === 1) {
        expect(answer).toMatchObject(refused('CardDeclined'));
        expect(status).toBe('payment_failed');
        expect(eventTypes).toEqual(['payment.refunded.v1', 'payment.failed.v1']);
      } else {
        expect(answer).toMatchObject({ value: { intentId: 'pi_2' } });
        expect(payments[1]).toMatchObject({ state: 'charged' });
        expect(eventTypes).toEqual(['payment.refunded.v1', 'payment.processed.v1']);
      }
    },
  );

  test('a late charge is the payment of an order that is open and unpaid, whichever run asks for it', async () => {
    const order = await given({ fateOf: () => 'declines' });
    await order.pay();
    await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'nothing' } });
    order.stripe.payInAnotherTab();
    await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'adopted' } });
    await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'known' } });
    await expectSameForYears(order, () => order.pay(), { value: { intentId: 'pi_1' } });
    expect(await order.ledger()).toMatchObject({
      status: 'payment_processed',
      eventTypes: ['payment.failed.v1', 'payment.processed.v1'],
      payments: [{ state: 'charged' }],
    });
  });

  test.each(['before', 'after'])(
    'a late charge of which a part was refunded at the provider pays for the order, heard of %s the refund',
    async (heard) => {
      const order = await given({ fateOf: () => 'declines' });
      await order.pay();
      order.stripe.payInAnotherTab();
      order.stripe.refundByHand('pi_1', 100);
      const subject = { kind: 'refund', id: 're_by_hand_pi_1' } as const;
      if (heard === 'after') await order.once((a) => a.recordRefund({ subject, attemptTimeoutMs }));
      await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'adopted' } });
      await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'known' } });
      await expect(order.pay()).resolves.toMatchObject({ value: { intentId: 'pi_1' } });
      const { status, payments } = await order.ledger();
      expect({ status, payments }).toMatchObject({
        status: 'payment_processed',
        payments: [{ state: 'charged' }],
      });
    },
  );

  test('a late charge of an order that was taken back is refunded once, whatever is lost on the way', async () => {
    const order = await given({ fateOf: () => 'declines' });
    await order.pay();
    await order.refund();
    /* As an intent that an earlier version left open. */
    const intent = order.stripe.intents.get('pi_1');
    if (intent) intent.status = 'charged';
    order.stripe.breakNext('refund', 'reply-lost');
    await expect(order.recordCharge()).resolves.toMatchObject({ error: { type: 'OutcomeUnknown' } });
    await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'refunded' } });
    await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'known' } });
    expect(order.stripe.kept()).toEqual([]);
    expect(intent?.refunds).toHaveLength(1);
    const { eventTypes, payments } = await order.ledger();
    expect(eventTypes).toEqual(['payment.failed.v1', 'payment.refunded.v1']);
    expect(payments).toMatchObject([{ state: 'refunded' }]);
  });

  test('a late charge beside the order’s payment is refunded; of another open intent nothing is left', async () => {
    const paid = await given({ fateOf: (method) => (method === 'pm_1' ? 'declines' : 'succeeds') });
    await paid.pay();
    await paid.pay(2);
    const late = paid.stripe.intents.get('pi_1');
    if (late) late.status = 'charged';
    await expect(paid.recordCharge()).resolves.toMatchObject({ value: { result: 'refunded' } });
    expect(paid.stripe.kept()).toMatchObject([{ intentId: 'pi_2' }]);
    expect((await paid.ledger()).payments).toMatchObject([{ state: 'refunded' }, { state: 'charged' }]);
    const open = await given({ fateOf: () => 'declines' });
    await open.pay();
    await open.pay(2);
    const first = open.stripe.intents.get('pi_1');
    if (first) first.status = 'charged';
    await expect(open.recordCharge()).resolves.toMatchObject({ value: { result: 'adopted' } });
    await expect(open.pay(2)).resolves.toMatchObject({ value: { intentId: 'pi_1' } });
    expect(open.stripe.intents.get('pi_2')?.status).toBe('canceled');
    expect((await open.ledger()).payments).toMatchObject([{ state: 'charged' }, { state: 'canceled' }]);
  });

  test('of two late charges of an order that waits one is its payment, the other goes back', async () => {
    const order = await given({ fateOf: () => 'declines' });
    await order.pay();
    await order.pay(2);
    /* As an earlier version has left it. */
    await putPayment(order.orderId, { n: 1, state: 'declined', intentId: 'pi_1' });
    for (const intent of order.stripe.intents.values()) intent.status = 'charged';
    await expect(order.recordCharge('pi_2')).resolves.toMatchObject({ value: { result: 'adopted' } });
    expect(order.stripe.kept()).toMatchObject([{ intentId: 'pi_2' }]);
    const { payments, status } = await order.ledger();
    expect(payments).toMatchObject([{ state: 'refunded' }, { state: 'charged' }]);
    expect(status).toBe('payment_processed');
    await expect(order.recordCharge('pi_1')).resolves.toMatchObject({ value: { result: 'known' } });
    await expect(order.pay(2)).resolves.toMatchObject({ value: { intentId: 'pi_2' } });
  });

  test.each<[string, (order: Awaited<ReturnType<typeof given>>) => unknown]>([
    ['that was given back at the provider', ({ stripe }) => stripe.refundByHand('pi_1')],
    [
      'of another amount',
      ({ stripe }) => {
        const intent = stripe.intents.get('pi_1');
        if (intent) intent.amount = { ...intent.amount, amountMinor: 100 };
      },
    ],
    [
      'of an order that has another',
      ({ orderId }) => putPayment(orderId, { n: 2, state: 'charged', intentId: 'pi_2' }),
    ],
    [
      'of an order that is past its payment, which went back',
      async (order) => {
        await putPayment(order.orderId, { n: 2, state: 'refunded', intentId: 'pi_2' });
        await store.transaction((tx) =>
          tx.orders.update({
            orderId: order.orderId,
            status: 'payment_disputed',
            updatedAtUtc: order.world.clock.nowUtc(),
          }),
        );
      },
    ],
  ])('a late charge %s is not the order’s payment', async (_, happens) => {
    const order = await given({ fateOf: () => 'declines' });
    await order.pay();
    order.stripe.payInAnotherTab();
    await happens(order);
    await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'refunded' } });
    expect(order.stripe.kept()).toEqual([]);
    expect((await order.ledger()).eventTypes).not.toContain('payment.processed.v1');
  });

  test('a late charge is left to the attempt and to the walk back that are at work', async () => {
    const order = await given({ fateOf: () => 'declines' });
    await order.pay();
    order.stripe.payInAnotherTab();
    const { orderId } = order;
    const key = operationKeys.processPayment(orderId, 2);
    const leaseUntilUtc = new Date(order.world.nowMs() + attemptTimeoutMs).toISOString();
    await store.transaction((tx) => tx.operations.begin({ key, orderId, step: 'payment', leaseUntilUtc }));
    await expect(order.recordCharge()).resolves.toMatchObject({ error: { type: 'OperationInProgress' } });
    order.world.pass(2 * attemptTimeoutMs);
    await store.transaction((tx) =>
      tx.operations.begin({ key: operationKeys.refundPayment(orderId), orderId, step: 'payment' }),
    );
    await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'known' } });
    await order.refund();
    expect(order.stripe.kept()).toEqual([]);
  });

  test('a payment that waits for the customer is looked at again by the same call, and charged once', async () => {
    const order = await given({ fateOf: () => 'needs the customer' });
    await expect(order.pay()).resolves.toMatchObject(refused('CustomerActionRequired'));
    await expect(order.pay()).resolves.toMatchObject({
      error: { details: [{ details: { nextAction: '{"type":"use_stripe_sdk"}' } }] },
    });
    order.stripe.authenticate();
    await expectSameForYears(order, () => order.pay(), { value: { intentId: 'pi_1' } });
  });

  test('another payment method ends the one that waits: it is canceled, and asked for later it is refused', async () => {
    const order = await given({
      fateOf: (method) => (method === 'pm_1' ? 'needs the customer' : 'succeeds'),
    });
    await order.pay(1);
    await expect(order.pay(2)).resolves.toMatchObject({ value: { intentId: 'pi_2' } });
    order.stripe.authenticate();
    await expectSameForYears(order, () => order.pay(1), refused('CardDeclined'));
    expect(order.stripe.kept()).toMatchObject([{ intentId: 'pi_2' }]);
    expect(await order.ledger()).toMatchObject({
      status: 'payment_processed',
      payments: [{ state: 'canceled' }, { state: 'charged' }],
    });
  });

  test('a first payment that went through after all is the order’s payment; the second method is not used', async () => {
    const order = await given({ fateOf: () => 'needs the customer' });
    await order.pay(1);
    order.stripe.authenticate();
    await expect(order.pay(2)).resolves.toMatchObject({ value: { intentId: 'pi_1' } });
    expect(order.stripe.intents.size).toBe(1);
    await order.refund();
    expect(order.stripe.kept()).toEqual([]);
    expect((await order.ledger()).eventTypes).toEqual(['payment.processed.v1', 'payment.refunded.v1']);
  });

  test('a payment asked for after another was charged answers that one, with nothing written twice', async () => {
    const order = await given();
    await order.pay(1);
    await expectSameForYears(order, () => order.pay(2), { value: { intentId: 'pi_1' } });
    expect(order.stripe.intents.size).toBe(1);
    expect((await order.ledger()).eventTypes).toEqual(['payment.processed.v1']);
  });

  test('a create that nobody heard of is sent again under its key within 23 hours', async () => {
    const order = await given();
    order.stripe.breakNext('create', 'reply-lost');
    await expect(order.pay()).resolves.toMatchObject({ error: { type: 'OutcomeUnknown' } });
    order.world.pass(22 * HOUR);
    await expect(order.pay()).resolves.toMatchObject({ value: { intentId: 'pi_1' } });
    expect(order.stripe.intents.size).toBe(1);
  });

  test('a create older than 23 hours is never sent again: what it left is found and adopted', async () => {
    const order = await given();
    order.stripe.breakNext('create', 'reply-lost');
    await order.pay();
    order.world.pass(23 * HOUR + 1_000);
    await expect(order.pay()).resolves.toMatchObject({ value: { intentId: 'pi_1' } });
    expect(order.stripe.sent.filter((request) => request.startsWith('create'))).toHaveLength(1);
    expect(order.stripe.sent.filter((request) => request.startsWith('find'))).toHaveLength(1);
    expect(order.stripe.intents.size).toBe(1);
  });

  test('a create older than 23 hours that left nothing is made anew, under the next key', async () => {
    const order = await given();
    order.stripe.breakNext('create', 'dropped');
    await order.pay();
    order.world.pass(23 * HOUR + 1_000);
    await expect(order.pay()).resolves.toMatchObject({ error: { type: 'ProviderUnavailable' } });
    await expect(order.pay()).resolves.toMatchObject({ value: { intentId: 'pi_1' } });
    const creates = order.stripe.sent.filter((request) => request.startsWith('create'));
    expect(creates).toEqual([`create payment-${order.orderId}-1`, `create payment-${order.orderId}-1-r2`]);
  });

  test.each([
    ['spent', 1],
    ['spent-with-effect', 1],
  ] as const)(
    'a confirmation answered by a stored 500 (%s) is looked up and charged once',
    async (mode, charges) => {
      const order = await given();
      order.stripe.breakNext('confirm', mode);
      await order.pay();
      await expect(order.pay()).resolves.toMatchObject({ value: { intentId: 'pi_1' } });
      expect(order.stripe.charged()).toHaveLength(charges);
    },
  );

  test('a refund answered by stored 500s goes through as soon as the provider is well, within its keys’ life', async () => {
    const order = await given();
    await order.pay();
    for (let round = 0; round < 30; round += 1) {
      order.stripe.breakNext('refund', 'spent');
      await expect(order.refund()).resolves.toMatchObject({ error: { type: 'OutcomeUnknown' } });
    }
    await expect(order.refund()).resolves.toMatchObject({ value: null });
    expect(order.stripe.kept()).toEqual([]);
    const keys = order.stripe.sent.filter((request) => request.startsWith('refund '));
    expect(new Set(keys).size).toBe(31);
    expect(keys.at(-1)).toBe(`refund refund-${order.orderId}-1-r31`);
  });

  const day = (order: Awaited<ReturnType<typeof given>>) => () => order.world.pass(25 * HOUR);
  const refundsSent = ({ stripe }: Awaited<ReturnType<typeof given>>) =>
    stripe.sent.filter((request) => request.startsWith('refund '));

  test('a refund that was stopped for a day after its look is not sent: the next attempt looks anew', async () => {
    const order = await given();
    await order.pay();
    order.stripe.during('refunds', day(order));
    await expect(order.refund()).resolves.toMatchObject({ error: { type: 'StaleAttempt' } });
    expect(refundsSent(order)).toEqual([]);
    await expect(order.refund()).resolves.toMatchObject({ value: null });
    expect(order.stripe.kept()).toEqual([]);
  });

  test('nor is that of a late charge, whoever finds it, nor that of a debt', async () => {
    const order = await given({ fateOf: () => 'declines' });
    await order.pay();
    await order.refund();
    const intent = order.stripe.intents.get('pi_1');
    if (intent) intent.status = 'charged';
    const disputeId = order.stripe.dispute('pi_1', 'open');
    order.stripe.during('refunds', day(order));
    await expect(order.recordCharge()).resolves.toMatchObject({ error: { type: 'StaleAttempt' } });
    expect(refundsSent(order)).toEqual([]);
    await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'owed' } });
    order.stripe.decide(disputeId, 'won');
    const { length } = refundsSent(order);
    order.stripe.during('refunds', day(order));
    await expect(order.settleDebt()).resolves.toMatchObject({ error: { type: 'StaleAttempt' } });
    expect(refundsSent(order)).toHaveLength(length);
    await expect(order.settleDebt()).resolves.toMatchObject({ value: { state: 'refunded' } });
    expect(order.stripe.kept()).toEqual([]);
  });

  test('a label whose void was stopped for a day after its look is sent back by the next attempt', async () => {
    const order = await given();
    await order.ship();
    order.carrier.during('retrieve', day(order));
    await expect(order.void()).resolves.toMatchObject({ error: { type: 'StaleAttempt' } });
    expect(order.carrier.kept()).toHaveLength(1);
    await expect(order.void()).resolves.toMatchObject({ value: null });
    expect(order.carrier.kept()).toEqual([]);
  });

  test('a late charge that the bank holds is owed by the order, and given back once the dispute is won', async () => {
    const order = await given({ fateOf: (method) => (method === 'pm_1' ? 'declines' : 'succeeds') });
    await order.pay();
    await order.pay(2);
    const late = order.stripe.intents.get('pi_1');
    if (late) late.status = 'charged';
    const disputeId = order.stripe.dispute('pi_1', 'open');
    await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'owed' } });
    await expect(order.recordCharge()).resolves.toMatchObject({ value: { result: 'known' } });
    const { eventTypes, refunds, payments } = await order.ledger();
    expect(eventTypes.slice(-2)).toEqual(['payment.disputed.v1', 'refund.owed.v1']);
    expect(refunds).toMatchObject([{ refundId: 'compensation-1', state: 'owed', amount: late?.amount }]);
    expect(payments).toMatchObject([{ state: 'charged' }, { state: 'charged' }]);
    const debts = await store.read.debts.list({ limit: 1_000 });
    expect(debts.filter(({ orderId }) => orderId === order.orderId)).toMatchObject([{ n: 1 }]);
    await expect(order.settleDebt()).resolves.toMatchObject({ value: { state: 'owed' } });
    order.world.pass(60 * 24 * HOUR);
    order.stripe.decide(disputeId, 'won');
    await expect(order.settleDebt()).resolves.toMatchObject({ value: { state: 'refunded' } });
    expect(order.stripe.kept()).toMatchObject([{ intentId: 'pi_2' }]);
  });

  test('a refund that a stored 500 hides is found in the list, and not sent again', async () => {
    const order = await given();
    await order.pay();
    order.stripe.breakNext('refund', 'spent-with-effect');
    await expect(order.refund()).resolves.toMatchObject({ error: { type: 'OutcomeUnknown' } });
    await expect(order.refund()).resolves.toMatchObject({ value: null });
    expect(order.stripe.sent.filter((request) => request.startsWith('refund '))).toHaveLength(1);
    expect((await order.ledger()).payments).toMatchObject([{ state: 'refunded', refundKeyNumber: 1 }]);
  });

  const moments = ['before it is asked', 'between look and cancel', 'after a cancel came too early'] as const;
  const ways = (['charged', 'declined'] as const).flatMap((end) =>
    moments.map((when) => [end, when] as const),
  );

  /** A payment that the provider is still processing, and what ends it at the given moment. */
  async function givenProcessing(end: 'charged' | 'declined', when: (typeof moments)[number]) {
    const order = await given({ fateOf: (method) => (method === 'pm_1' ? 'processes' : 'succeeds') });
    await expect(order.pay()).resolves.toMatchObject(refused('CustomerActionRequired'));
    const settle = () => order.stripe.settleProcessing(end);
    const meets = async (ask: () => Promise<unknown>) => {
      if (when === moments[0]) settle();
      if (when === moments[1]) order.stripe.during('cancel', settle);
      if (when === moments[2]) {
        for (let tries = 0; tries < 3; tries += 1)
          await expect(ask()).resolves.toMatchObject({ error: { type: 'OutcomeUnknown' } });
        settle();
      }
      return ask();
    };
    return { ...order, meets };
  }

  test.each(ways)('a payment that ends as %s %s is taken back at once', async (end, when) => {
    const order = await givenProcessing(end, when);
    await expect(order.meets(() => order.refund())).resolves.toMatchObject({ value: null });
    expect(order.stripe.kept()).toEqual([]);
    const state = end === 'charged' ? 'refunded' : 'canceled';
    expect((await order.ledger()).payments).toMatchObject([{ state }]);
    expect([...order.stripe.intents.values()]).toMatchObject([
      { status: end === 'charged' ? end : 'canceled' },
    ]);
  });

  test.each(ways)(
    'another card is tried once the first one’s payment has ended: %s %s',
    async (end, when) => {
      const order = await givenProcessing(end, when);
      const intentId = end === 'charged' ? 'pi_1' : 'pi_2';
      await expect(order.meets(() => order.pay(2))).resolves.toMatchObject({ value: { intentId } });
      expect(order.stripe.kept()).toMatchObject([{ intentId }]);
      expect(order.stripe.intents.get('pi_1')?.status).toBe(end === 'charged' ? end : 'canceled');
    },
  );

  test('a refund is answered once and for good; paying again afterwards charges nothing', async () => {
    const order = await given();
    await order.pay();
    await expectSameForYears(order, () => order.refund(), { value: null });
    await expectSameForYears(order, () => order.pay(2), refused('OperationCompensated'));
    expect(order.stripe.kept()).toEqual([]);
  });

  test('a refund where nothing was charged is a no-op that forbids the charge', async () => {
    const order = await given();
    await expectSameForYears(order, () => order.refund(), { value: null });
    await expectSameForYears(order, () => order.pay(), refused('OperationCompensated'));
    expect(order.stripe.sent).toEqual([]);
  });

  test('a label is answered by its tracking code, and by the same one years later', async () => {
    const order = await given();
    await expectSameForYears(order, () => order.ship(), { value: { trackingCode: 'track-shp_1' } });
    expect(order.carrier.sent).toEqual(['create shipment', 'buy shp_1']);
  });

  test('an address the carrier refuses stays refused under its number; a corrected one gets its label', async () => {
    const order = await given();
    const nowhere = { ...address, city: 'Nowhere' };
    await expectSameForYears(order, () => order.ship(1, nowhere), refused('AddressUndeliverable'));
    expect((await order.ledger()).status).toBe('address_rejected');
    await expectSameForYears(order, () => order.ship(2), { value: { trackingCode: 'track-shp_1' } });
  });

  test('a voided label is asked back once, and shipping again buys nothing', async () => {
    const order = await given();
    await order.ship();
    await expectSameForYears(order, () => order.void(), { value: null });
    await expectSameForYears(order, () => order.ship(2), refused('OperationCompensated'));
    expect(order.carrier.kept()).toEqual([]);
    expect(order.carrier.bought()).toHaveLength(1);
  });

  test('a void right after an unanswered purchase waits until that can no longer land', async () => {
    const order = await given();
    order.carrier.breakNext('buy', 'dropped');
    await expect(order.ship()).resolves.toMatchObject({ error: { type: 'OutcomeUnknown' } });
    await expect(order.void()).resolves.toMatchObject({ error: { type: 'OperationInProgress' } });
    order.world.pass(2 * attemptTimeoutMs);
    await expect(order.void()).resolves.toMatchObject({ value: null });
  });

  /** An attempt of another process that stands still in the middle of its purchase, as SQL sees it. */
  async function givenStandingAttempt() {
    const order = await given({ redis: 'down' });
    const { orderId } = order;
    await order.ship(1, { ...address, city: 'Nowhere' });
    const key = operationKeys.generateShipment(orderId, 2);
    const leaseUntilUtc = new Date(order.world.nowMs() + attemptTimeoutMs).toISOString();
    await store.transaction(async (tx) => {
      await tx.operations.begin({ key, orderId, step: 'shipping', leaseUntilUtc });
      await tx.shipments.put({ orderId, n: 2, state: 'creating' });
    });
    return order;
  }

  test('a second attempt that fails does not end the lease of the first: a void still waits for that', async () => {
    const order = await givenStandingAttempt();
    order.carrier.breakNext('create', 'refused');
    await expect(order.ship(2)).resolves.toMatchObject({ error: { type: 'ProviderUnavailable' } });
    await expect(order.void()).resolves.toMatchObject({ error: { type: 'OperationInProgress' } });
    order.world.pass(2 * attemptTimeoutMs);
    await expect(order.void()).resolves.toMatchObject({ value: null });
  });

  test('an attempt that comes after the void has begun waits for the one that is still at work', async () => {
    const order = await givenStandingAttempt();
    await expect(order.void()).resolves.toMatchObject({ error: { type: 'OperationInProgress' } });
    await expect(order.ship(2)).resolves.toMatchObject({ error: { type: 'OperationInProgress' } });
    order.world.pass(attemptTimeoutMs);
    await expect(order.ship(2)).resolves.toMatchObject(refused('OperationCompensated'));
    await expect(order.void()).resolves.toMatchObject({ value: null });
  });
});
