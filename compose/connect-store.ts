import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { connectSqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import { isSqlServerUrl } from '../adapters/sqlserver/connection-settings.ts';
import { connectSqlServerStore, type SqlServerHooks } from '../adapters/sqlserver/sqlserver-store.ts';
import { TechnicalFailure } from '../domain/failures.ts';
import type { Store } from '../ports/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { isTracing } from '../telemetry/tracing.ts';
import { countCommitted, type OrderMetrics } from './count-committed.ts';
import type { Startup } from './startup.ts';
import { tracedStore } from './traced-store.ts';

/**
 * Opens the store that SQL_URL names, at its newest schema: SQLite (`sqlite:<path>`) or SQL Server (`mssql://…` or an
 * ADO-style connection string). Throws for an address of no known kind, without repeating it. With `orders`
 * it counts what becomes of orders.
 */
export async function connectStore(config: Pick<Config, 'SQL_URL'>, hooks: StoreHooks = {}): Promise<Store> {
  const url = config.SQL_URL;
  const path = /^sqlite:(.+)$/.exec(url)?.[1];
  const observed = (store: Store, system: Parameters<typeof tracedStore>[1]) =>
    counted(isTracing() ? tracedStore(store, system) : store, hooks);
  if (path) return observed(await connectSqliteStore({ path, ...hooks }), 'sqlite');
  if (isSqlServerUrl(url))
    return observed(await connectSqlServerStore({ url, ...hooks }), 'microsoft.sql_server');
  const kind = url.split(':', 1)[0];
  throw new Error(
    'SQL_URL: expected sqlite:<path>, mssql://user:password@host:port/database or ' +
      `Server=host,port;Database=…;User Id=…;Password=…, came an address that begins with "${kind}:"`,
  );
}

/**
 * The same for a process that starts while the database is locked, resumes, fails over or has no room: it waits. What
 * waiting cannot mend (an address of no known kind, a newer schema, a login that is refused) rejects.
 */
export const connectStoreWhenThere = (
  config: Pick<Config, 'SQL_URL'>,
  hooks: StoreHooks,
  startup: Startup,
): Promise<Store> =>
  startup.until({
    check: 'sql',
    setting: 'SQL_URL',
    connect: () => connectStore(config, hooks),
    isAway: (error) => error instanceof TechnicalFailure && error.type === 'StoreUnavailable',
  });

/**
 * For commands that look after a store: one that is not there is refused, since a new empty one in its place would say
 * that all is well.
 */
export async function connectExistingStore(config: Pick<Config, 'SQL_URL'>): Promise<Store> {
  const path = /^sqlite:(.+)$/.exec(config.SQL_URL)?.[1];
  if (path && !existsSync(path)) {
    throw new StoreMissing(
      `SQL_URL: there is no SQLite file at ${resolve(path)}; nothing was made. Set SQL_URL to the store, or start the product once (npm start)`,
    );
  }
  return connectStore(config);
}

/** Exit code 2: nothing could be done. */
export class StoreMissing extends Error {}

const counted = (store: Store, { orders }: StoreHooks): Store =>
  orders ? countCommitted(store, orders) : store;

export type StoreHooks = SqlServerHooks & { orders?: OrderMetrics };

/** What a process observes of its store. */
export function storeHooks(
  metrics: Pick<
    Metrics,
    'storeTransactionDuration' | 'storeStatementDuration' | 'storeConnections' | 'storeConnectionWait'
  > &
    OrderMetrics,
  warn: (message: string) => void,
): StoreHooks {
  return {
    orders: metrics,
    onStatementTime: (statement, seconds) => metrics.storeStatementDuration.observe({ statement }, seconds),
    onTransaction: (seconds) => metrics.storeTransactionDuration.observe(seconds),
    onPool: ({ size, inUse, waiting }) => {
      metrics.storeConnections.set({ state: 'size' }, size);
      metrics.storeConnections.set({ state: 'in_use' }, inUse);
      metrics.storeConnections.set({ state: 'waiting' }, waiting);
    },
    onAcquire: (seconds, result) => metrics.storeConnectionWait.observe({ result }, seconds),
    onRefusedSetting: warn,
  };
}
