import { expect, it } from 'vitest';
import type { OrderId } from '../../domain/ids.ts';
import { sagaSuite } from '../e2e/saga-suite.ts';
import { until } from '../setup/saga-environment.ts';
import { openOpsRoom } from '../support/ops-room.ts';

/* Circuits stay closed and nothing is rationed: the test is about parked orders, and about as many as there are. */
const providers = { maximumPerSecond: 10_000, slowStartPerSecond: 10_000, circuit: { minimumCalls: 1e6 } };
const saga = sagaSuite({ env: { PROVIDER_POLICY: JSON.stringify(providers) } });

/** Time enough for a label on a busy machine, once the carrier is back. */
const parksLate = {
  steps: { shipping: { attemptTimeoutMs: 5_000, budgetMs: 10_000, maximumIntervalMs: 2_000 } },
};

it('500 orders that parked in an outage are resolved at once while new ones arrive; a dead worker repeats nothing', async () => {
  const room = await openOpsRoom(saga());
  const count = 500;
  await saga().addFault({
    id: 'storm',
    provider: 'easypost',
    operation: 'shipments.create',
    kind: 'outage',
  });
  const start = () => saga().start({}, parksLate);
  const parked: Awaited<ReturnType<typeof start>>[] = [];
  for (let index = 0; index < count; index += 1) parked.push(await start());
  const isParked = { sagaState: 'parked', step: 'shipping', open: true } as const;
  await until(
    () => room.workflows.count(isParked),
    (found) => found === count,
    240_000,
  );
  await saga().removeFault('storm');

  const fresh: ReturnType<typeof start>[] = [];
  const arriving = setInterval(() => fresh.push(start()), 200);
  const startedAt = performance.now();
  const where = ['--where', 'step=shipping state=parked'];
  const resolve = ['resolve', ...where, '--reason', 'the carrier is back', '--rate', '50', '--yes'];
  const acting = room.ops(resolve);
  await until(
    () => room.workflows.count(isParked),
    (left) => left < count - 50,
    60_000,
  );
  await room.restartWorker();
  const { out, error } = await acting;
  const seconds = (performance.now() - startedAt) / 1_000;
  clearInterval(arriving);
  expect(out).toMatch(/completed: resolve \(retry\): \d+ accepted, 0 refused/);
  /* On a busy machine single orders may not answer in time: the command says so, and people type it again. */
  if (error !== undefined) {
    expect(error).toMatch(/^\d+ orders? did not take it$/);
    expect(Number.parseInt(error)).toBeLessThan(count / 50);
    expect((await room.ops(resolve)).error).toBeUndefined();
  }
  expect(seconds).toBeGreaterThan(count / 50 - 2);

  const later = await Promise.all(fresh);
  const ends = await Promise.all([...parked, ...later].map((order) => order.result()));
  expect(ends.filter(({ status }) => status !== 'completed')).toEqual([]);
  expect(later.length).toBeGreaterThan(10);
  const acts = await Promise.all(parked.map(({ orderId }) => actsOn(orderId)));
  expect(acts.filter((rows) => rows !== 1)).toEqual([]);
  console.log(`${count} resolved in ${seconds.toFixed(1)} s, ${later.length} new orders completed meanwhile`);
  await room.close();
});

/** How often the act is in the order's trail. */
async function actsOn(id: OrderId): Promise<number> {
  const rows = await saga().deps.store.read.audit(`order:${id}`);
  return rows.filter(({ reason }) => reason === 'the carrier is back').length;
}
