import { readdirSync, readFileSync } from 'node:fs';
import type { Connection } from './connection.ts';

interface Migration {
  version: number;
  name: string;
  sql: string;
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
      sql: readFileSync(new URL(file, folder), 'utf8'),
    }));
}

/** Rejects a schema that is not the code's. */
export function checkSchema(connection: Connection, known: readonly Migration[]): void {
  const expected = known.at(-1)?.version ?? 0;
  const found = schemaVersion(connection);
  if (found > expected) refuseNewer(found, expected);
  if (found < expected) {
    throw new Error(
      `The database has schema version ${found}, this code expects ${expected}: restart it to migrate`,
    );
  }
}

/**
 * Brings the schema to the code's version. Safe with several processes at once: the write lock is taken before the
 * version is read, so one migrates and the others find the work done. All missing migrations are one transaction.
 * Throws for a schema that is newer than the code.
 */
export function migrate(connection: Connection, known: readonly Migration[]): void {
  if (isCurrent(connection, known)) return;
  connection.script('BEGIN IMMEDIATE');
  try {
    connection.script(migrationsTable);
    const found = schemaVersion(connection);
    const expected = known.at(-1)?.version ?? 0;
    if (found > expected) refuseNewer(found, expected);
    for (const migration of known.filter(({ version }) => version > found)) apply(connection, migration);
    connection.script('COMMIT');
  } catch (error) {
    if (connection.inTransaction()) connection.script('ROLLBACK');
    throw error;
  }
}

/** Spares a start on a busy database the wait for the write lock. */
function isCurrent(connection: Connection, known: readonly Migration[]): boolean {
  const table = connection.get(
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'SchemaMigrations'",
  );
  return table !== undefined && schemaVersion(connection) === known.at(-1)?.version;
}

function apply(connection: Connection, migration: Migration): void {
  connection.script(migration.sql);
  connection.run(
    'INSERT INTO SchemaMigrations (Version, Name, AppliedAtUtc) VALUES (?, ?, ?)',
    migration.version,
    migration.name,
    new Date().toISOString(),
  );
}

function refuseNewer(found: number, expected: number): never {
  throw new Error(
    `The database has schema version ${found}, this code knows versions up to ${expected}: start the newer release`,
  );
}

const schemaVersion = (connection: Connection): number =>
  connection.get<{ Version: number | null }>('SELECT MAX(Version) AS Version FROM SchemaMigrations')
    ?.Version ?? 0;

const migrationsTable = `
CREATE TABLE IF NOT EXISTS SchemaMigrations (
  Version INTEGER NOT NULL,
  Name TEXT NOT NULL,
  AppliedAtUtc TEXT NOT NULL,
  CONSTRAINT PK_SchemaMigrations PRIMARY KEY (Version)
) STRICT, WITHOUT ROWID`;
