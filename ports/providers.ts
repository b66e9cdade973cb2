import type {
  ProviderCircuit,
  ProviderName,
  ProviderRecords,
  ProviderStatus,
  ProviderSwitch,
} from '../domain/providers.ts';

/**
 * How this process may take a provider's steps now. `stopped`: not at all. `probing`: one at a time, to find out
 * whether the provider is back. `slow`: at the rate that follows a pause or an outage. `full`: as fast as they come.
 */
export type ProviderPace = 'stopped' | 'probing' | 'slow' | 'full';

/** The providers as this process knows them. Nothing here waits or rejects: while SQL is away the last known holds. */
export interface ProviderStates {
  status(provider: ProviderName): ProviderStatus;
  pace(provider: ProviderName): ProviderPace;
  /** Milliseconds since the provider was last paused or its circuit not closed, as far as this process has seen it. */
  heldUpAgoMs(provider: ProviderName): number;
  /** Calls `listener` whenever one of the answers above may have changed. Returns what ends it. */
  onChange(listener: () => void): () => void;
}

/** Lets a provider's requests through, or refuses them while the provider fails. */
export interface Circuit {
  /**
   * Runs one request. Rejects with ProviderUnavailable, and nothing was sent, while the circuit is open or another
   * request is trying it; `retryAfterMs` says when the next may try. Failures of the request itself pass as they are.
   */
  call<T>(request: () => Promise<T>): Promise<T>;
}

export interface ProviderStatements {
  /**
   * Sets the switch. False, with nothing changed, when it is in that state already: of two operators at the same time
   * one is told that the other was first.
   */
  change(input: ProviderSwitch): Promise<boolean>;
  /** Inserts or replaces the process's report. */
  report(circuit: ProviderCircuit): Promise<void>;
  /** Deletes reports older than the time: of processes that are gone. */
  forget(input: { reportedBeforeUtc: string }): Promise<void>;
}

/** Switches and reports of all processes, those of gone ones included; by provider, then by process. */
export type ReadProviders = () => Promise<ProviderRecords>;
