import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createConnectionGate, type PoolState } from './connection-gate.ts';

it('lets as many in as there are connections, the others in the order they came', async () => {
  const gate = createConnectionGate({ size: 2, waitMs: 1_000 });
  const [first, second] = [await gate.enter(), await gate.enter()];
  const order: string[] = [];
  const third = gate.enter().then((leave) => {
    order.push('third');
    return leave;
  });
  const fourth = gate.enter().then((leave) => {
    order.push('fourth');
    return leave;
  });
  expect(gate.state()).toEqual({ size: 2, inUse: 2, waiting: 2 });
  first();
  const leaveThird = await third;
  expect(order).toEqual(['third']);
  expect(gate.state()).toEqual({ size: 2, inUse: 2, waiting: 1 });
  second();
  leaveThird();
  (await fourth)();
  expect(gate.state()).toEqual({ size: 2, inUse: 0, waiting: 0 });
});

it('refuses a caller within the stated time, says how full it is, and lets the next ones in', async () => {
  const waits: [number, string][] = [];
  const gate = createConnectionGate({
    size: 1,
    waitMs: 100,
    onWaited: (seconds, result) => waits.push([seconds, result]),
  });
  const leave = await gate.enter();
  const started = performance.now();
  await expect(gate.enter()).rejects.toMatchObject({
    type: 'StoreUnavailable',
    message: expect.stringContaining('within 100 ms: 1 of 1 in use'),
    retryAfterMs: 100,
  });
  expect(performance.now() - started).toBeLessThan(1_000);
  expect(waits.map(([, result]) => result)).toEqual(['acquired', 'refused']);
  expect(waits[1]?.[0]).toBeGreaterThanOrEqual(0.09);
  leave();
  (await gate.enter())();
});

it('does not give a place to a caller that has given up', async () => {
  const gate = createConnectionGate({ size: 1, waitMs: 20 });
  const leave = await gate.enter();
  await expect(gate.enter()).rejects.toThrow('No SQL Server connection was free');
  leave();
  expect(gate.state()).toEqual({ size: 1, inUse: 0, waiting: 0 });
});

it('takes a place back once, however often it is given', async () => {
  const gate = createConnectionGate({ size: 2, waitMs: 20 });
  const [leave] = [await gate.enter(), await gate.enter()];
  leave();
  leave();
  expect(gate.state().inUse).toBe(1);
});

it('reports every change', async () => {
  const states: PoolState[] = [];
  const gate = createConnectionGate({ size: 1, waitMs: 50, onChange: (state) => states.push(state) });
  const leave = await gate.enter();
  const next = gate.enter();
  await sleep(1);
  leave();
  (await next)();
  expect(states.map(({ inUse, waiting }) => [inUse, waiting])).toEqual(
    expect.arrayContaining([
      [1, 0],
      [1, 1],
      [0, 0],
    ]),
  );
});
