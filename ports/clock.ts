/** Wall clock, UTC. Injected so that tests can move time. */
export interface Clock {
  nowUtc(): string;
}

export const systemClock: Clock = { nowUtc: () => new Date().toISOString() };
