import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { TechnicalFailure, type Refusal } from '../domain/failures.ts';

/** A business answer thrown by an activity: never retried, no error log, the workflow branches on its type. */
export const refusalFailure = (refusal: Refusal): ApplicationFailure =>
  ApplicationFailure.create({
    type: refusal.type,
    message: refusal.reason,
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
    details: [refusal],
  });

/** A technical failure for Temporal to retry, with the provider's or lock's earliest useful time. */
export const technicalFailure = (error: TechnicalFailure): ApplicationFailure =>
  ApplicationFailure.create({
    type: error.type,
    message: error.message,
    cause: error,
    ...(error.retryAfterMs === undefined ? {} : { nextRetryDelay: error.retryAfterMs }),
  });

/** Wraps an activity so that technical failures reach Temporal under their own type. Bugs pass through as they are. */
export const asActivity =
  <Input, Output>(activity: (input: Input) => Promise<Output>) =>
  async (input: Input): Promise<Output> => {
    try {
      return await activity(input);
    } catch (error) {
      throw error instanceof TechnicalFailure ? technicalFailure(error) : error;
    }
  };
