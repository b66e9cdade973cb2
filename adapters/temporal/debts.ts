import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { debtWorkflowIdOf, type TaskQueues } from '../../domain/ids.ts';
import type { SagaPolicy } from '../../domain/policy.ts';
import { settleDebtName, type SettleDebt } from '../../workflows/refund-messages.ts';
import { within } from '../../ports/bounded.ts';
import { TemporalUnavailable, type DebtRuns } from '../../ports/temporal.ts';

/** DebtRuns through a Temporal client: one run per debt at a time, begun again whatever became of the last. */
export function createDebtRuns(
  client: Client,
  { taskQueues, policy }: { taskQueues: TaskQueues; policy: SagaPolicy },
): DebtRuns {
  return {
    async ensure({ orderId, n }) {
      const input: SettleDebt = { orderId, n, policy, taskQueues };
      const start = () =>
        client.workflow.start(settleDebtName, {
          workflowId: debtWorkflowIdOf(orderId, n),
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          workflowIdConflictPolicy: 'FAIL',
          taskQueue: taskQueues.orders,
          args: [input],
          staticSummary: `What order ${orderId} owes until the dispute is over`,
        });
      try {
        await within(2_000, 'start', () => client.withDeadline(Date.now() + 2_000, start));
        return 'started';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return 'running';
        throw new TemporalUnavailable('start', error);
      }
    },
  };
}
