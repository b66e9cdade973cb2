import { TechnicalFailure } from '../../domain/failures.ts';
import type { ActivityDeps } from '../../activities/deps.ts';
import type { StoreTransaction } from '../../ports/store.ts';

/** Puts a switch between the activities and SQL. */
export interface StoreSwitch {
  wrap(deps: ActivityDeps): ActivityDeps;
  /** While true every transaction rejects with StoreUnavailable, as with a server that is gone. */
  away: boolean;
  /** Turns away to true right after the next commit of a transaction that used this; its reply is lost as well. */
  loseReplyAfter?: keyof StoreTransaction | undefined;
}

export function createStoreSwitch(): StoreSwitch {
  const gone = () => new TechnicalFailure('StoreUnavailable', 'SQL is away for this test');
  const state: StoreSwitch = {
    away: false,
    wrap: (deps) => ({
      ...deps,
      store: {
        ...deps.store,
        async transaction(work) {
          if (state.away) throw gone();
          const used = new Set<keyof StoreTransaction>();
          const result = await deps.store.transaction((tx) => work(watched(tx, used)));
          if (state.loseReplyAfter && used.has(state.loseReplyAfter)) {
            state.away = true;
            state.loseReplyAfter = undefined;
            throw new TechnicalFailure('OutcomeUnknown', 'The reply of a commit was lost for this test');
          }
          return result;
        },
      },
    }),
  };
  return state;
}

const watched = (tx: StoreTransaction, used: Set<keyof StoreTransaction>): StoreTransaction =>
  new Proxy(tx, {
    get(target, name: keyof StoreTransaction) {
      used.add(name);
      return target[name];
    },
  });
