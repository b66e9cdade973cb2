import { setTimeout as sleep } from 'node:timers/promises';

/** Does `work` now and then again `everyMs` after it ended, until it is closed. A failure is told once in a row. */
export function repeat(input: {
  everyMs: number;
  work: () => Promise<void>;
  onError: (error: unknown) => void;
}): {
  close(): Promise<void>;
} {
  const closing = new AbortController();
  let failed = false;

  async function once(): Promise<void> {
    try {
      await input.work();
      failed = false;
    } catch (error) {
      if (!failed) input.onError(error);
      failed = true;
    }
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await once();
      await sleep(input.everyMs, undefined, { signal: closing.signal, ref: false }).catch(() => {});
    }
  }

  const running = run();
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}
