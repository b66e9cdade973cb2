import type { ActivityDeps } from '../../activities/deps.ts';
import { TechnicalFailure } from '../../domain/failures.ts';
import type { OrderId } from '../../domain/ids.ts';
import { resolveParked } from '../../workflows/messages.ts';
import { act, type StartedOrder } from './saga-suite.ts';

/** Faults for one order each, where the sandbox's rules cannot tell orders apart. */
export interface BreakableDeps {
  wrap(deps: ActivityDeps): ActivityDeps;
  /** SQL operations that cannot begin, by operation key. */
  keys: Set<string>;
  /** Runs that cannot write a note, by their ids. */
  noteless: Set<string>;
  /** Streets that cannot be verified, as if the carrier were away. */
  streets: Set<string>;
  /** Orders that SQL answers to have no row of, as after an older backup was put back. */
  gone: Set<OrderId>;
}

export function createBreakableDeps(): BreakableDeps {
  const keys = new Set<string>();
  const noteless = new Set<string>();
  const isBroken = (key: string) =>
    keys.has(key) || (key.startsWith('note-') && [...noteless].some((id) => key.endsWith(`-${id}`)));
  const streets = new Set<string>();
  const gone = new Set<OrderId>();
  return {
    keys,
    noteless,
    streets,
    gone,
    wrap: (deps) => ({
      ...deps,
      store: {
        ...deps.store,
        transaction: (work) =>
          deps.store.transaction((tx) =>
            work({
              ...tx,
              orders: {
                ...tx.orders,
                find: async (id) => (gone.has(id) ? undefined : tx.orders.find(id)),
              },
              operations: {
                ...tx.operations,
                async begin(input) {
                  if (isBroken(input.key)) {
                    throw new TechnicalFailure('StoreUnavailable', `${input.key} cannot begin in this test`);
                  }
                  return tx.operations.begin(input);
                },
              },
            }),
          ),
      },
      carrier: {
        ...deps.carrier,
        async verifyAddress(input) {
          if (streets.has(input.address.street1)) {
            throw new TechnicalFailure('ProviderUnavailable', 'the carrier is away for this test');
          }
          return deps.carrier.verifyAddress(input);
        },
      },
    }),
  };
}

/** Waits for the order's end; on a busy machine a small budget may park it once more on its way there. */
export async function endOf(order: StartedOrder): Promise<void> {
  let ended = false;
  const end = () => {
    ended = true;
  };
  const result = order.result().then(end, end);
  while (!ended) {
    await Promise.race([result, new Promise((passed) => setTimeout(passed, 500))]);
    const retry = { ...act, action: 'retry' as const };
    if (!ended) await order.executeUpdate(resolveParked, { args: [retry] }).catch(() => {});
  }
}
