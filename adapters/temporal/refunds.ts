import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { paymentNoticeWorkflowIdOf, refundWorkflowIdOf, type TaskQueues } from '../../domain/ids.ts';
import type { SagaPolicy } from '../../domain/policy.ts';
import type { RequestRefund } from '../../domain/refunds.ts';
import { followPaymentName, refundOrderName } from '../../workflows/refund-messages.ts';
import type { refundOrder } from '../../workflows/refund-order.ts';
import { within } from '../../ports/bounded.ts';
import { TemporalUnavailable, type RefundWorkflows } from '../../ports/temporal.ts';

/** RefundWorkflows through a Temporal client; no connection is made before the first call. */
export function createRefundWorkflows(
  client: Client,
  options: { taskQueues: TaskQueues; policy: SagaPolicy },
): RefundWorkflows {
  const { taskQueues, policy } = options;
  const call = <T>(timeoutMs: number, what: string, work: () => Promise<T>): Promise<T> =>
    within(timeoutMs, what, () => client.withDeadline(Date.now() + timeoutMs, work));
  /* One that was terminated goes on when it is asked for again: its activities know how far it had come. */
  const once = {
    taskQueue: taskQueues.orders,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    workflowIdConflictPolicy: 'FAIL',
  } as const;
  const handleOf = ({ orderId, refundId }: Pick<RequestRefund, 'orderId' | 'refundId'>) =>
    client.workflow.getHandle<typeof refundOrder>(refundWorkflowIdOf(orderId, refundId));

  const begin = (refund: RequestRefund, how: Pick<Parameters<typeof start>[1], 'workflowIdReusePolicy'>) =>
    start(refundOrderName, {
      ...once,
      ...how,
      workflowId: refundWorkflowIdOf(refund.orderId, refund.refundId),
      args: [{ refund, policy, taskQueues }],
      memo: { fingerprint: refund.fingerprint },
      staticSummary: `Refund of order ${refund.orderId}: ${refund.reason.slice(0, 100)}`,
    });

  /** The last run of this id, and since when its request is refused where nothing else came of it. */
  async function lastOf(refund: RequestRefund): Promise<{ fingerprint: string; refusedAtUtc?: string }> {
    try {
      const { memo, runId, status, closeTime } = await call(600, 'describe', () =>
        handleOf(refund).describe(),
      );
      const fingerprint = String(memo?.['fingerprint']);
      if (status.name !== 'COMPLETED') return { fingerprint };
      const run = client.workflow.getHandle<typeof refundOrder>(
        refundWorkflowIdOf(refund.orderId, refund.refundId),
        runId,
      );
      const answer = await call(600, 'result', () => run.result());
      if (answer.status !== 'refused') return { fingerprint };
      return { fingerprint, refusedAtUtc: answer.atUtc ?? closeTime?.toISOString() ?? '' };
    } catch (error) {
      throw new TemporalUnavailable('describe', error);
    }
  }

  /** False when there was one of this id before. */
  async function start(name: string, options: Parameters<Client['workflow']['start']>[1]): Promise<boolean> {
    try {
      await call(1_400, 'start', () => client.workflow.start(name, options));
      return true;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw new TemporalUnavailable('start', error);
    }
  }

  return {
    async start(refund) {
      if (await begin(refund, once)) return { status: 'started' };
      const before = await lastOf(refund);
      if (before.refusedAtUtc === undefined) return { status: 'exists', fingerprint: before.fingerprint };
      const again = { ...refund, refusedAtUtc: before.refusedAtUtc };
      if (await begin(again, { ...once, workflowIdReusePolicy: 'ALLOW_DUPLICATE' })) {
        return { status: 'started' };
      }
      return { status: 'exists', fingerprint: (await lastOf(refund)).fingerprint };
    },
    async end(refund, waitMs) {
      try {
        return await call(waitMs, 'result', () => handleOf(refund).result());
      } catch {
        // Not ended yet, or not to be asked now: it goes on.
        return undefined;
      }
    },
    async follow({ eventId, subject }) {
      await start(followPaymentName, {
        ...once,
        workflowId: paymentNoticeWorkflowIdOf(eventId),
        args: [{ subject, policy, taskQueues }],
        staticSummary: `The payment provider told of ${subject.kind} ${subject.id}`,
      });
    },
  };
}
