import type { Worker } from '@temporalio/worker';
import type { ProviderPace } from '../../ports/providers.ts';

/** What is used of a Temporal worker. */
type RunningWorker = Pick<Worker, 'run' | 'shutdown' | 'getState'>;

export interface ProviderWorker {
  /** Runs until `shutdown`; rejects when a worker dies of a bug or a lost server. */
  run(): Promise<void>;
  /** Takes up the pace that is wanted now. Never rejects. */
  adapt(): void;
  shutdown(): void;
  /** False while the wanted worker could not be made. */
  running(): boolean;
}

/**
 * The worker of one provider's task queue at the pace that is wanted: none while the provider is held up, so that its
 * steps wait in the queue without an attempt, and another one for every other pace. An attempt under way is finished
 * before the next worker begins. A worker that cannot be made is tried again at the next `adapt`.
 */
export function createProviderWorker(input: {
  pace(): ProviderPace;
  create(pace: Exclude<ProviderPace, 'stopped'>): Promise<RunningWorker>;
  warn?: (message: string) => void;
}): ProviderWorker {
  const { pace, create, warn = () => {} } = input;
  const end = Promise.withResolvers<void>();
  let current: { pace: ProviderPace; worker: RunningWorker; ended: Promise<void> } | undefined;
  let state: 'new' | 'running' | 'closing' = 'new';
  let adapting = false;
  let failed = false;

  async function begin(wanted: Exclude<ProviderPace, 'stopped'>): Promise<void> {
    const worker = await create(wanted);
    const ended = worker.run();
    ended.catch((error: unknown) => end.reject(error));
    current = { pace: wanted, worker, ended };
  }

  async function stop({ worker, ended }: NonNullable<typeof current>): Promise<void> {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await ended;
    current = undefined;
  }

  async function settle(): Promise<void> {
    for (;;) {
      const wanted = state === 'closing' ? 'stopped' : pace();
      if (wanted === (current?.pace ?? 'stopped')) return;
      if (current) await stop(current);
      else if (wanted !== 'stopped') await begin(wanted);
    }
  }

  async function adapt(): Promise<void> {
    if (state === 'new' || adapting) return;
    adapting = true;
    try {
      await settle();
      failed = false;
    } catch (error) {
      failed = true;
      warn(`The worker of a provider could not be started: ${String(error)}`);
    }
    adapting = false;
    if (state !== 'closing') return;
    if (current && !failed) await adapt();
    else end.resolve();
  }

  return {
    run() {
      if (state === 'new') state = 'running';
      void adapt();
      return end.promise;
    },
    adapt: () => void adapt(),
    shutdown() {
      state = 'closing';
      void adapt();
    },
    running: () => state === 'running' && !failed,
  };
}
