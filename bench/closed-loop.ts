/** What a closed loop of a fixed number in flight got done while it was measured. */
export interface LoopResult {
  /** Finished inside the measured time. */
  finished: number;
  seconds: number;
  perSecond: number;
}

/**
 * Keeps `inFlight` of `work` going, one after another in each lane. What finishes in the first `warmUpMs` is not counted;
 * after `measureMs` more nothing new begins, and the loop ends when the last one has finished. Rejects with the first failure.
 * `onMeasure` is called when measuring begins and when it ends.
 */
export async function closedLoop(input: {
  inFlight: number;
  warmUpMs: number;
  measureMs: number;
  work: () => Promise<void>;
  onMeasure?: (moment: 'begin' | 'end') => void;
}): Promise<LoopResult> {
  const { inFlight, warmUpMs, measureMs, work, onMeasure } = input;
  const startedAt = performance.now();
  const beginAt = startedAt + warmUpMs;
  const endAt = beginAt + measureMs;
  let finished = 0;
  const lane = async () => {
    while (performance.now() < endAt) {
      await work();
      const now = performance.now();
      if (now >= beginAt && now < endAt) finished += 1;
    }
  };
  const timers = [
    setTimeout(() => onMeasure?.('begin'), warmUpMs),
    setTimeout(() => onMeasure?.('end'), warmUpMs + measureMs),
  ];
  try {
    await Promise.all(Array.from({ length: inFlight }, lane));
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
  const seconds = measureMs / 1_000;
  return { finished, seconds, perSecond: finished / seconds };
}
