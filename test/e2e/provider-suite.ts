import type { ProviderName, ProviderPolicy } from '../../domain/providers.ts';
import type { SagaEnvironment } from '../setup/saga-environment.ts';

/** The switch as an operator sets it. */
export async function setSwitch(
  saga: SagaEnvironment,
  provider: ProviderName,
  state: 'paused' | 'running',
): Promise<void> {
  const sinceUtc = new Date().toISOString();
  const changed = await saga.deps.store.transaction((tx) =>
    tx.providers.change({ provider, state, actor: 'grace', reason: 'maintenance', sinceUtc }),
  );
  if (!changed) throw new Error(`Expected the switch of ${provider} to change; it is ${state} already`);
}

/** What the sandbox was asked: requests by operation, `*` of all together. */
export async function requestsTo(
  saga: SagaEnvironment,
  provider: 'stripe' | 'easypost',
  operation = '*',
): Promise<number> {
  const response = await fetch(`${saga.sandbox.url}/sandbox/counts`);
  const { operations } = (await response.json()) as {
    operations: Record<string, Record<string, { requests?: number }>>;
  };
  return Object.entries(operations[provider] ?? {})
    .filter(([name]) => operation === '*' || name === operation)
    .reduce((sum, [, { requests = 0 }]) => sum + requests, 0);
}

export const providerEnv = (
  changes: Partial<Omit<ProviderPolicy, 'circuit'>> & { circuit?: Partial<ProviderPolicy['circuit']> },
): Record<string, string> => ({
  PROVIDER_POLICY: JSON.stringify({
    pollMs: 50,
    slowStartMs: 0,
    ...changes,
    circuit: { minimumCalls: 1_000_000, ...changes.circuit },
  }),
});

export const inMs = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
