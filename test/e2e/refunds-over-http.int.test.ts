import { describe, expect, test } from 'vitest';
import { createRefundWorkflows } from '../../adapters/temporal/refunds.ts';
import { operatorKey, send } from '../../api/testing/fake-deps.ts';
import { refundWorkflowIdOf, taskQueues } from '../../domain/ids.ts';
import { defaultPolicy, withPolicy } from '../../domain/policy.ts';
import { systemClock } from '../../ports/clock.ts';
import { sweepRefunds } from '../../workers/jobs/sweep-refunds.ts';
import { quickPolicy, until } from '../setup/saga-environment.ts';
import { resolveSignal } from '../../workflows/messages.ts';
import { apiFixture, type ApiFixture } from './api-fixture.ts';
import { act, booksOf, eventsOf, expectEnd, newOrderId, sagaSuite, type StartedOrder } from './saga-suite.ts';

interface RefundJson {
  refundId: string;
  state: string;
  code?: string;
}

interface MoneyJson {
  left: { amount: string };
  refunds: RefundJson[];
  disputes: { state: string }[];
}

describe('refunds and disputes through the API and the provider’s webhook', () => {
  const saga = sagaSuite();
  const httpApi = apiFixture(saga);
  const provider: ApiFixture['provider'] = (...request) => httpApi().provider(...request);
  const shipped = async () => {
    const order = await saga().start({ paymentMethodId: 'pm_card_visa' });
    await expectEnd(saga(), order, { status: 'completed' });
    return order;
  };
  const refund = async ({ orderId }: StartedOrder, key: string, body: object = { reason: 'as agreed' }) => {
    const headers = { 'idempotency-key': key };
    const response = await send(httpApi().app, 'POST', `/orders/${orderId}/refunds`, {
      body,
      headers,
      key: operatorKey,
    });
    return { status: response.status, answer: (await response.json()) as RefundJson };
  };
  const money = async ({ orderId }: StartedOrder) =>
    (await (
      await send(httpApi().app, 'GET', `/orders/${orderId}/refunds`, { key: operatorKey })
    ).json()) as MoneyJson;
  const disputed = (order: StartedOrder, state: string) =>
    until(
      () => money(order),
      ({ disputes }) => disputes[0]?.state === state,
    );

  test.concurrent(
    'a disputed order is refunded once, after its dispute was won; a refund that comes back is seen',
    async () => {
      const order = await shipped();
      const [charge] = (await booksOf(saga(), order.orderId)).provider.charged;
      await provider('disputes', 'POST', { payment_intent: charge?.intent });
      await disputed(order, 'open');
      expect(await refund(order, 'k-1')).toMatchObject({ status: 409, answer: { code: 'disputed' } });
      const [dispute] = (await booksOf(saga(), order.orderId)).provider.disputes;
      await provider(`disputes/${dispute?.dispute}/decide`, 'POST', { status: 'won' });
      await disputed(order, 'won');
      const first = await refund(order, 'k-2');
      expect(first).toMatchObject({ status: 200, answer: { state: 'refunded' } });
      expect((await refund(order, 'k-2')).answer).toEqual(first.answer);
      expect((await refund(order, 'k-2', { reason: 'another' })).status).toBe(422);
      const { provider: books } = await booksOf(saga(), order.orderId);
      expect(books.refunded).toHaveLength(1);
      await provider(`refunds/${books.refunded[0]?.refund}/fail`, 'POST', {});
      await until(
        () => money(order),
        ({ refunds }) => refunds[0]?.state === 'failed',
      );
      expect(await refund(order, 'k-2')).toMatchObject({ status: 200, answer: { state: 'failed' } });
      expect(await refund(order, 'k-3')).toMatchObject({ status: 200, answer: { state: 'refunded' } });
      const events = await eventsOf(saga(), order.orderId);
      const told = events.filter((type) => /refund|dispute/.test(type));
      expect(told).toEqual([
        'payment.disputed',
        'dispute.closed',
        'payment.refunded',
        'refund.failed',
        'payment.refunded',
      ]);
      await saga().check(order.orderId);
    },
  );

  test.concurrent('a refusal is not kept under its key, and what was refunded since forbids it', async () => {
    const orderId = newOrderId();
    const carrier = { provider: 'easypost', operation: 'shipments.buy', match: { orderId } } as const;
    await saga().addFault({ ...carrier, id: `held-${orderId}`, kind: 'error', status: 402 });
    const order = await saga().start({ orderId }, { steps: { shipping: { budgetMs: 400 } } });
    await saga().until(orderId, ({ parked }) => parked !== undefined);
    for (const key of ['ticket-1', 'ticket-2']) {
      expect(await refund(order, key)).toMatchObject({ status: 409, answer: { code: 'cancel_instead' } });
    }
    await saga().removeFault(`held-${orderId}`);
    await order.signal(resolveSignal, { action: 'retry', ...act });
    await expectEnd(saga(), order, { status: 'completed' });
    const part = { reason: 'as agreed', amount: { amount: '100.00', currency: 'INR' } };
    const [paid, again] = await Promise.all([
      refund(order, 'ticket-1', part),
      refund(order, 'ticket-1', part),
    ]);
    expect(paid).toMatchObject({ status: 200, answer: { state: 'refunded' } });
    expect(again.answer).toEqual(paid.answer);
    expect((await refund(order, 'ticket-1')).status).toBe(422);
    for (let times = 0; times < 2; times += 1) {
      expect(await refund(order, 'ticket-2')).toMatchObject({
        status: 409,
        answer: { code: 'changed_since' },
      });
    }
    expect((await booksOf(saga(), orderId)).provider.refunded.map(({ amount }) => amount)).toEqual([10_000]);
    expect(await refund(order, 'ticket-3')).toMatchObject({ status: 200, answer: { state: 'refunded' } });
    await saga().check(orderId);
  });

  test('a refund whose run somebody terminated goes on by the sweep, once, and its trail says so', async () => {
    const order = await shipped();
    const { orderId } = order;
    const id = `away-${orderId}`;
    const fault = { provider: 'stripe', operation: 'refunds.create', kind: 'rate-limit' } as const;
    await saga().addFault({ id, ...fault, match: { orderId } });
    const asked = await refund(order, 'k-1');
    expect(asked).toMatchObject({ status: 202, answer: { state: 'requested' } });
    const workflowId = refundWorkflowIdOf(orderId, asked.answer.refundId);
    await saga().client.workflow.getHandle(workflowId).terminate('by mistake');
    await saga().removeFault(id);
    const { store } = saga().deps;
    const refunds = createRefundWorkflows(saga().client, {
      taskQueues: taskQueues(saga().config.TASK_QUEUE_PREFIX),
      policy: withPolicy(defaultPolicy, quickPolicy),
    });
    const sweep = () => sweepRefunds({ store, refunds, clock: systemClock, askedForMs: 0 });
    await Promise.all([sweep(), sweep()]);
    await until(
      () => money(order),
      (now) => now.refunds[0]?.state === 'refunded',
      20_000,
    );
    expect((await sweep()).started).toBe(0);
    const { provider: books, audit } = await booksOf(saga(), orderId);
    expect(books.refunded).toHaveLength(1);
    expect(audit.filter(({ to }) => to === 'begun again')).toMatchObject([
      { actor: 'sweep', step: 'refund' },
    ]);
    await saga().check(orderId);
  });

  test.concurrent('a refund whose run somebody terminated goes on when it is asked for again', async () => {
    const order = await shipped();
    const id = `away-${order.orderId}`;
    await saga().addFault({
      id,
      provider: 'stripe',
      operation: 'refunds.create',
      kind: 'rate-limit',
      match: { orderId: order.orderId },
    });
    const asked = await refund(order, 'k-1');
    expect(asked).toMatchObject({ status: 202, answer: { state: 'requested' } });
    const workflowId = refundWorkflowIdOf(order.orderId, asked.answer.refundId);
    await saga().client.workflow.getHandle(workflowId).terminate('by mistake');
    await saga().removeFault(id);
    expect(await money(order)).toMatchObject({ left: { amount: '0.00' }, refunds: [{ state: 'requested' }] });
    expect(await refund(order, 'k-1')).toMatchObject({ status: 200, answer: { state: 'refunded' } });
    expect((await booksOf(saga(), order.orderId)).provider.refunded).toHaveLength(1);
    await saga().check(order.orderId);
  });
});
