import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo } from '@temporalio/activity';
import type { ActivityDeps } from '../../activities/deps.ts';

/** Attempts that stand still right before the request that costs money, as a process does whose machine is frozen. */
export interface StalledAttempts {
  wrap(deps: ActivityDeps): ActivityDeps;
  /** The next attempt of this workflow stands still this long before `confirm` or `buy`; once for each of the two. */
  stall(workflowId: string, ms: number): void;
  /** How many attempts have stood still. */
  count(): number;
  /** Resolves when none stands still any more. */
  over(): Promise<void>;
}

export function createStalledAttempts(): StalledAttempts {
  const planned = new Map<string, number>();
  const standing = new Set<Promise<void>>();
  let count = 0;

  async function pass(call: string): Promise<void> {
    const key = `${activityInfo().workflowExecution?.workflowId} ${call}`;
    const ms = planned.get(key);
    if (ms === undefined) return;
    planned.delete(key);
    count += 1;
    const stalled = sleep(ms);
    standing.add(stalled);
    await stalled;
    standing.delete(stalled);
  }

  return {
    wrap: (deps) => ({
      ...deps,
      payments: {
        ...deps.payments,
        confirm: async (input) => {
          await pass('confirm');
          return deps.payments.confirm(input);
        },
      },
      carrier: {
        ...deps.carrier,
        buy: async (input) => {
          await pass('buy');
          return deps.carrier.buy(input);
        },
      },
    }),
    stall(workflowId, ms) {
      planned.set(`${workflowId} confirm`, ms);
      planned.set(`${workflowId} buy`, ms);
    },
    count: () => count,
    over: async () => void (await Promise.all(standing)),
  };
}
