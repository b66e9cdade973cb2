import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { refundWorkflowIdOf, taskQueues } from '../../domain/ids.ts';
import { defaultPolicy, withPolicy } from '../../domain/policy.ts';
import type { RequestRefund } from '../../domain/refunds.ts';
import { followPayment, refundOrder } from '../../workflows/index.ts';
import { quickPolicy, startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';
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
  const follow = async (kind: 'refund' | 'dispute', id: string) => {
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
    return (await response.json()) as { refunded: { refund: string }[]; disputes: { dispute: string }[] };
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

  test('dispute-followed', async () => {
    const { orderId } = await shipped('pm_card_createDispute');
    const { disputes } = await atProvider(orderId);
    expect(disputes).toHaveLength(1);
    await write('dispute-followed', await follow('dispute', disputes[0]?.dispute ?? ''));
  });
});
