import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSagaEnvironment, type SagaEnvironment } from '../setup/saga-environment.ts';
import {
  expectHelpedOnce,
  expectNothingLeft,
  expectShippedOnce,
  expectTakenBackOnce,
  fillLists,
  type CrashRun,
} from '../faults/crash-orders.ts';
import { orderPlans } from '../faults/crash-plans.ts';
import { runCrashingWorker, type CrashingWorker } from '../faults/crashing-worker.ts';
import type { KillPoint } from '../faults/kill-points.ts';

/** Worker processes side by side; a kill in one leaves the orders of the others alone. */
const LANES = 4;
const timeout = 240_000;

describe('a worker killed by SIGKILL', () => {
  let saga: SagaEnvironment;
  let lanes: CrashingWorker[];
  beforeAll(async () => {
    saga = await startSagaEnvironment({ workers: false });
    lanes = await Promise.all(Array.from({ length: LANES }, () => runCrashingWorker(saga)));
  });
  afterAll(async () => {
    await Promise.all((lanes ?? []).map((worker) => worker.close()));
    await saga?.close();
  });

  /** One order for each list of kill points, side by side; returns how many workers were killed meanwhile. */
  async function killsIn(plans: readonly KillPoint[][], expectOrder: (run: CrashRun) => Promise<void>) {
    const count = () => lanes.reduce((sum, worker) => sum + worker.kills(), 0);
    const before = count();
    const laneOf = (index: number) => lanes[index % LANES] as CrashingWorker;
    await Promise.all(plans.map((points, index) => expectOrder({ saga, worker: laneOf(index), points })));
    return count() - before;
  }

  test(
    'charges once and buys one label, whatever line of payment and shipment it died at',
    { timeout },
    async () => {
      const plans = orderPlans.forward;
      expect(await killsIn(plans, expectShippedOnce)).toBeGreaterThanOrEqual(plans.flat().length);
    },
  );

  describe('while people have acted at the providers', () => {
    beforeAll(() => fillLists(saga));

    test('takes what they have made, once, whatever line of the lists it died at', { timeout }, async () => {
      const plans = orderPlans.helped;
      expect(await killsIn(plans, expectHelpedOnce)).toBeGreaterThanOrEqual(plans.flat().length);
    });

    test('asks what they have left until it knows, when an order is taken back', { timeout }, async () => {
      const plans = orderPlans.soughtAtLast;
      expect(await killsIn(plans, expectNothingLeft)).toBeGreaterThanOrEqual(plans.flat().length);
    });
  });

  test(
    'takes back charge, label and stock once, whatever line of the compensations it died at',
    { timeout },
    async () => {
      const plans = orderPlans.backward;
      expect(await killsIn(plans, expectTakenBackOnce)).toBeGreaterThanOrEqual(plans.flat().length);
    },
  );
});
