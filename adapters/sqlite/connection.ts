import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { storeError } from './errors.ts';

type SqlValue = string | number | null;

/** One connection with its prepared statements. Everything is synchronous; errors are those of `storeError`. */
export interface Connection {
  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined;
  all<Row>(sql: string, ...values: SqlValue[]): Row[];
  /** Returns how many rows it changed. */
  run(sql: string, ...values: SqlValue[]): number;
  /** Several statements without values, not cached. */
  script(sql: string): void;
  /** False after SQLite itself rolled the whole transaction back (disk full, input/output error). */
  inTransaction(): boolean;
  close(): void;
}

/**
 * The longest time, in milliseconds, that a locked database may block the event loop; past it the caller waits
 * asynchronously.
 */
const busyTimeoutMs = 20;

/** Opens the file: WAL, every commit on disk before it returns (`synchronous=FULL`), foreign keys checked. */
export function openConnection(input: { path: string; readOnly: boolean }): Connection {
  const { path, readOnly } = input;
  const refuse = (error: unknown, statement: string): never => {
    throw storeError(error, { path, statement });
  };
  const database = openDatabase(path, readOnly, refuse);
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    get<Row>(sql: string, ...values: SqlValue[]) {
      try {
        return prepared(sql).get(...values) as Row | undefined;
      } catch (error) {
        return refuse(error, sql);
      }
    },
    all<Row>(sql: string, ...values: SqlValue[]) {
      try {
        return prepared(sql).all(...values) as Row[];
      } catch (error) {
        return refuse(error, sql);
      }
    },
    run(sql, ...values) {
      try {
        return Number(prepared(sql).run(...values).changes);
      } catch (error) {
        return refuse(error, sql);
      }
    },
    script(sql) {
      try {
        database.exec(sql);
      } catch (error) {
        refuse(error, sql);
      }
    },
    inTransaction: () => database.isTransaction,
    close: () => database.close(),
  };
}

/** Checkpoints run every 4,000 pages (16 MiB), which a few commits have to wait for; a WAL that a long reader let grow is cut back to 64 MiB. */
const pragmas = (readOnly: boolean): string => `
  ${readOnly ? '' : 'PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;'}
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -16384;
`;

function openDatabase(
  path: string,
  readOnly: boolean,
  refuse: (error: unknown, statement: string) => never,
): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs });
    database.exec(pragmas(readOnly));
    return database;
  } catch (error) {
    database?.close();
    return refuse(error, readOnly ? 'open for reading' : 'open');
  }
}

/** Runs `work` on one snapshot of a connection that only reads. */
export function snapshot<T>(connection: Connection, work: () => T): T {
  connection.run('BEGIN');
  try {
    return work();
  } finally {
    if (connection.inTransaction()) connection.run('COMMIT');
  }
}
