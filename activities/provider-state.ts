import type { ProviderName, ProviderStatus } from '../domain/providers.ts';
import type { ActivityDeps } from './deps.ts';

/**
 * Whether a provider's steps go on, as the worker that answers knows it. Reads memory only: nothing to repeat, to lose
 * or to undo, and it answers while SQL is away.
 */
export const createProviderState =
  ({ providers }: ActivityDeps) =>
  async ({ provider }: { provider: ProviderName }): Promise<ProviderStatus> =>
    providers.status(provider);
