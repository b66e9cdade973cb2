import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TechnicalFailure } from '../domain/failures.ts';
import { defaultProviderPolicy, type ProviderCircuit, type ProviderSwitch } from '../domain/providers.ts';
import type { Store, StoreTransaction } from '../ports/store.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { watchProviders, type ProviderWatch } from './provider-watch.ts';

const pausedCarrier: ProviderSwitch = {
  provider: 'carrier',
  state: 'paused',
  actor: 'grace',
  reason: 'maintenance',
  sinceUtc: '2026-01-02T00:00:00.000Z',
};

describe("a process's watch over the providers", () => {
  let switches: ProviderSwitch[];
  let circuits: ProviderCircuit[];
  let away: boolean;
  let warnings: string[];
  const metrics = createMetrics();
  const open: ProviderWatch[] = [];
  const answered = () => {
    if (away) throw new TechnicalFailure('StoreUnavailable', 'SQL is away');
  };
  const store = {
    read: {
      providers: async () => {
        answered();
        return { switches, circuits };
      },
    },
    transaction: async <T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> => {
      answered();
      const report = async (circuit: ProviderCircuit) => void circuits.push(circuit);
      const forget = async () => {};
      return work({ providers: { report, forget }, retries: { forget } } as unknown as StoreTransaction);
    },
  } as unknown as Store;
  const watch = async () => {
    const watching = await watchProviders({
      store,
      clock: { nowUtc: () => new Date().toISOString() },
      policy: {
        ...defaultProviderPolicy,
        circuit: { ...defaultProviderPolicy.circuit, minimumCalls: 2 },
      },
      metrics,
      process: 'a:1',
      warn: (message) => warnings.push(message),
    });
    open.push(watching);
    return watching;
  };
  const fail = ({ circuits: own }: ProviderWatch) =>
    own.carrier
      .call(async () => {
        throw new TechnicalFailure('OutcomeUnknown', '503');
      })
      .catch(() => {});
  const shown = async (name: string) =>
    (await metrics.registry.getSingleMetric(name)?.get())?.values
      .filter(({ value }) => value === 1)
      .map(({ labels }) => labels);

  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 2, 1) });
    [switches, circuits, away, warnings] = [[], [], false, []];
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
    vi.useRealTimers();
  });

  it('sees the switch within a second, tells of it, and shows it in the metrics', async () => {
    const watching = await watch();
    expect([watching.pace('carrier'), watching.status('carrier')]).toEqual(['full', { state: 'available' }]);
    const told = vi.fn<() => void>();
    const ignore = watching.onChange(told);
    switches = [pausedCarrier];
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toHaveBeenCalled();
    expect([watching.pace('carrier'), watching.pace('payments')]).toEqual(['stopped', 'full']);
    expect(watching.status('carrier')).toMatchObject({ state: 'paused', reason: 'maintenance' });
    expect(await shown('provider_paused')).toEqual([{ provider: 'carrier' }]);
    ignore();
    const before = told.mock.calls.length;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told.mock.calls.length).toBe(before);
  });

  it('keeps the last known switch while SQL is away, and says so once', async () => {
    switches = [pausedCarrier];
    const watching = await watch();
    away = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([watching.pace('carrier'), watching.status('carrier').state]).toEqual(['stopped', 'paused']);
    expect(warnings).toEqual([expect.stringMatching(/stay as they are last known.*SQL is away/)]);
    [switches, away] = [[], false];
    await vi.advanceTimersByTimeAsync(1_000);
    expect(watching.pace('carrier')).toBe('slow');
  });

  it('takes no steps before it has seen the switch for the first time', async () => {
    away = true;
    const watching = await watch();
    expect(watching.pace('payments')).toBe('stopped');
    away = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(watching.pace('payments')).toBe('full');
  });

  it('reports its circuits at a change and every ten seconds, and probes after a while', async () => {
    const watching = await watch();
    expect(circuits.map(({ provider, state }) => `${provider} ${state}`)).toEqual([
      'payments closed',
      'carrier closed',
    ]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(circuits).toHaveLength(4);
    await fail(watching);
    await fail(watching);
    await vi.advanceTimersByTimeAsync(0);
    expect(circuits.at(-1)).toMatchObject({
      provider: 'carrier',
      process: 'a:1',
      state: 'open',
      reason: '503',
    });
    expect([watching.pace('carrier'), watching.pace('payments')]).toEqual(['stopped', 'full']);
    expect(await shown('provider_circuit_state')).toContainEqual({ provider: 'carrier', state: 'open' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(watching.pace('carrier')).toBe('probing');
    await watching.circuits.carrier.call(async () => 'back');
    expect(watching.pace('carrier')).toBe('slow');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(watching.pace('carrier')).toBe('full');
  });

  it('tells everybody that the key is refused, and people once', async () => {
    const watching = await watch();
    const refusing = async () => {
      throw new TechnicalFailure('ProviderMisconfigured', 'check STRIPE_SECRET_KEY', { keyRefused: true });
    };
    const refused = () => watching.circuits.payments.call(refusing).catch(() => {});
    await refused();
    await vi.advanceTimersByTimeAsync(10_000);
    await refused();
    expect(watching.status('payments')).toMatchObject({
      state: 'key-refused',
      reason: 'check STRIPE_SECRET_KEY',
    });
    expect(watching.pace('payments')).toBe('stopped');
    expect(circuits).toContainEqual(expect.objectContaining({ state: 'open', keyRefused: true }));
    expect(await shown('provider_key_refused')).toContainEqual({ provider: 'payments' });
    expect(warnings.filter((line) => line.includes('STRIPE_SECRET_KEY'))).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    await watching.circuits.payments.call(async () => 'taken');
    expect(await shown('provider_key_refused')).not.toContainEqual({ provider: 'payments' });
  });

  it('counts the circuits of other processes, as long as they report', async () => {
    const watching = await watch();
    const other = (state: 'closed' | 'open'): ProviderCircuit => ({
      provider: 'carrier',
      process: 'b:2',
      state,
      reason: '503',
      sinceUtc: pausedCarrier.sinceUtc,
      reportedAtUtc: new Date().toISOString(),
    });
    await fail(watching);
    await fail(watching);
    expect(watching.status('carrier').state).toBe('circuit-open');
    circuits = [other('closed')];
    await vi.advanceTimersByTimeAsync(1_000);
    expect(watching.status('carrier').state).toBe('available');
    circuits = [other('open')];
    await vi.advanceTimersByTimeAsync(1_000);
    expect(watching.status('carrier')).toMatchObject({
      state: 'circuit-open',
      sinceUtc: pausedCarrier.sinceUtc,
    });
  });
});
