import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allStatements, perOrderFamilies, perOrderStatements, upkeepFamilies } from './all-statements.ts';
import { createDatabaseText, snapshotText } from './create-database.ts';
import { withHints, withoutHints } from './lock-hints.ts';
import { batchesOf, knownMigrations } from './migrate.ts';
import { parameterNames, parameterTypes, typeOf } from './parameter-types.ts';

const folder = new URL('./', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, folder), 'utf8');

/** Every text this adapter may send, by name. */
const texts = [
  ...allStatements.flatMap((statement) =>
    [withHints, withoutHints].flatMap((hints) =>
      [1, 3].map((rows) => [statement.name, statement.text(hints, rows)] as const),
    ),
  ),
  ...knownMigrations().flatMap(({ version, batches }) =>
    batches.map((batch) => [`migration ${version}`, batch] as const),
  ),
  ['create database', createDatabaseText('a]b')] as const,
  ['snapshot', snapshotText('a]b')] as const,
];

/** What SQL Server 2019, Azure SQL and Babelfish do not share, or what must not be. */
const forbidden: Record<string, RegExp> = {
  'MERGE (races)': /\bMERGE\b/i,
  WAITFOR: /\bWAITFOR\b/i,
  'CREATE OR ALTER': /\bCREATE\s+OR\s+ALTER\b/i,
  'range locks': /\b(SERIALIZABLE|HOLDLOCK)\b/i,
  'dirty reads': /\b(NOLOCK|READUNCOMMITTED)\b/i,
  'dropping a constraint': /\bDROP\s+CONSTRAINT\b/i,
  'a default without a name': /(?<!CONSTRAINT \w+ )\bDEFAULT\b/i,
  'an inline key, check or reference without a name':
    /(?<!CONSTRAINT \w+ )\b(PRIMARY KEY|FOREIGN KEY|CHECK \()/i,
  'several columns or constraints in one ALTER TABLE': /\bALTER\s+TABLE\b[^;]*\bADD\b[^;]*,/i,
  'an index inside CREATE TABLE': /^\s+INDEX\s/im,
  'old values of an UPDATE': /\bUPDATE\b[^;]*\bdeleted\./i,
  'SELECT *': /SELECT\s+\*/i,
};

const withoutComments = (sql: string): string => sql.replace(/--.*$|\/\*[\s\S]*?\*\//gm, '');
const found = (sql: string): string[] =>
  Object.keys(forbidden).filter((name) => forbidden[name]?.test(withoutComments(sql)));

/** Written once with their row, or its key. */
const neverChange = ['Id', 'PartitionNumber', 'Provider', 'FulfillmentId', 'ProductId', 'Quantity'];

/**
 * Columns of an UPDATE's OUTPUT that are neither a parameter's own value nor part of the key: a server that reads before
 * it waits for the row's lock (Babelfish) returns them as they were. A SELECT behind the UPDATE reads what was written.
 */
function staleOutputs(sql: string): string[] {
  const updates = [...withoutComments(sql).matchAll(/\bUPDATE\b(?:(?!\b(?:UPDATE|INSERT|DELETE)\b)[^;])*/gi)];
  return updates.flatMap(([update]) => {
    const output = /\bOUTPUT\b(.*?)\b(?:WHERE|FROM|$)/s.exec(update)?.[1] ?? '';
    const given = [...update.matchAll(/\b(\w+) = (?:@\w+|'[^']*'|NULL)(?=\s|,|$)/g)].map(
      ([, column]) => column,
    );
    const columns = [...output.matchAll(/inserted\.(\w+)/g)].map(([, column]) => column ?? '');
    return columns.filter((column) => ![...given, ...neverChange].includes(column));
  });
}

describe('the statements of the SQL Server store', () => {
  it('are all in the list', () => {
    const sources = readdirSync(folder).filter(
      (file) => /^[a-z-]+\.ts$/.test(file) && !['all-statements.ts', 'statement.ts'].includes(file),
    );
    const families = sources.flatMap((file) =>
      [...read(file).matchAll(/const (\w+Sql) = statements\(/g)].map(([, name]) => name),
    );
    expect(new Set(families)).toEqual(
      new Set([...Object.keys(perOrderFamilies), ...Object.keys(upkeepFamilies)]),
    );
  });

  it('have names of their own', () => {
    const names = allStatements.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(texts)('%s uses nothing that is forbidden', (_, sql) => {
    expect(found(sql)).toEqual([]);
  });

  it.each([
    'MERGE INTO dbo.Orders AS t USING s ON 1 = 1',
    "WAITFOR DELAY '00:00:01'",
    'CREATE OR ALTER TRIGGER dbo.T ON dbo.Orders',
    'SELECT OrderId FROM dbo.Orders WITH (UPDLOCK, HOLDLOCK)',
    'CREATE TABLE dbo.T (N INT NOT NULL DEFAULT (0))',
    'CREATE TABLE dbo.T (N INT NOT NULL PRIMARY KEY)',
    'ALTER TABLE dbo.T DROP CONSTRAINT DF_T',
    'UPDATE dbo.T SET N = 1 OUTPUT deleted.N WHERE N = 0',
    'SELECT * FROM dbo.T',
  ])('would be found out: %s', (sql) => {
    expect(found(sql)).not.toEqual([]);
  });

  it.each(texts)('%s returns no value that a server could read before its lock', (_, sql) => {
    expect(staleOutputs(sql)).toEqual([]);
  });

  it.each([
    'UPDATE dbo.T SET N = N + 1 OUTPUT inserted.N WHERE Id = @Id',
    'UPDATE dbo.T SET N = @N OUTPUT inserted.M WHERE Id = @Id',
    "UPDATE dbo.T SET A = CASE WHEN B > 1 THEN 'x' END OUTPUT inserted.Id, inserted.A WHERE Id = @Id",
  ])('would be found out: %s', (sql) => {
    expect(staleOutputs(sql)).toHaveLength(1);
  });

  it('have a type for every parameter', () => {
    const names = new Set(allStatements.flatMap((each) => parameterNames(each.text(withHints, 2))));
    for (const name of names) expect(typeOf(name), name).toMatch(/^[A-Z]/);
  });

  it('have no type in the table that nobody uses', () => {
    const used = new Set(
      allStatements
        .flatMap((each) => parameterNames(each.text(withHints, 1)))
        .map((name) => name.replace(/_\d+$/, '')),
    );
    expect(Object.keys(parameterTypes).filter((name) => !used.has(name))).toEqual([]);
  });

  it('say by which index they enter their tables, and those of an order never read a whole one', () => {
    const indexes = new Set(
      knownMigrations()
        .flatMap(({ batches }) => batches)
        .join('\n')
        .match(/\b(PK|UX|IX)_\w+/g),
    ).add('PK_SchemaMigrations');
    for (const { name, index } of allStatements) {
      for (const named of index.match(/\b(PK|UX|IX)_\w+/g) ?? []) expect(indexes, name).toContain(named);
    }
    for (const { name, index } of perOrderStatements) expect(index, name).toMatch(/^(PK|UX|IX)_/);
  });
});

describe('the migrations', () => {
  /** `table.column` with its type, of every CREATE TABLE. */
  const columns = knownMigrations()
    .flatMap(({ batches }) => batches)
    .flatMap((batch) => [...batch.matchAll(/CREATE TABLE dbo\.(\w+) \(([\s\S]*?)\n\);/g)])
    .flatMap(([, table, body = '']) =>
      [
        ...body.matchAll(
          /^ {2}(\w+) ((?:N?VARCHAR|CHAR|VARBINARY|DATETIME2)\(\w+\)|TINYINT|INT|BIGINT)(?=\s)(.*)$/gm,
        ),
      ].map(([, column = '', type = '', rest = '']) => ({ table, column, type, rest })),
    );

  it('declare columns exactly as their parameters, so that no index is lost to a conversion', () => {
    const types = new Map<string, string>(Object.entries(parameterTypes));
    const different = columns.filter(({ column, type }) => (types.get(column) ?? type) !== type);
    expect(columns.length).toBeGreaterThan(120);
    expect(different).toEqual([]);
  });

  it('compare ids and states by their bytes', () => {
    const coded = columns.filter(({ type }) => /^(VARCHAR|CHAR)/.test(type));
    expect(coded.length).toBeGreaterThan(50);
    expect(coded.filter(({ rest }) => !rest.includes('COLLATE Latin1_General_100_BIN2'))).toEqual([]);
  });

  it('are numbered from 1 without a gap', () => {
    const known = knownMigrations();
    expect(known.map(({ version }) => version)).toEqual(known.map((_, index) => index + 1));
  });

  it('are divided where a statement must be the first of its batch', () => {
    expect(batchesOf('A\nGO\n\nB\n go \nC\nGO\n').map((batch) => batch.trim())).toEqual(['A', 'B', 'C']);
    const withTrigger = knownMigrations()
      .flatMap(({ batches }) => batches)
      .filter((batch) => batch.includes('CREATE TRIGGER'));
    expect(withTrigger.length).toBeGreaterThan(0);
    for (const batch of withTrigger) expect(withoutComments(batch).trim()).toMatch(/^CREATE TRIGGER/);
  });
});
