import { readdirSync, readFileSync } from 'node:fs';
import type { Driver, ServerTransaction } from './driver.ts';
import { storeError } from './errors.ts';
import { withoutHints } from './lock-hints.ts';
import { typedParameters, type StatementValues } from './parameter-types.ts';
import { statements, type Row, type Statement } from './statement.ts';
import { numberOf } from './values.ts';

interface Migration {
  version: number;
  name: string;
  /** The file's batches: what stands between its lines `GO`. */
  batches: string[];
}

const folder = new URL('./migrations/', import.meta.url);

/** The code's migrations, in order: `0001-initial-schema.sql` is version 1. */
export function knownMigrations(): Migration[] {
  return readdirSync(folder)
    .filter((file) => /^\d{4}-[a-z0-9-]+\.sql$/.test(file))
    .sort()
    .map((file) => ({
      version: Number(file.slice(0, 4)),
      name: file.slice(5, -4),
      batches: batchesOf(readFileSync(new URL(file, folder), 'utf8')),
    }));
}

/** `GO` alone on a line ends a batch; some statements must be the first of theirs. */
export const batchesOf = (sql: string): string[] =>
  sql.split(/^\s*GO\s*$/im).filter((batch) => /\S/.test(batch));

export const migrationSql = statements('migrations', {
  /* Held until the transaction ends, so one process migrates and the others then find the work done. */
  lock: {
    index: 'none',
    text: () => `DECLARE @Result INT;
      EXEC @Result = sp_getapplock @LockResource, 'Exclusive', 'Transaction', @LockTimeoutMs;
      SELECT @Result AS AppLock`,
  },
  exists: { index: 'none', text: () => "SELECT OBJECT_ID(N'dbo.SchemaMigrations', N'U') AS TableId" },
  createTable: {
    index: 'none',
    text: () => `CREATE TABLE dbo.SchemaMigrations (
        Version INT NOT NULL,
        Name NVARCHAR(400) NOT NULL,
        AppliedAtUtc DATETIME2(3) NOT NULL,
        CONSTRAINT PK_SchemaMigrations PRIMARY KEY CLUSTERED (Version)
      )`,
  },
  version: {
    index: 'PK_SchemaMigrations',
    text: () => 'SELECT MAX(Version) AS Version FROM dbo.SchemaMigrations',
  },
  record: {
    index: 'PK_SchemaMigrations',
    text: () => `INSERT INTO dbo.SchemaMigrations (Version, Name, AppliedAtUtc)
      VALUES (@Version, @Name, @AppliedAtUtc)`,
  },
});

/** DDL on a busy server, and the wait for another process that migrates, in milliseconds. */
const migrationTimeoutMs = 120_000;
const lockResource = 'order-saga-migrations';

type Query = (statement: Statement, values?: StatementValues) => Promise<Row[]>;

/** Rejects a schema that is not the code's. */
export async function checkSchema(driver: Driver, known: readonly Migration[]): Promise<void> {
  const query = autocommit(driver);
  const found = await schemaVersion(query);
  const expected = expectedVersion(known);
  if (found > expected) refuseNewer(found, expected);
  if (found < expected) {
    throw new Error(
      `The database has schema version ${found}, this code expects ${expected}: restart it to migrate`,
    );
  }
}

/**
 * Brings the schema to the code's version. Safe with several processes at once (`sp_getapplock`). All missing migrations
 * are one transaction. A login without DDL rights can start once the schema is current. Throws for a schema that is
 * newer than the code.
 */
export async function migrate(driver: Driver, known: readonly Migration[]): Promise<void> {
  const expected = expectedVersion(known);
  // Another process's uncommitted tables hide behind their locks until it has migrated.
  const before = await schemaVersion(autocommit(driver, migrationTimeoutMs));
  if (before > expected) refuseNewer(before, expected);
  if (before === expected) return;
  const transaction = await driver.begin(migrationTimeoutMs).catch((error: unknown) => {
    throw storeError(error, { server: driver.server, statement: 'BEGIN TRANSACTION' });
  });
  try {
    await apply(within(transaction, driver.server), transaction, driver.server, known);
    await transaction.commit();
  } catch (error) {
    await transaction.rollback();
    throw storeError(error, { server: driver.server, statement: 'the migrations' });
  }
}

async function apply(
  query: Query,
  transaction: ServerTransaction,
  server: string,
  known: readonly Migration[],
): Promise<void> {
  const lock = { LockResource: lockResource, LockTimeoutMs: migrationTimeoutMs };
  const [locked] = await query(migrationSql.lock, lock);
  if (numberOf(locked?.['AppLock']) < 0) {
    throw new Error(
      `Another process holds the lock for migrations (sp_getapplock ${String(locked?.['AppLock'])})`,
    );
  }
  // Another process may have migrated while this one waited.
  const found = await schemaVersion(query);
  if (found > expectedVersion(known)) refuseNewer(found, expectedVersion(known));
  if (found === 0 && !(await hasTable(query))) await query(migrationSql.createTable);
  for (const { version, name, batches } of known.filter((migration) => migration.version > found)) {
    for (const batch of batches) {
      await transaction.query(batch, []).catch((error: unknown) => {
        throw storeError(error, { server, statement: `migration ${version} (${name})`, text: batch });
      });
    }
    await query(migrationSql.record, {
      Version: version,
      Name: name,
      AppliedAtUtc: new Date().toISOString(),
    });
  }
}

const expectedVersion = (known: readonly Migration[]): number => known.at(-1)?.version ?? 0;

function refuseNewer(found: number, expected: number): never {
  throw new Error(
    `The database has schema version ${found}, this code knows versions up to ${expected}: start the newer release`,
  );
}

const hasTable = async (query: Query): Promise<boolean> => {
  const [row] = await query(migrationSql.exists);
  return row !== undefined && row['TableId'] !== null;
};

async function schemaVersion(query: Query): Promise<number> {
  if (!(await hasTable(query))) return 0;
  const [row] = await query(migrationSql.version);
  return row && row['Version'] !== null ? numberOf(row['Version']) : 0;
}

const autocommit =
  (driver: Driver, timeoutMs?: number): Query =>
  (statement, values = {}) =>
    named(driver.server, statement, values, (text, parameters) => driver.query(text, parameters, timeoutMs));

const within =
  (transaction: ServerTransaction, server: string): Query =>
  (statement, values = {}) =>
    named(server, statement, values, (text, parameters) => transaction.query(text, parameters));

/** Runs one statement; its errors carry its name and text. */
async function named(
  server: string,
  statement: Statement,
  values: StatementValues,
  run: (text: string, parameters: ReturnType<typeof typedParameters>) => Promise<Row[][]>,
): Promise<Row[]> {
  const text = statement.text(withoutHints, 1);
  try {
    return (await run(text, typedParameters(text, values))).flat();
  } catch (error) {
    throw storeError(error, { server, statement: statement.name, text });
  }
}
