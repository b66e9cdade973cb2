import { setTimeout as sleep } from 'node:timers/promises';
import type { OutboxBell } from '../ports/locks.ts';
import { createRelayPass, type PassOutcome, type RelayDeps } from './relay-pass.ts';
import { defaultRelayTiming, type RelayTiming } from './relay-timing.ts';

/** Carries messages from the outbox to the broker: at least once, first publications in order per order. */
export interface Relay {
  /** Begins; call it once. Resolves when the bell is connected; publishing does not wait for that. */
  start(): Promise<void>;
  /** Ends after the pass at work, with everything confirmed marked and the leases given back. */
  stop(): Promise<void>;
}

const purgeLimit = 200;

/**
 * Relay over leased partitions of the outbox; several may run side by side. Woken by the bell, sweeping anyway. One
 * pass at a time; backs off while the broker or the store is unavailable, which is no attempt of any message. A
 * message that itself cannot be published is set aside after 10 attempts; other orders go on meanwhile.
 */
export function createRelay(deps: RelayDeps & { bell: OutboxBell; timing?: Partial<RelayTiming> }): Relay {
  const { store, clock, owner, logger, metrics } = deps;
  const timing = { ...defaultRelayTiming, ...deps.timing };
  const pass = createRelayPass({ ...deps, timing });
  const waker = createWaker();
  const stopping = new AbortController();
  const leaseDue = every(timing.renewLeaseMs);
  const gaugesDue = every(timing.gaugesMs);
  const purgeDue = every(timing.purgeMs);
  let partitions: number[] = [];
  let listening: { close(): Promise<void> } | undefined;
  let running: Promise<void> = Promise.resolve();
  let lastError = '';

  async function run(): Promise<void> {
    let pauseMs = timing.unavailableMs;
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      waker.reset();
      const outcome = await turn();
      if (outcome === 'unavailable') {
        await pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, timing.maximumUnavailableMs);
        continue;
      }
      pauseMs = timing.unavailableMs;
      if (outcome === 'more') continue;
      await waker.rung(timing.sweepMs);
      await pause(startedAt + timing.passGapMs - performance.now());
    }
  }

  async function turn(): Promise<PassOutcome> {
    try {
      if (leaseDue())
        partitions = await store.lease({ owner, nowUtc: clock.nowUtc(), leaseMs: timing.leaseMs });
      const outcome = partitions.length === 0 ? 'idle' : await pass(partitions);
      if (gaugesDue()) await showDepth();
      if (purgeDue()) await purge();
      lastError = '';
      return outcome;
    } catch (error) {
      const { message } = error as Error;
      if (message !== lastError) logger.warn({ err: error }, 'the outbox cannot be read; trying again');
      lastError = message;
      leaseDue.now();
      return 'unavailable';
    }
  }

  async function showDepth(): Promise<void> {
    const { unpublished, setAside, oldestUtc } = await store.depth();
    const ageMs = oldestUtc === undefined ? 0 : Date.parse(clock.nowUtc()) - Date.parse(oldestUtc);
    metrics.outboxUnpublished.set(unpublished);
    metrics.outboxSetAside.set(setAside);
    metrics.outboxOldestAge.set(Math.max(ageMs, 0) / 1_000);
  }

  /** A full bite means that more is due: the next turn takes another, between publishing. */
  async function purge(): Promise<void> {
    const before = new Date(Date.parse(clock.nowUtc()) - timing.retentionMs).toISOString();
    const deleted = await store.purge({ publishedBeforeUtc: before, limit: purgeLimit });
    if (deleted === purgeLimit) purgeDue.now();
  }

  async function pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal: stopping.signal }).catch(() => {});
  }

  return {
    async start() {
      running = run();
      listening = await deps.bell.listen(waker.ring);
    },
    async stop() {
      stopping.abort();
      waker.ring();
      await running;
      await listening?.close();
      await store.releaseLeases(owner).catch((error: unknown) => {
        logger.warn({ err: error }, 'the leases could not be given back; they run out by themselves');
      });
    },
  };
}

/** `rung(ms)` resolves at the next ring since the last reset, or after `ms`. */
function createWaker() {
  let isRung = false;
  let wake = (): void => {};
  return {
    ring(): void {
      isRung = true;
      wake();
    },
    reset(): void {
      isRung = false;
    },
    async rung(ms: number): Promise<void> {
      if (isRung) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      wake = resolve;
      await promise;
      clearTimeout(timer);
    },
  };
}

/** Says true at the first call and then at most once in `ms`; `now()` makes it true at the next call. */
function every(ms: number): { (): boolean; now(): void } {
  let dueAt = 0;
  const isDue = (): boolean => {
    const now = performance.now();
    if (now < dueAt) return false;
    dueAt = now + ms;
    return true;
  };
  return Object.assign(isDue, { now: () => void (dueAt = 0) });
}
