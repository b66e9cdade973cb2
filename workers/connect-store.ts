import type { Config } from '../config/config.ts';
import { connectSqliteStore } from '../adapters/sqlite/sqlite-store.ts';
import type { Store } from '../ports/store.ts';

/** Opens the store that SQL_URL names, at its newest schema. Throws for an address of no known kind. */
export async function connectStore(
  config: Pick<Config, 'SQL_URL'>,
  options: { onTransaction?: (seconds: number) => void } = {},
): Promise<Store> {
  const path = /^sqlite:(.+)$/.exec(config.SQL_URL)?.[1];
  if (path) return connectSqliteStore({ path, ...options });
  const kind = config.SQL_URL.split(':', 1)[0];
  throw new Error(`SQL_URL: expected sqlite:<path>, came an address that begins with "${kind}:"`);
}
