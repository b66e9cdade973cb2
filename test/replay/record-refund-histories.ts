import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { debtWorkflowIdOf, orderId as toOrderId, refundWorkflowIdOf, taskQueues } from '../../domain/ids.ts';
import { defaultPolicy, withPolicy } from '../../domain/policy.ts';
import type { RequestRefund } from '../../domain/refunds.ts';
import { followPayment, refundOrder, settleDebt } from '../../workflows/index.ts';
import { cancelOrder } from '../../workflows/messages.ts';
import { quickPolicy, startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';
import { payInTab } from '../support/customer-browser.ts';
import { writeHistory } from './history-files.ts';

/* Records the histories of refunds and of the provider's notices anew; with `npm run record-histories`. */
describe('recording histories of refunds', () => {
  let saga: SagaEnvironment;
  beforeAll(async () => {
    saga = await startSagaEnvironment();
  });
  afterAll(() => saga?.close());

  const shipped = async (paymentMethodId = 'pm_card_visa') => {
    const order = await saga.start({ paymentMethodId });
    await order.result();
    return order;
  };
  const input = () => ({
    policy: withPolicy(withPolicy(defaultPolicy, quickPolicy), { actionPollMs: 20 }),
    taskQueues: taskQueues(saga.config.TASK_QUEUE_PREFIX),
  });
  const write = async (name: string, run: { workflowId: string; firstExecutionRunId: string }) =>
    writeHistory(
      { temporalCli: inject('temporalCli'), temporalAddress: inject('temporalAddress') },
      { name, workflowId: run.workflowId, runId: run.firstExecutionRunId },
    );
  const refund = async (paymentMethodId?: string, amount?: RequestRefund['amount']) => {
    const { orderId } = await shipped(paymentMethodId);
    const run = await saga.client.workflow.start(refundOrder, {
      workflowId: refundWorkflowIdOf(orderId, 'a'.repeat(32)),
      taskQueue: input().taskQueues.orders,
      args: [
        {
          ...input(),
          refund: {
            orderId,
            refundId: 'a'.repeat(32),
            ...(amount ? { amount } : {}),
            reason: 'one key was stuck',
            actor: 'help-desk',
            fingerprint: 'f'.repeat(64),
          },
        },
      ],
    });
    return { run, orderId, answer: await run.result() };
  };
  const follow = async (kind: 'refund' | 'dispute' | 'payment', id: string) => {
    const run = await saga.client.workflow.start(followPayment, {
      workflowId: `payment-notice-evt_${id}`,
      taskQueue: input().taskQueues.orders,
      args: [{ ...input(), subject: { kind, id } }],
    });
    await run.result();
    return run;
  };
  const atProvider = async (orderId: string) => {
    const response = await fetch(`${saga.sandbox.url}/sandbox/ledger?orderId=${orderId}`);
    return (await response.json()) as {
      charged: { intent: string }[];
      refunded: { refund: string }[];
      disputes: { dispute: string }[];
    };
  };

  const tell = async (path: string, body: object) => {
    const response = await fetch(`${saga.sandbox.url}/sandbox/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.ok, await response.text()).toBe(true);
  };

  test('refund-of-a-part', async () => {
    const { run, answer } = await refund(undefined, { amountMinor: 50_000, currency: 'INR' });
    expect(answer).toMatchObject({ status: 'taken', refund: { state: 'refunded' } });
    await write('refund-of-a-part', run);
  });

  test('refund-refused', async () => {
    const { run, answer } = await refund(undefined, { amountMinor: 900_000, currency: 'INR' });
    expect(answer).toMatchObject({ status: 'refused', code: 'amount_too_large' });
    await write('refund-refused', run);
  });

  test('refund-on-its-way, refund-followed', async () => {
    const { run, orderId, answer } = await refund('pm_card_pendingRefund');
    expect(answer).toMatchObject({ refund: { state: 'refunded' } });
    await write('refund-on-its-way', run);
    const { refunded } = await atProvider(orderId);
    await write('refund-followed', await follow('refund', refunded[0]?.refund ?? ''));
  });

  test('debt-refunded, dispute-wakes-debt', async () => {
    const orderId = toOrderId(crypto.randomUUID());
    const held = { provider: 'easypost', operation: 'shipments.buy', kind: 'error', status: 402 } as const;
    await saga.addFault({ ...held, id: 'held', match: { orderId } });
    const order = await saga.start(
      { orderId, paymentMethodId: 'pm_card_visa' },
      { steps: { shipping: { budgetMs: 400 } } },
    );
    await saga.until(orderId, ({ parked }) => parked?.activity === 'shipping');
    const { charged } = await atProvider(orderId);
    await tell('disputes', { payment_intent: charged[0]?.intent ?? '', reason: 'fraudulent' });
    await order.executeUpdate(cancelOrder, { args: [{ actor: 'customer', reason: 'ordered by mistake' }] });
    await order.result();
    const run = await saga.client.workflow.start(settleDebt, {
      workflowId: debtWorkflowIdOf(orderId, 1),
      taskQueue: input().taskQueues.orders,
      args: [{ ...input(), orderId, n: 1 }],
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { disputes } = await atProvider(orderId);
    const dispute = disputes[0]?.dispute ?? '';
    await tell(`disputes/${dispute}/decide`, { status: 'won' });
    const told = await follow('dispute', dispute);
    expect(await run.result()).toMatchObject({ state: 'refunded' });
    await write('debt-refunded', run);
    await write('dispute-wakes-debt', told);
  });

  test('late-charge-followed', async () => {
    const order = await saga.start({ paymentMethodId: 'pm_card_chargeDeclined' });
    await saga.until(order.orderId, ({ hold }) => hold !== undefined);
    const [books] = await saga.deps.store.read.ledger(order.orderId);
    const intentId = books?.payments[0]?.intentId ?? '';
    await payInTab(saga, intentId);
    await write('late-charge-followed', await follow('payment', intentId));
    expect(await order.result()).toMatchObject({ status: 'completed' });
  });

  test('dispute-followed', async () => {
    const { orderId } = await shipped('pm_card_createDispute');
    const { disputes } = await atProvider(orderId);
    expect(disputes).toHaveLength(1);
    await write('dispute-followed', await follow('dispute', disputes[0]?.dispute ?? ''));
  });
});
