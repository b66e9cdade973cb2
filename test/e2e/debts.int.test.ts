import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createDebtRuns } from '../../adapters/temporal/debts.ts';
import { debtWorkflowIdOf, refundWorkflowIdOf, taskQueues, type OrderId } from '../../domain/ids.ts';
import { owedOf } from '../../domain/owed.ts';
import { defaultPolicy, withPolicy } from '../../domain/policy.ts';
import type { RefundState } from '../../domain/refunds.ts';
import type { DebtReads } from '../../ports/refunds.ts';
import { sweepDebts } from '../../workers/jobs/sweep-debts.ts';
import { followPayment, refundOrder } from '../../workflows/index.ts';
import { cancelOrder } from '../../workflows/messages.ts';
import { quickPolicy, until } from '../setup/saga-environment.ts';
import { act, booksOf, eventsOf, newOrderId, sagaSuite } from './saga-suite.ts';

const total = 749_900;

describe('an order that is taken back while the bank holds its charge', () => {
  const saga = sagaSuite();

  const input = () => ({
    /* Nobody is told of anything before the test says so. */
    policy: withPolicy(withPolicy(defaultPolicy, quickPolicy), { actionPollMs: 60_000 }),
    taskQueues: taskQueues(saga().config.TASK_QUEUE_PREFIX),
  });
  /** The sweep, as if there were only this debt. */
  const sweep = (orderId: OrderId) => {
    const { client, deps } = saga();
    const list: DebtReads['list'] = async (request) =>
      (await deps.store.read.debts.list(request)).filter((debt) => debt.orderId === orderId);
    return sweepDebts({ store: { read: { debts: { list } } }, debts: createDebtRuns(client, input()) });
  };
  const tell = async (path: string, body: object) => {
    const response = await fetch(`${saga().sandbox.url}/sandbox/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.ok, await response.text()).toBe(true);
  };
  const disputeOf = async (orderId: OrderId) =>
    (await booksOf(saga(), orderId)).provider.disputes[0]?.dispute ?? '';
  const follow = async (orderId: OrderId) =>
    saga().client.workflow.execute(followPayment, {
      workflowId: `payment-notice-${randomUUID()}`,
      taskQueue: input().taskQueues.orders,
      args: [{ ...input(), subject: { kind: 'dispute', id: await disputeOf(orderId) } }],
    });
  /** The bank decides, and its notice arrives. */
  const decide = async (orderId: OrderId, status: 'won' | 'lost') => {
    await tell(`disputes/${await disputeOf(orderId)}/decide`, { status });
    await follow(orderId);
  };
  const moneyOf = async (orderId: OrderId) => {
    const { provider, ledger } = await booksOf(saga(), orderId);
    return {
      back: provider.refunded.map(({ amount }) => amount),
      states: ledger.refunds.map(({ state }) => state),
      owed: owedOf(ledger).map(({ amount, why }) => [amount.amountMinor, why]),
    };
  };
  const settled = (orderId: OrderId, state: RefundState) =>
    until(
      () => moneyOf(orderId),
      ({ states }) => states.includes(state),
    );
  const takenBack = async () => {
    const orderId = newOrderId();
    const carrier = { provider: 'easypost', operation: 'shipments.buy', match: { orderId } } as const;
    await saga().addFault({ ...carrier, id: `held-${orderId}`, kind: 'error', status: 402 });
    const order = await saga().start(
      { orderId, paymentMethodId: 'pm_card_createDispute' },
      { steps: { shipping: { budgetMs: 400 } } },
    );
    await saga().until(orderId, ({ parked }) => parked?.activity === 'shipping');
    await order.executeUpdate(cancelOrder, { args: [act] });
    await saga().removeFault(`held-${orderId}`);
    /* The rules ask for the debt's run, which each test begins in its own way. */
    expect((await order.result()).status).toBe('cancelled');
    return orderId;
  };
  const runOf = (orderId: OrderId) => saga().client.workflow.getHandle(debtWorkflowIdOf(orderId, 1));

  test.concurrent('gives its stock back and ends, and says what it owes', async () => {
    const orderId = await takenBack();
    const { ledger, audit } = await booksOf(saga(), orderId);
    expect(ledger).toMatchObject({ status: 'cancelled', reservedUnits: 0 });
    expect(await moneyOf(orderId)).toEqual({ back: [], states: ['owed'], owed: [[total, 'disputed']] });
    expect(owedOf(ledger)[0]?.dispute).toMatchObject({ dueByUtc: expect.stringMatching(/^20/) });
    expect(await eventsOf(saga(), orderId)).toEqual(
      expect.arrayContaining(['payment.disputed', 'refund.owed', 'inventory.released', 'order.cancelled']),
    );
    expect(audit.find(({ to }) => to === 'refund_owed')?.reason).toMatch(
      /^7499\.00 INR are owed until dispute/,
    );
    const debts = await saga().deps.store.read.debts.list({ limit: 1_000 });
    expect(debts.filter((debt) => debt.orderId === orderId)).toMatchObject([
      { n: 1, amount: { amountMinor: total } },
    ]);
    await sweep(orderId);
    await saga().check(orderId);
  });

  test.concurrent('gives the money back once when the dispute is won', async () => {
    const orderId = await takenBack();
    await sweep(orderId);
    await decide(orderId, 'won');
    expect(await runOf(orderId).result()).toMatchObject({ state: 'refunded' });
    expect(await moneyOf(orderId)).toEqual({ back: [total], states: ['refunded'], owed: [] });
    await Promise.all([sweep(orderId), follow(orderId), follow(orderId)]);
    expect((await moneyOf(orderId)).back).toEqual([total]);
    await saga().check(orderId);
  });

  test.concurrent('gives nothing back when the dispute is lost', async () => {
    const orderId = await takenBack();
    await sweep(orderId);
    await decide(orderId, 'lost');
    expect(await runOf(orderId).result()).toMatchObject({ state: 'canceled' });
    expect(await moneyOf(orderId)).toEqual({ back: [], states: ['canceled'], owed: [] });
    await saga().check(orderId);
  });

  test.concurrent('finds out by itself, and where no run had been started before', async () => {
    const orderId = await takenBack();
    await tell(`disputes/${await disputeOf(orderId)}/decide`, { status: 'won' });
    await sweep(orderId);
    expect(await settled(orderId, 'refunded')).toMatchObject({ back: [total], owed: [] });
    const { ledger } = await booksOf(saga(), orderId);
    expect(ledger.disputes).toMatchObject([{ state: 'won' }]);
    await saga().check(orderId);
  });

  test.concurrent('has its debt settled by the next run when the first one is terminated', async () => {
    const orderId = await takenBack();
    await sweep(orderId);
    const { runId } = await runOf(orderId).describe();
    await sweep(orderId);
    expect((await runOf(orderId).describe()).runId, 'one run at a time').toBe(runId);
    await runOf(orderId).terminate('by hand');
    await sweep(orderId);
    expect((await runOf(orderId).describe()).runId).not.toBe(runId);
    await decide(orderId, 'won');
    expect(await settled(orderId, 'refunded')).toMatchObject({ back: [total] });
    await saga().check(orderId);
  });

  test.concurrent(
    'gives back once though replies get lost, a 500 is stored and nobody hears of the end',
    async () => {
      const orderId = await takenBack();
      const refunds = { provider: 'stripe', operation: 'refunds.create', match: { orderId } } as const;
      await tell(`disputes/${await disputeOf(orderId)}/decide`, { status: 'won' });
      await saga().addFault({ ...refunds, kind: 'error', status: 500, times: 1 });
      await saga().addFault({ ...refunds, kind: 'reply-lost', times: 2 });
      await sweep(orderId);
      expect(await settled(orderId, 'refunded')).toMatchObject({ back: [total], owed: [] });
      await saga().check(orderId);
    },
  );

  test.concurrent(
    'says what it still owes when the refund comes back from the bank, until a person has paid it',
    async () => {
      const orderId = await takenBack();
      await sweep(orderId);
      await decide(orderId, 'won');
      await runOf(orderId).result();
      const [refund] = (await booksOf(saga(), orderId)).provider.refunded;
      await tell(`refunds/${refund?.refund}/fail`, { reason: 'lost_or_stolen_card' });
      await saga().client.workflow.execute(followPayment, {
        workflowId: `payment-notice-${randomUUID()}`,
        taskQueue: input().taskQueues.orders,
        args: [{ ...input(), subject: { kind: 'refund', id: refund?.refund ?? '' } }],
      });
      expect((await moneyOf(orderId)).owed).toEqual([[total, 'refund_failed']]);
      await sweep(orderId);
      expect((await moneyOf(orderId)).back).toEqual([]);
      await saga().check(orderId);
      const refundId = 'a'.repeat(32);
      const paid = {
        orderId,
        refundId,
        paidOtherwise: true,
        reason: 'bank transfer 4711',
        actor: 'help-desk',
        fingerprint: 'f',
      } as const;
      const pay = () =>
        saga().client.workflow.execute(refundOrder, {
          workflowId: `${refundWorkflowIdOf(orderId, refundId)}-${randomUUID()}`,
          taskQueue: input().taskQueues.orders,
          args: [{ ...input(), refund: paid }],
        });
      const answers = await Promise.all([pay(), pay()]);
      expect(answers).toMatchObject([1, 2].map(() => ({ refund: { state: 'paid_otherwise' } })));
      expect(await moneyOf(orderId)).toEqual({ back: [], states: ['failed', 'paid_otherwise'], owed: [] });
      await saga().check(orderId);
    },
  );
});
