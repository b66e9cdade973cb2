import { describe, expect, it, vi } from 'vitest';
import type { ProviderPace } from '../../ports/providers.ts';
import { createProviderWorker } from './provider-worker.ts';

/** Temporal workers that end when the test says so. */
function fakeWorkers() {
  let pace: ProviderPace = 'full';
  const log: string[] = [];
  const ends: (() => void)[] = [];
  const state = { createFails: false, busy: false };
  const fail: ((error: Error) => void)[] = [];
  const worker = createProviderWorker({
    pace: () => pace,
    async create(wanted) {
      if (state.createFails) throw new Error('Temporal is away');
      log.push(`create ${wanted}`);
      const run = Promise.withResolvers<void>();
      fail.push(run.reject);
      return {
        run: () => run.promise,
        getState: () => 'RUNNING',
        shutdown() {
          log.push(`stop ${wanted}`);
          const end = () => {
            log.push(`ended ${wanted}`);
            run.resolve();
          };
          if (state.busy) ends.push(end);
          else end();
        },
      };
    },
  });
  const turn = async (next: ProviderPace) => {
    pace = next;
    worker.adapt();
    await settle();
  };
  return { worker, log, state, turn, fail, finish: () => ends.splice(0).forEach((end) => end()) };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("a provider's worker", () => {
  it('runs at the pace that is wanted, one Temporal worker at a time', async () => {
    const { worker, log, turn } = fakeWorkers();
    const running = worker.run();
    await settle();
    for (const pace of ['full', 'stopped', 'stopped', 'probing', 'slow', 'full'] as const) await turn(pace);
    worker.shutdown();
    await running;
    expect(log.filter((line) => !line.startsWith('ended'))).toEqual([
      'create full',
      'stop full',
      'create probing',
      'stop probing',
      'create slow',
      'stop slow',
      'create full',
      'stop full',
    ]);
  });

  it('lets attempts under way end before another worker begins, and takes the pace that is wanted then', async () => {
    const { worker, log, state, turn, finish } = fakeWorkers();
    void worker.run();
    await settle();
    state.busy = true;
    await turn('stopped');
    await turn('slow');
    await turn('probing');
    expect(log).toEqual(['create full', 'stop full']);
    state.busy = false;
    finish();
    await settle();
    expect(log).toEqual(['create full', 'stop full', 'ended full', 'create probing']);
    worker.shutdown();
  });

  it('begins nothing before it runs and nothing after its shutdown', async () => {
    const { worker, log, turn } = fakeWorkers();
    await turn('full');
    expect([log, worker.running()]).toEqual([[], false]);
    worker.shutdown();
    await worker.run();
    await turn('full');
    expect([log, worker.running()]).toEqual([[], false]);
  });

  it('ends its worker at a shutdown that comes while it changes', async () => {
    const { worker, log, state, turn, finish } = fakeWorkers();
    const running = worker.run();
    await settle();
    state.busy = true;
    await turn('slow');
    worker.shutdown();
    finish();
    await running;
    expect(log).toEqual(['create full', 'stop full', 'ended full']);
  });

  it('is not ready while its worker cannot be made, and tries again', async () => {
    const { worker, log, state, turn } = fakeWorkers();
    state.createFails = true;
    void worker.run();
    await settle();
    expect(worker.running()).toBe(false);
    state.createFails = false;
    await turn('full');
    expect([worker.running(), log]).toEqual([true, ['create full']]);
    worker.shutdown();
  });

  it('tells when its worker dies', async () => {
    const { worker, fail } = fakeWorkers();
    const died = vi.fn<(error: Error) => void>();
    worker.run().catch(died);
    await settle();
    fail[0]?.(new Error('a bug'));
    await settle();
    expect(died).toHaveBeenCalledWith(new Error('a bug'));
  });
});
