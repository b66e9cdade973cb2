import { asyncLocalStorage } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import {
  orderNotInStore,
  TechnicalFailure,
  type foundAtProvider,
  type referenceNotConfirmed,
  type FailedAttempt,
  type Refusal,
  type serviceNotOffered,
} from '../domain/failures.ts';
import type { OrderId } from '../domain/ids.ts';

/** A business answer thrown by an activity: never retried, no error log, the workflow branches on its type. */
export const refusalFailure = (refusal: Refusal): ApplicationFailure =>
  ApplicationFailure.create({
    type: refusal.type,
    message: refusal.reason,
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
    details: [refusal],
  });

/** Tells the operator whose `resolve` led here why it cannot be; see domain/failures. No error log. */
export const operatorRefusal = (
  type: typeof serviceNotOffered | typeof referenceNotConfirmed | typeof foundAtProvider,
  message: string,
  details: readonly object[] = [],
): ApplicationFailure =>
  ApplicationFailure.create({
    type,
    message,
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
    ...(details.length > 0 ? { details: [...details] } : {}),
  });

/** SQL has answered that the order's row is gone; see domain/failures. What parks on it and what waits is the caller's affair. */
export const missingOrder = (orderId: OrderId): ApplicationFailure =>
  ApplicationFailure.create({
    type: orderNotInStore,
    message: `Order ${orderId} is not in the store; expected recordOrder to have written it. Was SQL restored from a backup?`,
  });

/** However long a provider asks to stay away: an order must not sleep for a day. */
const MAXIMUM_RETRY_DELAY_MS = 5 * 60 * 1_000;

/**
 * A technical failure for Temporal to retry, with the provider's or lock's earliest useful time. A delay of zero is
 * left out (the policy's back-off holds): with it Temporal 1.29 does not try again at all. `attempt` tells people how
 * often it was tried.
 */
export const technicalFailure = (error: TechnicalFailure, attempt?: number): ApplicationFailure => {
  const { type, message, retryAfterMs = 0 } = error;
  const nextRetryDelay = Math.min(retryAfterMs, MAXIMUM_RETRY_DELAY_MS);
  return ApplicationFailure.create({
    type,
    message,
    cause: error,
    ...(attempt === undefined ? {} : { details: [{ attempt }] }),
    ...(nextRetryDelay > 0 ? { nextRetryDelay } : {}),
  });
};

/**
 * Wraps an activity so that technical failures reach Temporal under their own type. Bugs pass through as they are.
 * The failure is a heartbeat as well: an attempt that is under way when the step's budget ends hides what the earlier
 * ones said, and only the last heartbeat stands behind that time-out.
 */
export const asActivity =
  <Input, Output>(activity: (input: Input) => Promise<Output>) =>
  async (input: Input): Promise<Output> => {
    try {
      return await activity(input);
    } catch (error) {
      if (!(error instanceof TechnicalFailure)) throw error;
      const context = asyncLocalStorage.getStore();
      /* Undefined outside of a worker. */
      const attempt = context?.info.attempt;
      const { type, message } = error;
      /* A local one has no heartbeats. */
      if (context?.info.isLocal === false)
        context.heartbeat({ attempt, type, message } satisfies FailedAttempt);
      throw technicalFailure(error, attempt);
    }
  };
