import type { BudgetAdvice, ProviderName } from '../domain/providers.ts';
import type { ActivityDeps } from './deps.ts';

/**
 * What becomes of a step whose budget has ended, as the worker that answers knows its provider. Whoever asks while an
 * open circuit may be tried is told to go on: its attempt is the probe, and without one the circuit would never close.
 * Reads memory only: nothing to repeat, to lose or to undo, and it answers while SQL is away.
 */
export const createProviderState =
  ({ providers }: ActivityDeps) =>
  async ({ provider, budgetMs }: { provider: ProviderName; budgetMs: number }): Promise<BudgetAdvice> => {
    const status = providers.status(provider);
    if (status.state !== 'available' && providers.pace(provider) === 'stopped') {
      return { advice: 'wait', wait: status };
    }
    return { advice: providers.heldUpAgoMs(provider) < budgetMs ? 'again' : 'park' };
  };
