import { randomUUID } from 'node:crypto';
import { createDebtRuns } from '../../adapters/temporal/debts.ts';
import { taskQueues, type OrderId } from '../../domain/ids.ts';
import { defaultPolicy, withPolicy } from '../../domain/policy.ts';
import type { PaymentSubject } from '../../domain/refunds.ts';
import { sweepDebts } from '../../workers/jobs/sweep-debts.ts';
import { followPayment } from '../../workflows/index.ts';
import { readBooks } from '../checker/books.ts';
import { quickPolicy, type SagaEnvironment } from '../setup/saga-environment.ts';

/** The customer's bank at the sandbox, and the payment provider's notices of what it does. */
export function bankOf(saga: SagaEnvironment) {
  const tell = async (path: string, body: object): Promise<{ id: string }> => {
    const response = await fetch(`${saga.sandbox.url}/sandbox/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { id: string };
  };
  const input = {
    policy: withPolicy(defaultPolicy, quickPolicy),
    taskQueues: taskQueues(saga.config.TASK_QUEUE_PREFIX),
  };
  /** A notice arrives and is looked up. */
  const notice = async (subject: PaymentSubject): Promise<void> => {
    await saga.client.workflow.execute(followPayment, {
      workflowId: `payment-notice-${randomUUID()}`,
      taskQueue: input.taskQueues.orders,
      args: [{ ...input, subject }],
    });
  };
  const intentOf = async (orderId: OrderId): Promise<string> => {
    const books = await readBooks({ store: saga.deps.store, sandboxUrl: saga.sandbox.url }, orderId);
    return books?.provider.charged[0]?.intent ?? '';
  };
  return {
    notice,
    intentOf,
    async dispute(orderId: OrderId, inquiry = false): Promise<string> {
      const { id } = await tell('disputes', { payment_intent: await intentOf(orderId), inquiry });
      await notice({ kind: 'dispute', id });
      return id;
    },
    /** What is owed to customers is settled from now on, as the upkeep sees to it. */
    followDebts: () => sweepDebts({ store: saga.deps.store, debts: createDebtRuns(saga.client, input) }),
    decide: (id: string, status: 'won' | 'lost') => tell(`disputes/${id}/decide`, { status }),
  };
}
