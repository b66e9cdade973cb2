import { describe, expect, it } from 'vitest';
import { awaitedProvider, statusOf, type ProviderCircuit, type ProviderSwitch } from './providers.ts';

const nowUtc = '2026-01-02T00:01:00.000Z';
const paused: ProviderSwitch = {
  provider: 'carrier',
  state: 'paused',
  actor: 'grace',
  reason: 'maintenance',
  sinceUtc: '2026-01-02T00:00:00.000Z',
};
const circuit = (change: Partial<ProviderCircuit>): ProviderCircuit => ({
  provider: 'carrier',
  process: 'a:1',
  state: 'open',
  reason: '503',
  sinceUtc: '2026-01-02T00:00:30.000Z',
  reportedAtUtc: '2026-01-02T00:00:50.000Z',
  ...change,
});

describe("a provider's status", () => {
  const statusWith = (switches: ProviderSwitch[], ...circuits: ProviderCircuit[]) =>
    statusOf({ switches, circuits }, { provider: 'carrier', nowUtc });

  it('is available without a word of it', () => {
    expect(statusWith([])).toEqual({ state: 'available' });
    expect(statusWith([{ ...paused, provider: 'payments' }])).toEqual({ state: 'available' });
    expect(statusWith([{ ...paused, state: 'running' }])).toEqual({ state: 'available' });
  });

  it("is the operator's switch first", () => {
    const { sinceUtc, reason } = paused;
    expect(statusWith([paused], circuit({}))).toEqual({ state: 'paused', sinceUtc, reason });
  });

  it('is held up by circuits only when no living process has one closed', () => {
    const older = circuit({ process: 'b:2', state: 'half-open', reason: '500', sinceUtc: paused.sinceUtc });
    expect(statusWith([], circuit({}), older)).toEqual({
      state: 'circuit-open',
      sinceUtc: paused.sinceUtc,
      reason: '500',
    });
    const refusing = circuit({ process: 'd:4', reason: '401', keyRefused: true });
    expect(statusWith([], older, refusing)).toMatchObject({ state: 'key-refused', reason: '401' });
    const closed = circuit({ process: 'c:3', state: 'closed' });
    expect(statusWith([], circuit({}), closed)).toEqual({ state: 'available' });
    const gone = { ...closed, reportedAtUtc: '2026-01-02T00:00:29.999Z' };
    expect(statusWith([], circuit({}), gone)).toMatchObject({ state: 'circuit-open' });
    expect(statusWith([], { ...gone, state: 'open' })).toEqual({ state: 'available' });
    expect(statusWith([], circuit({ provider: 'payments' }))).toEqual({ state: 'available' });
  });
});

describe('the provider an order waits for', () => {
  it.each([
    [{ sagaState: 'running', step: 'address' }, 'carrier'],
    [{ sagaState: 'running', step: 'shipping' }, 'carrier'],
    [{ sagaState: 'running', step: 'payment' }, 'payments'],
    [{ sagaState: 'running', step: 'inventory' }, undefined],
    [{ sagaState: 'held', step: 'payment' }, undefined],
    [{ sagaState: 'ended', step: 'shipping' }, undefined],
    [{ sagaState: 'compensating', step: 'shipping' }, undefined],
    [{ sagaState: 'parked', step: 'shipping', parked: { activity: 'refundPayment' } }, 'payments'],
    [{ sagaState: 'parked', step: 'shipping', parked: { activity: 'voidShipment' } }, 'carrier'],
    [{ sagaState: 'parked', step: 'receive', parked: { activity: 'toString' } }, undefined],
    [{ sagaState: 'parked', parked: {} }, undefined],
  ])('of %j is %s', (order, provider) => {
    expect(awaitedProvider(order)).toBe(provider);
  });
});
