import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { ActivityDeps } from '../../activities/deps.ts';
import { loadConfig } from '../../config/config.ts';
import { TechnicalFailure } from '../../domain/failures.ts';
import type { LockAnswer, Locks } from '../../ports/locks.ts';
import type { Store } from '../../ports/store.ts';
import type { Actor, Interleaving } from './interleaving.ts';

/** Redis locks in the model: exclusive until released or out of time; unavailable when the model says so, or forgotten. */
export function createLockModel(world: Interleaving, redis: 'up' | 'down') {
  const held = new Map<string, { actor: Actor; untilMs: number }>();
  const locksFor = (actor: Actor): Locks => ({
    async acquire({ name, ttlMs }): Promise<LockAnswer> {
      if (redis === 'down') return { status: 'unavailable' };
      const mode = await world.gate(actor, 'asks for the lock', ['ok', 'unavailable']);
      if (mode === 'unavailable') return { status: 'unavailable' };
      const holder = held.get(name);
      if (holder && holder.untilMs > world.nowMs()) return { status: 'held' };
      held.set(name, { actor, untilMs: world.nowMs() + ttlMs });
      return {
        status: 'acquired',
        release: async () => {
          if (held.get(name)?.actor === actor) held.delete(name);
        },
      };
    },
  });
  return { locksFor, forget: () => held.clear() };
}

/** The real store, with places before and after each transaction where an attempt can be stopped, killed or fail. */
export const storeFor = (world: Interleaving, actor: Actor, store: Store): Store => ({
  ...store,
  async transaction(work) {
    const before = await world.gate(actor, 'begins a transaction', ['ok', 'busy']);
    if (before === 'busy') throw new TechnicalFailure('StoreUnavailable', 'the database is locked');
    const result = await store.transaction(work);
    const after = await world.gate(actor, 'has committed', ['ok', 'reply-lost']);
    if (after === 'reply-lost') throw new TechnicalFailure('OutcomeUnknown', 'the commit may have happened');
    return result;
  },
});

/** Runs an activity as a worker would, outside of one. */
export const inActivity = <T>(work: () => Promise<T>, runId = 'run-model'): Promise<T> =>
  new MockActivityEnvironment(
    { workflowExecution: { workflowId: 'order-model', runId } },
    { logger: silent },
  ).run(work);

const silent = new DefaultLogger('ERROR', () => {});

/** Parts that no property is about. */
export const quietDeps: Pick<ActivityDeps, 'bell' | 'quotes' | 'providers' | 'shipping'> = {
  providers: {
    status: () => ({ state: 'available' }),
    pace: () => 'full',
    heldUpAgoMs: () => Infinity,
    onChange: () => () => {},
  },
  bell: { ring: () => {}, listen: () => Promise.resolve({ close: () => Promise.resolve() }) },
  quotes: { quote: () => [] },
  shipping: { from: loadConfig({}).SHIP_FROM, limits: [] },
};
