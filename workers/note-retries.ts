import { ApplicationFailure, CancelledFailure, type RetryPolicy } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { orderId } from '../domain/ids.ts';
import { retriedStep } from '../domain/retries.ts';
import type { ActivityDeps } from '../activities/deps.ts';
import { orderIdOf } from './activity-facts.ts';

/** Longest that the report of a failed attempt waits for its note. */
const NOTE_WITHIN_MS = 500;
/** While a provider is held up no attempt renews a note: for so long it is believed all the same. */
const BELIEVED_MS = 10 * 60_000;
const LONGEST_TEXT = 500;

/**
 * Notes in SQL every attempt of an order's step that failed and is tried again, so that lists can tell which orders keep
 * failing, and takes the note away when a later attempt has ended otherwise. Attempts that succeed at first write
 * nothing. While SQL does not answer nothing is noted: a note decides nothing, and Temporal itself tells of one order.
 * Run twice or late: the newest note stands. Killed before it: the next failing attempt notes, and one that succeeds
 * finds nothing to take away; a note that stays behind goes stale.
 */
export function noteRetries({
  store,
  clock,
}: Pick<ActivityDeps, 'store' | 'clock'>): ActivityInterceptorsFactory {
  const quietly = async (work: Promise<unknown>): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, NOTE_WITHIN_MS);
    });
    await Promise.race([work.catch(() => {}), late]);
    clearTimeout(timer);
  };
  return ({ info }) => {
    const id = orderIdOf(info.workflowExecution?.workflowId);
    const { activityType: activity, attempt } = info;
    if (id === undefined || info.isLocal || !retriedStep(activity)) return {};
    const of = { orderId: orderId(id), activity };
    const note = (error: unknown): Promise<void> =>
      store.transaction(async (tx) => {
        const nowMs = Date.parse(clock.nowUtc());
        const nextMs = nowMs + retryDelayMs(error, attempt, info.retryPolicy);
        const told = error instanceof Error ? error : new Error(String(error));
        const type = told instanceof ApplicationFailure ? told.type : undefined;
        await tx.retries.note({
          ...of,
          failures: attempt,
          failureType: (type ?? told.name).slice(0, 64),
          failure: told.message.slice(0, LONGEST_TEXT).toWellFormed(),
          failedAtUtc: new Date(nowMs).toISOString(),
          nextAttemptAtUtc: new Date(nextMs).toISOString(),
          staleAfterUtc: new Date(nextMs + BELIEVED_MS).toISOString(),
        });
      });
    const remove = (): Promise<void> => store.transaction((tx) => tx.retries.remove(of));
    return {
      inbound: {
        async execute(input, next) {
          try {
            const answer = await next(input);
            if (attempt > 1) await quietly(remove());
            return answer;
          } catch (error) {
            if (isRetried(error)) await quietly(note(error));
            else if (attempt > 1 && !isStoreAway(error)) await quietly(remove());
            throw error;
          }
        },
      },
    };
  };
}

const isStoreAway = (error: unknown): boolean =>
  error instanceof ApplicationFailure && error.type === 'StoreUnavailable';

const isRetried = (error: unknown): boolean => {
  if (error instanceof CancelledFailure || isStoreAway(error)) return false;
  return !(error instanceof ApplicationFailure && error.nonRetryable);
};

/** As Temporal reckons it: what the failure asks for, else the policy's back-off. */
function retryDelayMs(error: unknown, attempt: number, policy: RetryPolicy = {}): number {
  const asked = error instanceof ApplicationFailure ? Number(error.nextRetryDelay ?? 0) : 0;
  if (asked > 0) return asked;
  const { initialInterval = 1_000, backoffCoefficient = 2, maximumInterval } = policy;
  const first = Number(initialInterval);
  const most = maximumInterval === undefined ? 100 * first : Number(maximumInterval);
  return Math.min(first * backoffCoefficient ** (attempt - 1), most);
}
