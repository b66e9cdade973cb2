import { describe, expect, it } from 'vitest';
import type { ProviderStatus } from '../domain/providers.ts';
import type { ProviderPace } from '../ports/providers.ts';
import type { ActivityDeps } from './deps.ts';
import { createProviderState } from './provider-state.ts';

const open: ProviderStatus = { state: 'circuit-open', sinceUtc: '2026-01-02T00:00:00.000Z', reason: '503' };
const available: ProviderStatus = { state: 'available' };

describe('a step whose budget has ended', () => {
  const adviceWith = (status: ProviderStatus, pace: ProviderPace, heldUpAgoMs: number, timedOut = false) => {
    const providers = { status: () => status, pace: () => pace, heldUpAgoMs: () => heldUpAgoMs };
    return createProviderState({ providers } as unknown as ActivityDeps)({
      provider: 'carrier',
      budgetMs: 1_000,
      timedOut,
    });
  };

  it('waits while its provider takes no steps', async () => {
    expect(await adviceWith(open, 'stopped', 0)).toEqual({ advice: 'wait', wait: open });
  });

  it('goes on as the probe when an open circuit may be tried', async () => {
    expect(await adviceWith(open, 'probing', 0)).toEqual({ advice: 'again' });
  });

  it('goes on where another process has its circuit closed', async () => {
    expect(await adviceWith(available, 'stopped', 0)).toEqual({ advice: 'again' });
  });

  it('has another budget when its provider was held up within this one, and is parked otherwise', async () => {
    expect(await adviceWith(available, 'slow', 999)).toEqual({ advice: 'again' });
    expect(await adviceWith(available, 'full', 1_000)).toEqual({ advice: 'park' });
    expect(await adviceWith(available, 'full', Number.POSITIVE_INFINITY)).toEqual({ advice: 'park' });
  });

  it('has another one as well when it waited through the backlog that a hold-up left', async () => {
    expect(await adviceWith(available, 'full', 1_999, true)).toEqual({ advice: 'again' });
    expect(await adviceWith(available, 'full', 2_000, true)).toEqual({ advice: 'park' });
  });
});
