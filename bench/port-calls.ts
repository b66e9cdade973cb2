import type { Store, StoreTransaction } from '../ports/store.ts';

/** Requests to SQL Server for one call of the port, in the common case; 1 where none is named. */
const requests: Record<string, number> = {
  // The order and all its lines.
  'orders.insert': 2,
  // All products in one batch, all reservations in one insert.
  'inventory.reserve': 2,
  'inventory.release': 2,
  'inventory.consume': 2,
  // The head is locked, then row and head are written together.
  'audit.append': 2,
};
/** BEGIN TRANSACTION and COMMIT. */
const perTransaction = 2;
/** The first audit row of a subject makes its head. */
const firstAuditRow = 1;

/**
 * Counts what an order asks of the port, and what that comes to as requests to SQL Server. Read after one order on the
 * returned store.
 */
export function countPortCalls(store: Store): { store: Store; sqlServerRequests: () => number } {
  const calls: string[] = [];
  let transactions = 0;
  const counted: Store = {
    ...store,
    transaction(work) {
      transactions += 1;
      return store.transaction((tx) => work(recording(tx, (name) => calls.push(name))));
    },
  };
  const sqlServerRequests = () =>
    calls.reduce((sum, name) => sum + (requests[name] ?? 1), 0) +
    perTransaction * transactions +
    (calls.includes('audit.append') ? firstAuditRow : 0);
  return { store: counted, sqlServerRequests };
}

/** The same transaction, telling the name of each call. */
function recording(tx: StoreTransaction, onCall: (name: string) => void): StoreTransaction {
  const families = Object.entries(tx).map(([family, methods]) => [
    family,
    new Proxy(methods as object, {
      get(target, name) {
        onCall(`${family}.${String(name)}`);
        return Reflect.get(target, name) as unknown;
      },
    }),
  ]);
  return Object.fromEntries(families) as StoreTransaction;
}
