import { TechnicalFailure } from '../../domain/failures.ts';
import { RefusedWrite } from '../../domain/refused-write.ts';
import type { StoreReads } from '../../ports/store.ts';
import type { AppDeps } from '../app-deps.ts';
import { TookTooLong, within } from '../../ports/bounded.ts';
import { ApiProblem } from './problems.ts';
import { STORE_TIMEOUT_MS } from '../orders/read-order.ts';

/** What only the store knows; 503 when it does not answer within 500 ms. */
export async function readStore<T>(deps: AppDeps, read: (reads: StoreReads) => Promise<T>): Promise<T> {
  try {
    return await within(STORE_TIMEOUT_MS, 'store', () => read(deps.store.read));
  } catch (error) {
    throw storeUnavailable(deps, error);
  }
}

/**
 * The answer for what a use of the store threw: a problem stays itself; a write that the store refuses is no outage and
 * says which constraint holds (409), or is a bug of ours (500). What is no failure the store is known for may be a bug
 * as well, so it is logged as an error.
 */
export function storeUnavailable(deps: AppDeps, error: unknown): Error {
  if (error instanceof ApiProblem) return error;
  if (error instanceof RefusedWrite) return refusedWrite(deps, error);
  const known = error instanceof TechnicalFailure || error instanceof TookTooLong;
  deps.logger[known ? 'warn' : 'error'](
    { err: error, setting: 'SQL_URL' },
    'The store that SQL_URL names did not answer',
  );
  return new ApiProblem('store-unavailable', { detail: 'The store did not answer in time.' });
}

function refusedWrite(deps: AppDeps, error: RefusedWrite): Error {
  if (error.constraint === undefined) return error;
  deps.logger.error({ err: error }, 'The store refused a write');
  return new ApiProblem('write-refused', {
    detail: `A rule of the store holds: ${error.constraint}. Nothing was changed.`,
    code: error.constraint,
  });
}
