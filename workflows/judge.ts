import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { isFailureType, type Refusal } from '../domain/failures.ts';
import type { Verdict } from './saga.ts';

/** Thrown at the saga's safe points once a stop was accepted. */
export class SagaInterrupted extends Error {
  override name = 'SagaInterrupted';
}

/** The business answer inside an activity's failure; undefined when it is something else. */
export function refusalOf(error: unknown): Refusal | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof ApplicationFailure) || !cause.type || !isFailureType(cause.type)) return undefined;
  const [details] = (cause.details ?? []) as [Refusal?];
  return details ?? { type: cause.type, reason: cause.message };
}

export const isRefusal = (error: unknown): boolean => refusalOf(error) !== undefined;

/** What a step's error means to the saga. */
export function judge(error: unknown): Verdict {
  if (error instanceof SagaInterrupted) return 'interrupted';
  const refusal = refusalOf(error);
  if (refusal) return refusal.type === 'CustomerActionRequired' ? 'pending' : 'refused';
  if (error instanceof ActivityFailure && !isCancellation(error)) return 'technical';
  return 'bug';
}

/** One line about a technical failure, for people. */
export function describeFailure(error: unknown): string {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
