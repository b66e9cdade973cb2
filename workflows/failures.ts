import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { isFailureType, type FailedAttempt, type Refusal } from '../domain/failures.ts';
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
export function classifyFailure(error: unknown): Verdict {
  if (error instanceof SagaInterrupted) return 'interrupted';
  const refusal = refusalOf(error);
  if (refusal) return refusal.type === 'CustomerActionRequired' || refusal.unsettled ? 'pending' : 'refused';
  if (error instanceof ActivityFailure && !isCancellation(error)) return 'technical';
  return 'bug';
}

/** Type of a technical failure; behind a time-out that of the last attempt's own failure, where it had one. */
export function failureTypeOf(error: unknown): string {
  const { cause, own } = technicalCause(error);
  if (own) return own.type ?? own.name;
  return cause instanceof Error ? cause.name : 'Error';
}

/** What the last attempt itself said. */
export const messageOf = (error: unknown): string => technicalCause(error).own?.message ?? String(error);

/** What is told only to the person whose act has failed. */
export function shownOf(error: unknown): string | undefined {
  const [details] = (technicalCause(error).own?.details ?? []) as [{ shown?: unknown }?];
  return typeof details?.shown === 'string' ? details.shown : undefined;
}

/** Number of the attempt that failed last; undefined where neither the failure nor a heartbeat tells. */
export function attemptsOf(error: unknown): number | undefined {
  const { cause, own } = technicalCause(error);
  const [details] = own ? ((own.details ?? []) as [{ attempt?: unknown }?]) : [failedBefore(cause)];
  return typeof details?.attempt === 'number' ? details.attempt : undefined;
}

/** `own` is what the last attempt itself reported, which may stand behind a time-out. */
function technicalCause(error: unknown): { cause: unknown; own: ApplicationFailure | undefined } {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  const own = cause instanceof TimeoutFailure ? cause.cause : cause;
  return { cause, own: own instanceof ApplicationFailure ? own : undefined };
}

/** What the last attempt that failed said, where another was under way when the time was over. */
const failedBefore = (cause: unknown): Partial<FailedAttempt> | undefined =>
  cause instanceof TimeoutFailure
    ? ((cause.lastHeartbeatDetails as Partial<FailedAttempt> | null) ?? undefined)
    : undefined;

/** One line about a technical failure, for people; what the last attempt said stands behind a time-out. */
export function describeFailure(error: unknown): string {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return String(cause);
  const last = cause instanceof TimeoutFailure ? cause.cause : undefined;
  const before = failedBefore(cause);
  const said = last ? describeFailure(last) : before && `${before.type}: ${before.message}`;
  const type = cause instanceof ApplicationFailure ? cause.type : undefined;
  return `${type ?? cause.name}: ${cause.message}${said ? `; ${said}` : ''}`;
}
