import {
  ActivityCancellationType,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { StepPolicy } from '../domain/policy.ts';
import type {
  CarrierActivities,
  OrderActivities,
  PaymentActivities,
} from '../activities/create-activities.ts';
import { orderNotInStore } from '../domain/failures.ts';
import { isRefusal } from './failures.ts';
import type { FulfillOrder } from '../domain/order-run.ts';

/** No retry cures it: what has a budget, and so somebody who parks, ends with it at once. */
const incurable = [orderNotInStore];

/** Activity options of a step, straight from its policy. Past the budget the step parks; the workflow never fails. */
const optionsOf = ({ policy, summary, needsRow = policy.budgetMs !== undefined }: CallOptions) => ({
  summary,
  startToCloseTimeout: policy.attemptTimeoutMs,
  ...(policy.budgetMs === undefined ? {} : { scheduleToCloseTimeout: policy.budgetMs }),
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  retry: {
    initialInterval: policy.initialIntervalMs,
    backoffCoefficient: policy.backoffCoefficient,
    maximumInterval: policy.maximumIntervalMs,
    ...(needsRow ? { nonRetryableErrorTypes: incurable } : {}),
  },
});

/** How a call is tried, and what the Web UI says it is for. */
export interface CallOptions {
  policy: StepPolicy;
  summary: string;
  /** Ends at once where SQL has no row of the order. Default: where the policy has a budget. */
  needsRow?: boolean;
}

type AddressQuestion = Parameters<CarrierActivities['verifyAddress']>[0];

/**
 * The activities of one order, each family on its own task queue and under the step's policy. `beforeLocal` is called
 * before each local one.
 */
export function createSteps(
  { taskQueues, policy }: Pick<FulfillOrder, 'taskQueues' | 'policy'>,
  beforeLocal: () => void = () => undefined,
) {
  const local = ({ summary }: CallOptions) =>
    proxyLocalActivities<OrderActivities>({
      summary,
      startToCloseTimeout: policy.localActivityMs,
      scheduleToCloseTimeout: policy.localActivityMs,
      localRetryThreshold: policy.localActivityMs,
      retry: {
        initialInterval: 100,
        backoffCoefficient: 2,
        maximumAttempts: 4,
        nonRetryableErrorTypes: incurable,
      },
    });

  /**
   * A step that only touches SQL: a local activity, and when that does not get through an ordinary one, which holds
   * neither queries nor updates up while it is retried.
   */
  async function sql<Result>(
    options: CallOptions,
    call: (activities: OrderActivities) => Promise<Result>,
  ): Promise<Result> {
    beforeLocal();
    try {
      return await call(local(options));
    } catch (error) {
      if (isCancellation(error) || isRefusal(error)) throw error;
      return call(orders(options));
    }
  }

  const orders = (options: CallOptions) =>
    proxyActivities<OrderActivities>({ ...optionsOf(options), taskQueue: taskQueues.orders });

  const payments = (options: CallOptions) =>
    proxyActivities<PaymentActivities>({ ...optionsOf(options), taskQueue: taskQueues.payments });

  const carrier = (options: CallOptions) =>
    proxyActivities<CarrierActivities>({ ...optionsOf(options), taskQueue: taskQueues.carrier });

  /**
   * Asks the carrier about an address. A question has no effect, so the first one may be asked next to the workflow, for
   * as short as the policy says; whatever else comes of it, the step is the ordinary one on the carrier's own task queue.
   */
  async function verifyAddress(options: CallOptions, question: AddressQuestion): Promise<void> {
    const { addressAtOnceMs: forMs } = policy;
    if (forMs && (await askAtOnce(forMs, options, question))) return;
    await carrier(options).verifyAddress(question);
  }

  async function askAtOnce(
    forMs: number,
    { summary }: CallOptions,
    question: AddressQuestion,
  ): Promise<boolean> {
    const near = proxyLocalActivities<OrderActivities>({
      summary,
      startToCloseTimeout: forMs,
      scheduleToCloseTimeout: forMs,
      retry: { maximumAttempts: 1 },
    });
    beforeLocal();
    try {
      await near.verifyAddressAtOnce({ ...question, attemptTimeoutMs: forMs });
      return true;
    } catch (error) {
      if (isCancellation(error) || isRefusal(error)) throw error;
      return false;
    }
  }

  return { sql, orders, payments, carrier, verifyAddress };
}

export type Steps = ReturnType<typeof createSteps>;
