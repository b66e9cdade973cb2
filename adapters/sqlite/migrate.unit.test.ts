import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { givenClosedOrder } from '../../test/contract/store-retention.ts';
import { openConnection, type Connection } from './connection.ts';
import { knownMigrations, migrate } from './migrate.ts';
import { connectSqliteStore } from './sqlite-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'order-saga-migrate-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Row = Record<string, string | number | null>;

const namesOf = (connection: Connection, sql: string): string[] =>
  connection.all<{ name: string }>(sql).map(({ name }) => name);

const tablesOf = (connection: Connection): string[] =>
  namesOf(connection, "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'SchemaMigrations'");

const columnsOf = (connection: Connection, table: string): string[] =>
  namesOf(connection, `SELECT name FROM pragma_table_info('${table}')`);

/** All rows of the given tables, only the given columns, in a fixed order. */
const rowsOf = (connection: Connection, shape: ReadonlyMap<string, string[]>): Record<string, Row[]> =>
  Object.fromEntries(
    [...shape].map(([table, columns]) => {
      const list = columns.map((column) => `"${column}"`).join(', ');
      return [table, connection.all<Row>(`SELECT ${list} FROM ${table} ORDER BY ${list}`)];
    }),
  );

/** A database at an earlier version that holds what a current one held, as far as that version knew of it. */
function earlierDatabase(path: string, version: number, source: Connection): ReadonlyMap<string, string[]> {
  const connection = openConnection({ path, readOnly: false });
  migrate(
    connection,
    knownMigrations().filter((migration) => migration.version <= version),
  );
  const shape = new Map(tablesOf(connection).map((table) => [table, columnsOf(connection, table)]));
  connection.script('PRAGMA foreign_keys = OFF');
  for (const [table, columns] of shape) {
    connection.script(`DELETE FROM ${table}`);
    for (const row of source.all<Row>(`SELECT * FROM ${table}`)) {
      const values = columns.map((column) => row[column] ?? null);
      connection.run(`INSERT INTO ${table} VALUES (${values.map(() => '?').join(', ')})`, ...values);
    }
  }
  connection.close();
  return shape;
}

describe('migrations', () => {
  const earlier = knownMigrations().slice(0, -1);

  test.each(earlier)('from version $version ($name) keep the data', async ({ version }) => {
    const filled = join(folder, `filled-${version}.sqlite`);
    const store = await connectSqliteStore({ path: filled });
    const orderIds = [await givenClosedOrder(store), await givenClosedOrder(store, { status: 'failed' })];
    await store.close();
    const source = openConnection({ path: filled, readOnly: true });
    const path = join(folder, `from-${version}.sqlite`);
    const shape = earlierDatabase(path, version, source);
    const before = rowsOf(source, shape);
    source.close();

    const migrated = await connectSqliteStore({ path });
    await migrated.ping();
    expect((await migrated.read.ledger()).map(({ orderId }) => orderId).toSorted()).toEqual(
      orderIds.toSorted(),
    );
    await migrated.close();
    const connection = openConnection({ path, readOnly: true });
    expect(before['Orders']).toHaveLength(2);
    expect(rowsOf(connection, shape)).toEqual(before);
    connection.close();
  });
});
