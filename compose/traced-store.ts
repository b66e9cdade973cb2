import type { Store, StoreTransaction } from '../ports/store.ts';
import { activeTraceparent, traced } from '../telemetry/tracing.ts';

/**
 * The store with a span for each transaction of a traced piece of work. Messages written in one carry its span as their
 * `traceparent`, so that whoever publishes and reads them goes on there.
 */
export function tracedStore(store: Store, system: 'sqlite' | 'microsoft.sql_server'): Store {
  const attributes = { 'db.system.name': system, 'db.operation.name': 'TRANSACTION' };
  const span = { name: 'sql transaction', kind: 'client', inside: true, attributes } as const;
  return {
    ...store,
    transaction: (work) =>
      traced(span, () => {
        const traceparent = activeTraceparent();
        return store.transaction(
          traceparent === undefined ? work : (tx) => work(withTraceparent(tx, traceparent)),
        );
      }),
  };
}

const withTraceparent = (tx: StoreTransaction, traceparent: string): StoreTransaction => ({
  ...tx,
  messages: { ...tx.messages, add: (message) => tx.messages.add({ ...message, traceparent }) },
});
