import type { Store } from './store.ts';

export interface Clock {
  /** Sandbox time: the machine's plus what it was advanced by. */
  nowMs(): number;
  /** Makes keys expire, refunds settle and retries fall due; survives a restart. */
  advance(ms: number): void;
  reset(): void;
}

export const createClock = (store: Store): Clock => {
  const saved = store.get('setting', 'clock');
  let offsetMs = saved && 'clockOffsetMs' in saved ? saved.clockOffsetMs : 0;
  const set = (ms: number) => {
    offsetMs = ms;
    store.put('setting', 'clock', { clockOffsetMs: ms });
  };
  return {
    nowMs: () => Date.now() + offsetMs,
    advance: (ms) => set(offsetMs + ms),
    reset: () => set(0),
  };
};
