import { proxyActivities } from '@temporalio/workflow';
import type { nothing } from './bare-activities.ts';

const activities = proxyActivities<{ nothing: typeof nothing }>({ startToCloseTimeout: '10 seconds' });

/** The price of the engine alone: five ordinary activities, one after another, that do nothing. */
export async function bareWorkflow(): Promise<void> {
  for (let step = 1; step <= 5; step += 1) await activities.nothing(step);
}
