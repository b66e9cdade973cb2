import { describe, expect, it } from 'vitest';
import { createProviderPace, type ProviderFacts } from './provider-pace.ts';

describe("a provider's pace", () => {
  const start = () => {
    const pace = createProviderPace({ slowStartMs: 30_000 });
    const at = (second: number, facts: Partial<ProviderFacts> = {}) =>
      pace.now({ nowMs: second * 1_000, paused: false, circuit: 'closed', probeInMs: 0, ...facts });
    return Object.assign(at, { heldUpAgoMs: (second: number) => pace.heldUpAgoMs(second * 1_000) });
  };

  it('remembers when the provider was last held up', () => {
    const at = start();
    at(0);
    expect(at.heldUpAgoMs(5)).toBe(Number.POSITIVE_INFINITY);
    at(7, { circuit: 'open' });
    at(9, { paused: true });
    at(10);
    expect(at.heldUpAgoMs(12)).toBe(3_000);
  });

  it('is full from the start where nothing is known to hold the provider up', () => {
    expect(start()(0)).toBe('full');
  });

  it('waits until the switch is known', () => {
    const at = start();
    expect([at(0, { paused: undefined }), at(1)]).toEqual(['stopped', 'full']);
  });

  it('stops while paused, whatever the circuit says, and is slow for a while after that', () => {
    const at = start();
    expect(at(0, { paused: true })).toBe('stopped');
    expect(at(1, { paused: true, circuit: 'half-open' })).toBe('stopped');
    expect([at(2), at(30.9), at(31)]).toEqual(['slow', 'slow', 'full']);
  });

  it('stops while the circuit is open, probes when it may be tried, and is slow once it has closed', () => {
    const at = start();
    expect(at(0, { circuit: 'open', probeInMs: 10_000 })).toBe('stopped');
    expect(at(10, { circuit: 'open' })).toBe('probing');
    expect(at(11, { circuit: 'half-open' })).toBe('probing');
    expect([at(12), at(40.9), at(41)]).toEqual(['slow', 'slow', 'full']);
  });
});
