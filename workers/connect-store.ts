import type { Config } from '../config/config.ts';
import { connectSqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import { isSqlServerUrl } from '../adapters/sqlserver/connection-settings.ts';
import { connectSqlServerStore, type SqlServerHooks } from '../adapters/sqlserver/sqlserver-store.ts';
import type { Store } from '../ports/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/**
 * Opens the store that SQL_URL names, at its newest schema: SQLite (`sqlite:<path>`) or SQL Server (`mssql://…` or an
 * ADO-style connection string). Throws for an address of no known kind, without repeating it. SQLite uses `onTransaction` alone.
 */
export async function connectStore(
  config: Pick<Config, 'SQL_URL'>,
  hooks: SqlServerHooks = {},
): Promise<Store> {
  const url = config.SQL_URL;
  const path = /^sqlite:(.+)$/.exec(url)?.[1];
  if (path) return connectSqliteStore({ path, ...pick(hooks) });
  if (isSqlServerUrl(url)) return connectSqlServerStore({ url, ...hooks });
  const kind = url.split(':', 1)[0];
  throw new Error(
    'SQL_URL: expected sqlite:<path>, mssql://user:password@host:port/database or ' +
      `Server=host,port;Database=…;User Id=…;Password=…, came an address that begins with "${kind}:"`,
  );
}

const pick = ({ onTransaction }: SqlServerHooks) => (onTransaction ? { onTransaction } : {});

/** What a process observes of its store. */
export function storeHooks(
  metrics: Pick<Metrics, 'storeTransactionDuration' | 'storeConnections' | 'storeConnectionWait'>,
  warn: (message: string) => void,
): SqlServerHooks {
  return {
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
