import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultRuleInput } from '../../sandbox/faults/fault-rules.ts';
import { expectShippedOnce, expectTakenBackOnce, type CrashRun } from '../faults/crash-orders.ts';
import { orderPlans } from '../faults/crash-plans.ts';
import { runCrashingWorker, type CrashingWorker } from '../faults/crashing-worker.ts';
import type { KillPoint } from '../faults/kill-points.ts';
import { freePort } from '../setup/isolation.ts';
import { startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';

const LANES = 4;

/** One request of each protocol that goes wrong, and one look-up of the recovery, besides the kills. */
const both = (free: Partial<FaultRuleInput>, lookUp: Partial<FaultRuleInput>): FaultRuleInput[] =>
  [
    { provider: 'stripe', operation: 'payment_intents.create', times: 1, ...free },
    { provider: 'easypost', operation: 'shipments.create', times: 1, ...free },
    { provider: 'stripe', operation: 'payment_intents.retrieve', times: 1, ...lookUp },
    { provider: 'easypost', operation: 'shipments.retrieve', times: 1, ...lookUp },
  ] as FaultRuleInput[];

const faults = {
  'whose first request gets no reply and whose look-up fails': both(
    { kind: 'reply-lost' },
    { kind: 'error', status: 500 },
  ),
  'whose first request hangs and whose look-up gets no reply': both(
    { kind: 'hang-after' },
    { kind: 'reply-lost' },
  ),
  'whose first request answers 500 and whose look-up hangs': both(
    { kind: 'error', status: 500 },
    { kind: 'hang-after' },
  ),
};

const cases = Object.entries(faults).flatMap(([name, rules]) =>
  (['up', 'down'] as const).map((redis) => ({ name, rules, redis })),
);

describe('a worker killed by SIGKILL at every line, while providers and Redis fail', () => {
  let saga: SagaEnvironment;
  let lanes: Record<'up' | 'down', CrashingWorker[]>;
  beforeAll(async () => {
    saga = await startSagaEnvironment({ workers: false });
    const nobody = { REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
    const start = (env: Record<string, string>) =>
      Promise.all(Array.from({ length: LANES }, () => runCrashingWorker(saga, { env })));
    lanes = { up: await start({}), down: await start(nobody) };
  });
  afterAll(async () => {
    const workers = Object.values(lanes ?? {}).flat();
    await Promise.all(workers.map((worker) => worker.close()));
    await saga?.close();
  });

  /** Without Redis no lock is released, so nobody can die there. */
  const reachable = (plans: readonly KillPoint[][], redis: 'up' | 'down') =>
    redis === 'up'
      ? plans
      : plans
          .map((points) => points.filter(({ call }) => call !== 'locks.release'))
          .filter((points) => points.length > 0);

  async function killsIn(
    { rules, redis }: (typeof cases)[number],
    plans: readonly KillPoint[][],
    expectOrder: (run: CrashRun) => Promise<void>,
  ) {
    const workers = lanes[redis];
    const count = () => workers.reduce((sum, worker) => sum + worker.kills(), 0);
    const before = count();
    const laneOf = (index: number) => workers[index % LANES] as CrashingWorker;
    await Promise.all(
      plans.map((points, index) => expectOrder({ saga, worker: laneOf(index), points, faults: rules })),
    );
    return count() - before;
  }

  test.each(cases)('charges and ships once: provider $name, Redis $redis', async (one) => {
    const plans = reachable(orderPlans.forward, one.redis);
    expect(await killsIn(one, plans, expectShippedOnce)).toBeGreaterThanOrEqual(plans.flat().length);
  });

  test.each(cases)('takes everything back once: provider $name, Redis $redis', async (one) => {
    const plans = reachable(orderPlans.backward, one.redis);
    expect(await killsIn(one, plans, expectTakenBackOnce)).toBeGreaterThanOrEqual(plans.flat().length);
  });
});
