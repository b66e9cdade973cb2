import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { refundWorkflowIdOf, taskQueues } from '../../domain/ids.ts';
import { defaultPolicy, withPolicy } from '../../domain/policy.ts';
import type { PaymentSubject, RequestRefund } from '../../domain/refunds.ts';
import { followPayment, refundOrder } from '../../workflows/index.ts';
import { cancelOrder } from '../../workflows/messages.ts';
import { quickPolicy, until } from '../setup/saga-environment.ts';
import { act, booksOf, eventsOf, expectEnd, newOrderId, sagaSuite, type StartedOrder } from './saga-suite.ts';

const price = { amountMinor: 749_900, currency: 'INR' } as const;
const rupees = (amountMinor: number) => ({ ...price, amountMinor });
const parts = [
  'order.created',
  'inventory.reserved',
  'payment.processed',
  'fulfillment.created',
  'shipment.generated',
  'order.completed',
];

describe('refunds by operators', () => {
  const saga = sagaSuite();

  const input = () => ({
    policy: withPolicy(withPolicy(defaultPolicy, quickPolicy), { actionPollMs: 20 }),
    taskQueues: taskQueues(saga().config.TASK_QUEUE_PREFIX),
  });
  const startRefund = ({ orderId }: Pick<StartedOrder, 'orderId'>, change: Partial<RequestRefund> = {}) => {
    const refundId = randomUUID().replaceAll('-', '');
    const refund = { orderId, refundId, reason: 'one key was stuck', actor: 'help-desk', fingerprint: 'f' };
    const asked = { ...refund, ...change };
    return saga().client.workflow.start(refundOrder, {
      workflowId: refundWorkflowIdOf(orderId, asked.refundId),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      taskQueue: input().taskQueues.orders,
      args: [{ ...input(), refund: asked }],
    });
  };
  const refund = async (order: Pick<StartedOrder, 'orderId'>, change: Partial<RequestRefund> = {}) =>
    (await startRefund(order, change)).result();
  const follow = async (subject: PaymentSubject) =>
    saga().client.workflow.execute(followPayment, {
      workflowId: `payment-notice-${randomUUID()}`,
      taskQueue: input().taskQueues.orders,
      args: [{ ...input(), subject }],
    });
  const tell = async (path: string, body: object) => {
    const response = await fetch(`${saga().sandbox.url}/sandbox/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { id: string };
    expect(response.ok, JSON.stringify(answer)).toBe(true);
    return answer;
  };
  const shipped = async (paymentMethodId = 'pm_card_visa') => {
    const order = await saga().start({ paymentMethodId });
    await expectEnd(saga(), order, { status: 'completed' });
    return order;
  };
  const moneyOf = async (order: Pick<StartedOrder, 'orderId'>) => {
    const { provider, ledger } = await booksOf(saga(), order.orderId);
    return {
      back: provider.refunded.map(({ amount }) => amount),
      states: ledger.refunds.map(({ state }) => state),
      payment: ledger.payments.at(-1)?.state,
      keyNumber: ledger.refunds.at(-1)?.keyNumber,
    };
  };

  test.concurrent('give back a part, then the rest, after the order has shipped', async () => {
    const order = await shipped();
    const part = await refund(order, { amount: rupees(50_000) });
    expect(part).toMatchObject({ status: 'taken', refund: { state: 'refunded', amount: rupees(50_000) } });
    expect(await moneyOf(order)).toMatchObject({ back: [50_000], states: ['refunded'], payment: 'charged' });
    const rest = await refund(order);
    expect(rest).toMatchObject({ status: 'taken', refund: { amount: rupees(699_900) } });
    expect(await moneyOf(order)).toMatchObject({ back: [50_000, 699_900], payment: 'refunded' });
    expect(await refund(order)).toMatchObject({ status: 'refused', code: 'nothing_left' });
    expect(await eventsOf(saga(), order.orderId)).toEqual([...parts, 'payment.refunded', 'payment.refunded']);
    const { audit, view } = await booksOf(saga(), order.orderId);
    expect(audit.slice(-4).map(({ actor, from, to }) => [actor, from, to])).toEqual([
      ['help-desk', 'charged', 'refund_requested'],
      ['help-desk', 'refund_requested', 'refunded'],
      ['help-desk', 'charged', 'refund_requested'],
      ['help-desk', 'refund_requested', 'refunded'],
    ]);
    expect(audit.at(-3)?.reason).toMatch(/^500\.00 INR, 6999\.00 INR of the charge are left: one key/);
    expect([view.status, view.step]).toEqual(['completed', 'completion']);
    await saga().check(order.orderId);
  });

  test.concurrent(
    'refund once for the same request, whenever it is repeated, and refuse another one under its id',
    async () => {
      const order = await shipped();
      const asked = { refundId: 'a'.repeat(32), amount: rupees(10_000) };
      const first = await refund(order, asked);
      expect(await refund(order, asked)).toEqual(first);
      expect(await refund(order, { ...asked, fingerprint: 'g' })).toMatchObject({
        status: 'refused',
        code: 'key_reused',
      });
      expect((await moneyOf(order)).back).toEqual([10_000]);
      await saga().check(order.orderId);
    },
  );

  test.concurrent('never give back more than was charged, however many ask at once', async () => {
    const order = await shipped();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => refund(order, { amount: rupees(300_000), confirmSameAmount: true })),
    );
    expect(answers.filter(({ status }) => status === 'taken')).toHaveLength(2);
    expect(await moneyOf(order)).toMatchObject({ back: [300_000, 300_000], payment: 'charged' });
    const [refused] = answers.filter((answer) => answer.status === 'refused');
    expect(refused).toMatchObject({ code: 'amount_too_large' });
    expect(refused?.reason).toMatch(/1499\.00 INR of order .* left to refund/);
    await saga().check(order.orderId);
  });

  test.concurrent(
    'give the same amount back once, however many ask at once under keys of their own',
    async () => {
      const order = await shipped();
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => refund(order, { amount: rupees(50_000) })),
      );
      const codes = answers.map((answer) => (answer.status === 'refused' ? answer.code : 'taken'));
      expect(codes.toSorted()).toEqual([...Array<string>(4).fill('same_amount'), 'taken']);
      expect((await moneyOf(order)).back).toEqual([50_000]);
      await saga().check(order.orderId);
    },
  );

  test.concurrent('give back once though replies get lost and the provider stores a 500', async () => {
    const order = await shipped();
    const match = { orderId: order.orderId };
    const operation = 'refunds.create';
    await saga().addFault({ provider: 'stripe', operation, kind: 'error', status: 500, times: 1, match });
    await saga().addFault({ provider: 'stripe', operation, kind: 'reply-lost', times: 2, match });
    expect(await refund(order, { amount: rupees(20_000) })).toMatchObject({ status: 'taken' });
    expect(await moneyOf(order)).toMatchObject({ back: [20_000], keyNumber: 2 });
    const running = await startRefund(order, { amount: rupees(30_000), refundId: 'b'.repeat(32) });
    await saga().addFault({ provider: 'stripe', operation, kind: 'reply-lost', times: 2, match });
    await running.result();
    await saga().check(order.orderId);
  });

  test.concurrent('wait for a provider that is away, and show that they do', async () => {
    const order = await shipped();
    const match = { orderId: order.orderId };
    await saga().addFault({ id: `away-${order.orderId}`, provider: 'stripe', kind: 'rate-limit', match });
    const running = await startRefund(order);
    await until(
      () => moneyOf(order),
      ({ states }) => states[0] === 'requested',
    );
    const more = await refund(order, { amount: rupees(1) });
    expect(more).toMatchObject({ status: 'refused', code: 'nothing_left' });
    await saga().removeFault(`away-${order.orderId}`);
    expect(await running.result()).toMatchObject({ refund: { state: 'refunded' } });
    await saga().check(order.orderId);
  });

  test.concurrent(
    'are refused while nothing was charged, in another currency, and for all of an order that can be canceled',
    async () => {
      const held = await saga().start({ paymentMethodId: 'pm_card_chargeDeclined' });
      await saga().until(held.orderId, ({ hold }) => hold !== undefined);
      expect(await refund(held)).toMatchObject({ status: 'refused', code: 'nothing_charged' });
      await held.executeUpdate(cancelOrder, { args: [act] });
      await held.result();
      expect(await refund({ orderId: newOrderId() })).toMatchObject({ code: 'nothing_charged' });
      const order = await shipped();
      expect(await refund(order, { amount: { amountMinor: 1, currency: 'USD' } })).toMatchObject({
        code: 'other_currency',
        reason: expect.stringMatching(/charged in INR, not USD/),
      });
    },
  );

  test.concurrent(
    'give back a part while the order runs; its cancellation then gives back the rest',
    async () => {
      const orderId = newOrderId();
      const match = { orderId };
      await saga().addFault({
        id: `held-${orderId}`,
        provider: 'easypost',
        operation: 'shipments.buy',
        kind: 'error',
        status: 402,
        match,
      });
      const order = await saga().start({ orderId }, { steps: { shipping: { budgetMs: 400 } } });
      await saga().until(orderId, ({ parked }) => parked !== undefined);
      expect(await refund(order)).toMatchObject({
        code: 'cancel_instead',
        reason: expect.stringMatching(/cancel it/),
      });
      expect(await refund(order, { amount: rupees(100) })).toMatchObject({ status: 'taken' });
      await order.executeUpdate(cancelOrder, { args: [act] });
      await saga().removeFault(`held-${orderId}`);
      await expectEnd(saga(), order, { status: 'cancelled' });
      expect(await moneyOf(order)).toMatchObject({ back: [100, 749_800], payment: 'refunded' });
      expect(await refund(order)).toMatchObject({ code: 'nothing_left' });
    },
  );

  test.concurrent('follow a refund that is on its way until it has arrived', async () => {
    const order = await shipped('pm_card_pendingRefund');
    const running = await startRefund(order);
    await until(
      () => moneyOf(order),
      ({ states }) => states[0] === 'pending',
    );
    expect(await eventsOf(saga(), order.orderId)).toEqual([...parts, 'payment.refunded']);
    await saga().check(order.orderId);
    expect(await running.result()).toMatchObject({ refund: { state: 'refunded' } });
    await saga().check(order.orderId);
  });

  test.concurrent(
    'that come back from the bank are told of once and can be made again, also of a cancelled order',
    async () => {
      const order = await shipped();
      await refund(order);
      const [first] = (await booksOf(saga(), order.orderId)).provider.refunded;
      await tell(`refunds/${first?.refund}/fail`, { reason: 'lost_or_stolen_card' });
      const subject = { kind: 'refund', id: first?.refund ?? '' } as const;
      await Promise.all([follow(subject), follow(subject), follow(subject)]);
      expect(await moneyOf(order)).toMatchObject({ back: [], states: ['failed'], payment: 'charged' });
      const events = [...parts, 'payment.refunded', 'refund.failed'];
      expect(await eventsOf(saga(), order.orderId)).toEqual(events);
      await saga().check(order.orderId);
      expect(await refund(order)).toMatchObject({ status: 'taken' });
      expect(await moneyOf(order)).toMatchObject({ back: [749_900], states: ['failed', 'refunded'] });
      await saga().check(order.orderId);
    },
  );

  test.concurrent(
    'made at the provider’s own desk are recorded, and what is not ours is left alone',
    async () => {
      const order = await shipped();
      const [charge] = (await booksOf(saga(), order.orderId)).provider.charged;
      const response = await fetch(`${saga().sandbox.url}/v1/refunds`, {
        method: 'POST',
        headers: { authorization: `Bearer ${saga().config.STRIPE_SECRET_KEY}` },
        body: new URLSearchParams({ payment_intent: charge?.intent ?? '', amount: '700' }),
      });
      const { id } = (await response.json()) as { id: string };
      await follow({ kind: 'refund', id });
      const { ledger } = await booksOf(saga(), order.orderId);
      expect(ledger.refunds).toMatchObject([{ refundId: id, actor: 'provider', amount: rupees(700) }]);
      expect(await refund(order)).toMatchObject({ refund: { amount: rupees(749_200) } });
      await saga().check(order.orderId);
    },
  );

  test.concurrent('are held while the charge is disputed, and after the dispute was lost', async () => {
    const [order, other] = [await shipped('pm_card_createDispute'), await shipped()];
    const intentOf = async ({ orderId }: StartedOrder) =>
      (await booksOf(saga(), orderId)).provider.charged[0]?.intent;
    const [dispute] = (await booksOf(saga(), order.orderId)).provider.disputes;
    const subject = { kind: 'dispute', id: dispute?.dispute ?? '' } as const;
    await Promise.all([follow(subject), follow(subject)]);
    expect(await eventsOf(saga(), order.orderId)).toEqual([...parts, 'payment.disputed']);
    expect(await refund(order)).toMatchObject({ code: 'disputed', reason: expect.stringMatching(/is open/) });
    await tell(`disputes/${subject.id}/decide`, { status: 'lost' });
    await follow(subject);
    expect(await refund(order)).toMatchObject({
      code: 'disputed',
      reason: expect.stringMatching(/was lost/),
    });
    await saga().check(order.orderId);
    const late = await tell('disputes', { payment_intent: await intentOf(other) });
    await tell(`disputes/${late.id}/decide`, { status: 'won' });
    await follow({ kind: 'dispute', id: late.id });
    const events = [...parts, 'payment.disputed', 'dispute.closed'];
    expect(await eventsOf(saga(), other.orderId)).toEqual(events);
    expect(await refund(other)).toMatchObject({ status: 'taken' });
    await saga().check(other.orderId);
  });
});
