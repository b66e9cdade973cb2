import { describe, expect, test } from 'vitest';
import type { Exit, OwnedProcess, ProcessSpec } from './processes.ts';
import { restartPauseMs, supervise } from './supervisor.ts';

const spec: ProcessSpec = { name: 'worker', command: 'worker', args: [], output: { onLine: () => {} } };

/** Processes that run until the test ends them. */
function createFakeProcesses() {
  const ends: ((exit: Exit) => void)[] = [];
  const start = async (): Promise<OwnedProcess> => {
    const { promise: exited, resolve } = Promise.withResolvers<Exit>();
    ends.push(resolve);
    return {
      name: 'worker',
      pid: ends.length,
      exited,
      hasExited: () => false,
      lastLines: () => 'last words',
      stop: async () => resolve({ code: 0, signal: null }),
    };
  };
  return { start, ends };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a supervised process', () => {
  test('is started again after it was killed, with longer pauses while it keeps crashing', async () => {
    const { start, ends } = createFakeProcesses();
    const pauses: number[] = [];
    const said: string[] = [];
    const pause = async (ms: number) => void pauses.push(ms);
    const supervised = supervise({ spec, say: (line) => said.push(line), start, pause, now: () => 0 });
    for (let crash = 0; crash < 3; crash++) {
      await settle();
      ends.at(-1)?.({ code: null, signal: 'SIGKILL' });
    }
    await settle();
    expect(ends).toHaveLength(4);
    expect(pauses).toEqual([500, 1_000, 2_000]);
    expect(said[0]).toBe('worker ended (SIGKILL); starting it again in 0.5 s');
    expect(said[1]).toBe('last words');
    await supervised.stop();
  });

  test('begins with the shortest pause again after a steady minute', async () => {
    const { start, ends } = createFakeProcesses();
    const pauses: number[] = [];
    let now = 0;
    const pause = async (ms: number) => void pauses.push(ms);
    const supervised = supervise({ spec, say: () => {}, start, pause, now: () => now });
    for (const ranMs of [1_000, 1_000, 61_000]) {
      await settle();
      now += ranMs;
      ends.at(-1)?.({ code: 1, signal: null });
    }
    await settle();
    expect(pauses).toEqual([500, 1_000, 500]);
    await supervised.stop();
  });

  test('is not started again after it was stopped', async () => {
    const { start, ends } = createFakeProcesses();
    const supervised = supervise({ spec, say: () => {}, start, pause: async () => {} });
    await settle();
    await supervised.stop();
    await settle();
    expect(ends).toHaveLength(1);
  });
});

test('pauses double up to half a minute', () => {
  expect([0, 1, 2, 3, 6, 20].map(restartPauseMs)).toEqual([500, 1_000, 2_000, 4_000, 30_000, 30_000]);
});
