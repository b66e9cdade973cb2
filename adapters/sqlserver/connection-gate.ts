import { TechnicalFailure } from '../../domain/failures.ts';

/** What the pool is doing: `size` connections at most, `inUse` of them lent out, `waiting` callers without one. */
export interface PoolState {
  size: number;
  inUse: number;
  waiting: number;
}

export interface ConnectionGate {
  /** Waits for a place; the caller gives it back by calling the result once. Rejects with StoreUnavailable. */
  enter(): Promise<() => void>;
  state(): PoolState;
}

/**
 * The one line in which callers wait for a connection, first come, first served: there are as many places as the pool
 * has connections, so the driver's own pool never makes anybody wait. A caller that gets none within `waitMs` is
 * refused with StoreUnavailable, which says how full it is and which setting to change.
 */
export function createConnectionGate(options: {
  size: number;
  waitMs: number;
  /** After each change. */
  onChange?: ((state: PoolState) => void) | undefined;
  /** Seconds a caller waited for its place, also when it got none. */
  onWaited?: ((seconds: number, result: 'acquired' | 'refused') => void) | undefined;
}): ConnectionGate {
  const { size, waitMs, onChange, onWaited } = options;
  const waiting: (() => void)[] = [];
  let inUse = 0;
  const state = (): PoolState => ({ size, inUse, waiting: waiting.length });
  const changed = () => onChange?.(state());

  const leave = () => {
    inUse -= 1;
    waiting.shift()?.();
    changed();
  };
  const take = (askedAtMs: number): (() => void) => {
    inUse += 1;
    onWaited?.((performance.now() - askedAtMs) / 1_000, 'acquired');
    changed();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave();
    };
  };

  function queue(askedAtMs: number): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        clearTimeout(timer);
        resolve(take(askedAtMs));
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(go), 1);
        onWaited?.((performance.now() - askedAtMs) / 1_000, 'refused');
        changed();
        reject(exhausted(state(), waitMs));
      }, waitMs);
      waiting.push(go);
      changed();
    });
  }

  return {
    enter: () => {
      const askedAtMs = performance.now();
      return inUse < size ? Promise.resolve(take(askedAtMs)) : queue(askedAtMs);
    },
    state,
  };
}

const exhausted = ({ size, inUse, waiting }: PoolState, waitMs: number): TechnicalFailure =>
  new TechnicalFailure(
    'StoreUnavailable',
    `No SQL Server connection was free within ${waitMs} ms: ${inUse} of ${size} in use, ${waiting} more callers wait; ` +
      'lower the load, find what holds connections, or raise poolSize in SQL_URL',
    { retryAfterMs: waitMs },
  );
