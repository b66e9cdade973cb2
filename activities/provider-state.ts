import type { BudgetAdvice, ProviderName } from '../domain/providers.ts';
import type { ActivityDeps } from './deps.ts';

export interface ProviderQuestion {
  provider: ProviderName;
  budgetMs: number;
  /** The budget ended while the step waited, in the queue or for an answer, and not with an attempt that failed. */
  timedOut: boolean;
}

/**
 * What becomes of a step whose budget has ended, as the worker that answers knows its provider. Whoever asks while an
 * open circuit may be tried is told to go on: its attempt is the probe, and without one the circuit would never close.
 * A step that waited may have been in the backlog of a hold-up before its budget began: that counts as well.
 * Reads memory only: nothing to repeat, to lose or to undo, and it answers while SQL is away.
 */
export const createProviderState =
  ({ providers }: ActivityDeps) =>
  async ({ provider, budgetMs, timedOut }: ProviderQuestion): Promise<BudgetAdvice> => {
    const status = providers.status(provider);
    if (status.state !== 'available' && providers.pace(provider) === 'stopped') {
      return { advice: 'wait', wait: status };
    }
    const blamedMs = timedOut ? 2 * budgetMs : budgetMs;
    return { advice: providers.heldUpAgoMs(provider) < blamedMs ? 'again' : 'park' };
  };
