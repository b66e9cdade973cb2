import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConnection, type Connection } from './connection.ts';
import { knownMigrations, migrate } from './migrate.ts';

/** Statements that run once in a while and may read as much as there is; everything else runs per order. */
const upkeep = ['ledgerSql', 'catalogSql', 'outboxLeaseSql', 'outboxUpkeepSql'];

const sources = readdirSync(new URL('.', import.meta.url)).filter((file) => /^[a-z-]+\.ts$/.test(file));
const modules = await Promise.all(
  sources.map((file) => import(new URL(file, import.meta.url).href) as Promise<Record<string, unknown>>),
);
const families = modules
  .flatMap((module) => Object.entries(module))
  .filter(([name]) => name.endsWith('Sql') && !upkeep.includes(name)) as [string, Record<string, string>][];
const perOrder = families.flatMap(([family, statements]) =>
  Object.entries(statements).map(([name, sql]) => ({ name: `${family}.${name}`, sql })),
);

describe('statements that run per order', () => {
  let connection: Connection;
  beforeAll(() => {
    connection = openConnection({ path: ':memory:', readOnly: false });
    migrate(connection, knownMigrations());
  });
  afterAll(() => connection.close());

  const scansOf = (sql: string) =>
    connection
      .all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .map(({ detail }) => detail)
      .filter((detail) => /^(SCAN|USE TEMP B-TREE)/.test(detail));

  it('are found', () => {
    expect(perOrder.length).toBeGreaterThan(35);
    expect(families.map(([family]) => family)).toContain('operationSql');
  });

  it.each(perOrder)('$name reads by index only', ({ sql }) => {
    expect(scansOf(sql)).toEqual([]);
  });

  it('would be found out if one scanned a table', () => {
    expect(scansOf("SELECT 1 FROM Orders WHERE CustomerId = 'c'")).toEqual(['SCAN Orders']);
  });
});
