import { ApplicationFailure, CancelledFailure, type RetryPolicy } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { orderId } from '../domain/ids.ts';
import { retriedStep } from '../domain/retries.ts';
import type { ActivityDeps } from '../activities/deps.ts';
import { orderIdOf } from './activity-facts.ts';

/** Beyond that SQL is slow, and what fails next is not noted. */
const MOST_UNDER_WAY = 20;
/** While a provider is held up no attempt renews a note: for so long it is believed all the same. */
const BELIEVED_MS = 10 * 60_000;
const LONGEST_TEXT = 500;

/**
 * Notes in SQL every attempt of an order's step that failed and is tried again, so that lists can tell which orders keep
 * failing, and takes the note away when a later attempt has ended otherwise. Attempts that succeed at first write
 * nothing. No attempt waits for its note, and while SQL does not answer nothing is noted: a note decides nothing, and
 * Temporal itself tells of one order.
 * Run twice or late: the newest note stands. Killed before it: the next failing attempt notes, and one that succeeds
 * finds nothing to take away; a note that stays behind goes stale.
 */
export function noteRetries({
  store,
  clock,
}: Pick<ActivityDeps, 'store' | 'clock'>): ActivityInterceptorsFactory {
  let underWay = 0;
  /** Beside the attempt, which holds a slot of its provider and has a time limit. */
  const quietly = (work: () => Promise<unknown>): void => {
    if (underWay >= MOST_UNDER_WAY) return;
    underWay += 1;
    const over = (): void => {
      underWay -= 1;
    };
    void work().then(over, over);
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
            if (attempt > 1) quietly(remove);
            return answer;
          } catch (error) {
            if (isRetried(error)) quietly(() => note(error));
            else if (attempt > 1 && !isStoreAway(error)) quietly(remove);
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
