import { createCircuitBreaker, type CircuitBreaker } from '../adapters/cockatiel/circuit-breaker.ts';
import {
  providerNames,
  REPORT_LIFE_MS,
  statusOf,
  type ProviderCircuit,
  type ProviderName,
  type ProviderPolicy,
  type ProviderRecords,
} from '../domain/providers.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProviderPace, ProviderStates } from '../ports/providers.ts';
import type { Store } from '../ports/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createProviderPace } from './provider-pace.ts';

/** Reports keep a process alive in the eyes of the others; two may be missed. */
const REPORT_EVERY_MS = REPORT_LIFE_MS / 3;

/** Reports of processes that are gone, and notes of retries that went stale, are deleted after this. */
const FORGET_AFTER_MS = 60 * 60 * 1_000;

export interface ProviderWatch extends ProviderStates {
  circuits: Record<ProviderName, CircuitBreaker>;
  close(): Promise<void>;
}

/**
 * Knows the providers for one worker process: reads the operators' switches every `pollMs`, holds the process's own
 * circuits, and reports those into SQL at each change and every ten seconds. While SQL does not answer, the last known
 * switches hold. The first reading is awaited, at most as long as SQL takes to refuse.
 */
export async function watchProviders(input: {
  store: Pick<Store, 'read' | 'transaction'>;
  clock: Clock;
  policy: ProviderPolicy;
  metrics: Pick<
    Metrics,
    'providerPaused' | 'providerCircuitState' | 'providerKeyRefused' | 'providerRequestsRefused'
  >;
  /** Names this process in its reports. */
  process: string;
  warn?: (message: string) => void;
}): Promise<ProviderWatch> {
  const { store, clock, policy, metrics, warn = () => {} } = input;
  let records: ProviderRecords | undefined;
  let reported = { states: '', atMs: 0 };
  let away = false;
  let closed = false;
  /** Told once, not at each probe. */
  const refusedSince: Partial<Record<ProviderName, string>> = {};
  const listeners = new Set<() => void>();
  const circuits = forEachProvider((provider) =>
    createCircuitBreaker({
      provider,
      policy: policy.circuit,
      onChange: () => {
        tell();
        const { state, sinceUtc, reason, keyRefused } = circuits[provider].status();
        if (!keyRefused || state !== 'open' || refusedSince[provider] === sinceUtc) return void report();
        refusedSince[provider] = sinceUtc;
        warn(`The key is refused, and steps of ${provider} wait until a person mends it: ${reason}`);
        void report();
      },
      onRefused: () => metrics.providerRequestsRefused.inc({ provider }),
    }),
  );
  const paces = forEachProvider(() => createProviderPace(policy));

  const nowMs = () => Date.parse(clock.nowUtc());
  const ownCircuits = (): ProviderCircuit[] =>
    providerNames.map((provider) => ({
      provider,
      process: input.process,
      ...circuits[provider].status(),
      reportedAtUtc: clock.nowUtc(),
    }));
  const paused = (provider: ProviderName): boolean | undefined =>
    records && records.switches.some((one) => one.provider === provider && one.state === 'paused');

  const pace = (provider: ProviderName): ProviderPace =>
    paces[provider].now({
      nowMs: nowMs(),
      paused: paused(provider),
      circuit: circuits[provider].status().state,
      probeInMs: circuits[provider].probeInMs(),
    });

  function tell(): void {
    for (const provider of providerNames) {
      pace(provider);
      metrics.providerPaused.set({ provider }, paused(provider) ? 1 : 0);
      const { state, keyRefused } = circuits[provider].status();
      metrics.providerKeyRefused.set({ provider }, keyRefused ? 1 : 0);
      for (const each of ['closed', 'open', 'half-open'] as const) {
        metrics.providerCircuitState.set({ provider, state: each }, each === state ? 1 : 0);
      }
    }
    for (const listener of listeners) listener();
  }

  async function report(): Promise<void> {
    const own = ownCircuits();
    const states = own
      .map(({ state, sinceUtc, keyRefused }) => `${state} ${sinceUtc} ${keyRefused ?? ''}`)
      .join();
    if (closed || (states === reported.states && nowMs() - reported.atMs < REPORT_EVERY_MS)) return;
    const before = reported;
    reported = { states, atMs: nowMs() };
    const reportedBeforeUtc = new Date(nowMs() - FORGET_AFTER_MS).toISOString();
    const written = await answered(
      store.transaction(async (tx) => {
        for (const circuit of own) await tx.providers.report(circuit);
        await tx.providers.forget({ reportedBeforeUtc });
        await tx.retries.forget({ staleBeforeUtc: reportedBeforeUtc });
        return true;
      }),
    );
    if (!written) reported = before;
  }

  async function poll(): Promise<void> {
    const answer = await answered(store.read.providers());
    if (answer) records = answer;
    tell();
    await report();
  }

  /** The first failure in a row is told: the rest of the process reports of SQL as well. */
  async function answered<T>(asked: Promise<T>): Promise<T | undefined> {
    try {
      const answer = await asked;
      away = false;
      return answer;
    } catch (error) {
      if (!away) warn(`The providers' switches stay as they are last known: ${String(error)}`);
      away = true;
      return undefined;
    }
  }

  let polling = poll();
  await polling;
  const timer = setInterval(() => {
    polling = polling.then(poll);
  }, policy.pollMs);
  return {
    circuits,
    status(provider) {
      const others = (records?.circuits ?? []).filter((one) => one.process !== input.process);
      const all = { switches: records?.switches ?? [], circuits: [...others, ...ownCircuits()] };
      return statusOf(all, { provider, nowUtc: clock.nowUtc() });
    },
    pace,
    heldUpAgoMs: (provider) => paces[provider].heldUpAgoMs(nowMs()),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await polling;
    },
  };
}

const forEachProvider = <T>(make: (provider: ProviderName) => T): Record<ProviderName, T> => ({
  payments: make('payments'),
  carrier: make('carrier'),
});
