/**
 * Short exclusive locks and duplicate checks in Redis. They save work, they prove nothing: truth is in SQL.
 * No method rejects and none takes longer than 250 ms; without Redis the answer is `unavailable`.
 */
export interface Locks {
  /** Takes the lock `name` for `ttlMs`; `held` when another has it. */
  acquire(input: { name: string; ttlMs: number }): Promise<LockAnswer>;
}

export type LockAnswer =
  { status: 'acquired'; release(): Promise<void> } | { status: 'held' } | { status: 'unavailable' };

export interface SeenFilter {
  /** Whether `id` was remembered before. */
  seen(input: { scope: string; id: string }): Promise<'seen' | 'new' | 'unavailable'>;
  /** Remembers `id` for `ttlSeconds`. Called after the effect is durable, so a crash in between repeats, never loses. */
  remember(input: { scope: string; id: string; ttlSeconds: number }): Promise<void>;
}

/** Tells the relay that the outbox has new rows. Best effort: the relay sweeps every second anyway. */
export interface OutboxBell {
  ring(): void;
  /** Calls `listener` at every ring, from any process. */
  listen(listener: () => void): Promise<{ close(): Promise<void> }>;
}
