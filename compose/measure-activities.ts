import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Metrics } from '../telemetry/metrics.ts';

/** The saga's steps by their activities; what is in neither list is written down or asked beside them. */
const forward: ReadonlySet<string> = new Set([
  'recordOrder',
  'verifyAddress',
  'verifyAddressAtOnce',
  'reserveInventory',
  'processPayment',
  'createFulfillment',
  'generateShipment',
  'requestEmail',
  'completeOrder',
]);
const compensations: ReadonlySet<string> = new Set([
  'releaseInventory',
  'refundPayment',
  'cancelFulfillment',
  'voidShipment',
  'seekCharges',
  'seekLabels',
]);

/** Measures every attempt of every activity, and each activity from being scheduled to its answer. */
export const measureActivities =
  (metrics: Pick<Metrics, 'stepAttemptDuration' | 'stepDuration'>): ActivityInterceptorsFactory =>
  ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const { activityType: activity, scheduledTimestampMs } = info;
        const kind = kindOf(activity);
        const startedAtMs = performance.now();
        const end = (result: Result) => {
          const seconds = (performance.now() - startedAtMs) / 1_000;
          metrics.stepAttemptDuration.observe({ activity, kind, result }, seconds);
          if (result !== 'done' && result !== 'refused') return;
          const sinceScheduled = Math.max(0, Date.now() - scheduledTimestampMs) / 1_000;
          metrics.stepDuration.observe({ activity, kind }, Math.max(sinceScheduled, seconds));
        };
        try {
          const answer = await next(input);
          end('done');
          return answer;
        } catch (error) {
          end(resultOf(error));
          throw error;
        }
      },
    },
  });

type Result = 'done' | 'refused' | 'failed' | 'canceled';

const kindOf = (activity: string): 'forward' | 'compensation' | 'upkeep' => {
  if (forward.has(activity)) return 'forward';
  return compensations.has(activity) ? 'compensation' : 'upkeep';
};

/** A business answer is thrown as well: not retryable and no fault. */
function resultOf(error: unknown): Result {
  if (error instanceof CancelledFailure) return 'canceled';
  const isRefusal =
    error instanceof ApplicationFailure && error.category === ApplicationFailureCategory.BENIGN;
  return isRefusal ? 'refused' : 'failed';
}
