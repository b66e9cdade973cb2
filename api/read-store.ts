import { TechnicalFailure } from '../domain/failures.ts';
import type { StoreReads } from '../ports/store.ts';
import type { AppDeps } from './app-deps.ts';
import { TookTooLong, within } from './bounded.ts';
import { ApiProblem } from './problems.ts';
import { STORE_TIMEOUT_MS } from './read-order.ts';

/** What only the store knows; 503 when it does not answer within 500 ms. */
export async function readStore<T>(deps: AppDeps, read: (reads: StoreReads) => Promise<T>): Promise<T> {
  try {
    return await within(STORE_TIMEOUT_MS, 'store', () => read(deps.store.read));
  } catch (error) {
    throw storeUnavailable(deps, error);
  }
}

/** What is no failure the store is known for may be a bug of ours, so it is logged as an error. */
export function storeUnavailable(deps: AppDeps, error: unknown): ApiProblem {
  const known = error instanceof TechnicalFailure || error instanceof TookTooLong;
  deps.logger[known ? 'warn' : 'error']({ err: error }, 'The store did not answer');
  return new ApiProblem('store-unavailable', { detail: 'The store did not answer in time.' });
}
