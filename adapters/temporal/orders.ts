import {
  ApplicationFailure,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
  type WorkflowExecutionInfo,
  type WorkflowHandle,
} from '@temporalio/client';
import { executionInfoFromRaw } from '@temporalio/client/lib/helpers.js';
import { defineSearchAttributeKey, type UpdateDefinition } from '@temporalio/common';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { orderId, workflowIdOf, type OrderId, type TaskQueues } from '../../domain/ids.ts';
import type { OrderStatus, OrderView, SagaState } from '../../domain/order.ts';
import { retriedStep, type Retrying } from '../../domain/retries.ts';
import { searchAttributes, type OrderMemo } from '../../domain/search-attributes.ts';
import {
  actRefused,
  fulfillOrderName,
  getAct,
  getOrder,
  getRefusal,
  paymentNotice,
} from '../../workflows/messages.ts';
import { TookTooLong, within } from '../../ports/bounded.ts';
import {
  TemporalUnavailable,
  type ListOrders,
  type OrderSummary,
  type OrderWorkflows,
  type StartOrder,
  type UpdateAnswer,
} from '../../ports/temporal.ts';
import { visibilityQuery } from './visibility.ts';
import type { Act } from '../../domain/order-run.ts';

/** gRPC status codes, by number as they travel. */
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;

const keys = {
  status: defineSearchAttributeKey(searchAttributes.orderStatus, 'KEYWORD'),
  sagaState: defineSearchAttributeKey(searchAttributes.sagaState, 'KEYWORD'),
  parkedStep: defineSearchAttributeKey(searchAttributes.parkedStep, 'KEYWORD'),
  failureType: defineSearchAttributeKey(searchAttributes.failureType, 'KEYWORD'),
  customerHash: defineSearchAttributeKey(searchAttributes.customerHash, 'KEYWORD'),
  callerId: defineSearchAttributeKey(searchAttributes.callerId, 'KEYWORD'),
};

/** OrderWorkflows through a Temporal client; no connection is made before the first call. */
export function createOrderWorkflows(client: Client, queues: TaskQueues): OrderWorkflows {
  const call = <T>(timeoutMs: number, what: string, work: () => Promise<T>): Promise<T> =>
    within(timeoutMs, what, () => client.withDeadline(Date.now() + timeoutMs, work));
  const handleOf = (id: OrderId) => client.workflow.getHandle(workflowIdOf(id));

  return {
    async start(order) {
      try {
        await call(1_400, 'start', () =>
          client.workflow.start(fulfillOrderName, startOptions(order, queues)),
        );
        return 'started';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return 'exists';
        throw unavailable('start', error);
      }
    },
    query: (id) =>
      undefinedWhenNotFound('query', () => call(300, 'query', () => handleOf(id).query(getOrder))),
    describe: (id) =>
      undefinedWhenNotFound('describe', () =>
        call(500, 'describe', async () => summaryOf(await handleOf(id).describe())),
      ),
    async retrying(id) {
      try {
        const { raw } = await call(500, 'describe', () => handleOf(id).describe());
        return retryingIn(raw.pendingActivities ?? []);
      } catch {
        return undefined;
      }
    },
    async update<Input extends Act>(
      id: OrderId,
      definition: UpdateDefinition<OrderView, [Input]>,
      act: Input,
      options: { updateId?: string } = {},
    ): Promise<UpdateAnswer> {
      try {
        const view = await call(4_000, 'update', () =>
          handleOf(id).executeUpdate(definition, { args: [act], ...options }),
        );
        return { status: 'accepted', view };
      } catch (error) {
        return updateFailure(error);
      }
    },
    async act(id, actId) {
      try {
        return (await call(1_000, 'query', () => handleOf(id).query(getAct, { id: actId }))) ?? undefined;
      } catch {
        return undefined;
      }
    },
    async refusal(id, act) {
      try {
        return await call(3_000, 'query', () => handleOf(id).query(getRefusal, act));
      } catch {
        // No worker, no such order, or one of an earlier version: nobody can say.
        return undefined;
      }
    },
    async notifyPayment(id, eventId) {
      const sent = await undefinedWhenNotFound('signal', () =>
        call(2_000, 'signal', async () => {
          await handleOf(id).signal(paymentNotice, { eventId });
          return true;
        }),
      );
      return sent === true;
    },
    async list(input) {
      try {
        return await call(2_000, 'list', () => listPage(client, queues, input));
      } catch (error) {
        throw unavailable('list', error);
      }
    },
    async count(scope) {
      try {
        const query = visibilityQuery(queues, scope);
        return (await call(2_000, 'count', () => client.workflow.count(query))).count;
      } catch (error) {
        throw unavailable('count', error);
      }
    },
    async ping() {
      try {
        await call(1_000, 'ping', () => client.workflowService.getSystemInfo({}));
      } catch (error) {
        throw unavailable('ping', error);
      }
    },
  };
}

export function startOptions({ input, memo, customerHash }: StartOrder, queues: TaskQueues) {
  const { checkout } = input;
  return {
    workflowId: workflowIdOf(checkout.orderId),
    taskQueue: queues.orders,
    args: [input],
    workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    workflowIdConflictPolicy: 'FAIL' as const,
    typedSearchAttributes: [
      { key: keys.status, value: 'received' },
      { key: keys.sagaState, value: 'running' },
      { key: keys.customerHash, value: customerHash },
      { key: keys.callerId, value: checkout.callerId },
    ],
    memo: { ...memo },
    staticSummary: `Order ${checkout.orderId}: ${memo.summary}`,
    staticDetails: checkout.items.map((item) => `- ${item.quantity} × ${item.productId}`).join('\n'),
  };
}

async function undefinedWhenNotFound<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw unavailable(what, error);
  }
}

/** Everything Temporal or the wire to it can go wrong with; a bug of ours passes through as it is. */
function unavailable(what: string, error: unknown): unknown {
  const ofTemporal = error instanceof TookTooLong || grpcErrorOf(error) !== undefined;
  return ofTemporal || isNamedClientError(error) ? new TemporalUnavailable(what, error) : error;
}

/** Client errors without a gRPC status of their own: a refused query, a closed connection. */
const isNamedClientError = (error: unknown): boolean =>
  error instanceof Error &&
  ['ServiceError', 'QueryNotRegisteredError', 'QueryRejectedError', 'NamespaceNotFoundError'].includes(
    error.name,
  );

function grpcErrorOf(error: unknown): { code: number; details: string } | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return cause;
  }
  return undefined;
}

function updateFailure(error: unknown): UpdateAnswer {
  if (error instanceof WorkflowUpdateFailedError) return refusal(error);
  if (error instanceof WorkflowNotFoundError) return { status: 'gone' };
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || error instanceof TookTooLong) {
    return { status: 'unanswered' };
  }
  const grpc = grpcErrorOf(error);
  if (grpc && (grpc.code === RESOURCE_EXHAUSTED || grpc.code === FAILED_PRECONDITION)) {
    return { status: 'limited', reason: grpc.details };
  }
  throw unavailable('update', error);
}

function refusal(error: WorkflowUpdateFailedError): UpdateAnswer {
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) throw error;
  /* The workflow closed after it had accepted the act and before the act was answered. */
  if (cause.type === 'AcceptedUpdateCompletedWorkflow') return { status: 'gone' };
  if (cause.type !== actRefused) throw error;
  const [code, legalActs] = (cause.details ?? []) as [string?, string[]?];
  return { status: 'refused', reason: cause.message, code, ...(legalActs ? { legalActs } : {}) };
}

export function summaryOf(info: Omit<WorkflowExecutionInfo, 'raw'>): OrderSummary {
  const attributes = info.typedSearchAttributes;
  const parkedStep = attributes.get(keys.parkedStep);
  const failureType = attributes.get(keys.failureType);
  return {
    orderId: orderId(info.workflowId.replace(/^order-/, '')),
    memo: (info.memo ?? {}) as unknown as OrderMemo,
    status: (attributes.get(keys.status) ?? 'received') as OrderStatus,
    sagaState: (attributes.get(keys.sagaState) ?? 'running') as SagaState,
    ...(parkedStep ? { parkedStep } : {}),
    ...(failureType ? { failureType } : {}),
    running: info.status.name === 'RUNNING',
    ...(info.status.name === 'RUNNING' ? {} : { closedAs: info.status.name }),
    startedAtUtc: info.startTime.toISOString(),
  };
}

type PendingActivity = NonNullable<
  Awaited<ReturnType<WorkflowHandle['describe']>>['raw']['pendingActivities']
>[number];

/** Of several the one that has failed most often. */
function retryingIn(pending: readonly PendingActivity[]): Retrying | undefined {
  const failing = pending.filter(
    ({ activityType, attempt }) => (attempt ?? 1) > 1 && retriedStep(activityType?.name ?? ''),
  );
  const [first, ...others] = failing;
  if (!first) return undefined;
  const worst = others.reduce((a, b) => ((b.attempt ?? 1) > (a.attempt ?? 1) ? b : a), first);
  const { activityType, attempt, lastFailure, nextAttemptScheduleTime, lastStartedTime } = worst;
  const next = optionalTsToMs(nextAttemptScheduleTime);
  /* Temporal keeps the time of an attempt that has begun meanwhile. */
  const begun = next !== undefined && (optionalTsToMs(lastStartedTime) ?? 0) >= next;
  return {
    activity: activityType?.name ?? '',
    failures: (attempt ?? 1) - 1,
    failureType: lastFailure?.applicationFailureInfo?.type ?? 'TimeoutFailure',
    failure: lastFailure?.message ?? '',
    ...(next === undefined || begun ? {} : { nextAttemptAtUtc: new Date(next).toISOString() }),
  };
}

async function listPage(client: Client, queues: TaskQueues, input: ListOrders) {
  const { namespace, loadedDataConverter } = client.options;
  const answer = await client.workflowService.listWorkflowExecutions({
    namespace,
    query: visibilityQuery(queues, input),
    pageSize: input.pageSize,
    ...(input.pageToken ? { nextPageToken: input.pageToken } : {}),
  });
  const orders = await Promise.all(
    answer.executions.map(async (raw) =>
      summaryOf(await executionInfoFromRaw(raw, loadedDataConverter, raw, namespace)),
    ),
  );
  return { orders, nextPageToken: answer.nextPageToken.length > 0 ? answer.nextPageToken : undefined };
}
