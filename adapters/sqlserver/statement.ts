import type { LockHints } from './lock-hints.ts';
import type { ParameterValue, StatementValues } from './parameter-types.ts';

/** A statement, or a batch that is one round trip. */
export interface Statement {
  /** Family and member, for errors and counts: `orders.find`. */
  name: string;
  /**
   * What serves it: the index every table is entered by. Upkeep that runs once in a while and may read a whole table
   * or index says `scan of …`.
   */
  index: string;
  /** The text, for this server's hints and, where the statement takes several rows, for that many. */
  text(hints: LockHints, rows: number): string;
}

/** A row as it comes from the server, its column names as the migrations write them. */
export type Row = Record<string, unknown>;

/** Runs statements on one connection or on any of the pool's. Errors are those of `storeError`. */
export interface Session {
  /** All rows of all results, in order. */
  rows(statement: Statement, values: StatementValues, rowCount?: number): Promise<Row[]>;
  /** One list of rows for each statement of the batch that returns rows. */
  results(statement: Statement, values: StatementValues, rowCount?: number): Promise<Row[][]>;
}

type Members = Record<string, { index: string; text: Statement['text'] }>;

/** A family of statements; each is named after its key. */
export function statements<M extends Members>(family: string, members: M): { [Name in keyof M]: Statement } {
  const named = Object.entries(members).map(([name, member]) => [
    name,
    { name: `${family}.${name}`, ...member },
  ]);
  return Object.fromEntries(named) as { [Name in keyof M]: Statement };
}

/** `template(1), template(2), …`: the same piece for each of several rows, whose parameters carry its number. */
export const forEachRow = (rows: number, separator: string, template: (row: number) => string): string =>
  Array.from({ length: rows }, (_, index) => template(index + 1)).join(separator);

/** Numbers of rows in one statement: few, so that the server keeps few plans; SQL Server takes 2,100 parameters. */
export const rowCounts = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const mostRows = 256;

/** Sends a statement for several rows. NULLs fill up the places left: its text passes over a row whose key is NULL. */
export async function sendRows(
  session: Session,
  statement: Statement,
  rows: readonly Record<string, ParameterValue>[],
  values: StatementValues = {},
): Promise<Row[]> {
  const answers: Row[] = [];
  for (let start = 0; start < rows.length; start += mostRows) {
    const chunk = rows.slice(start, start + mostRows);
    const count = rowCounts.find((places) => places >= chunk.length) ?? mostRows;
    answers.push(...(await session.rows(statement, { ...values, ...rowValues(chunk, count) }, count)));
  }
  return answers;
}

/** The values of several rows, numbered from 1. */
function rowValues(rows: readonly Record<string, ParameterValue>[], count: number): StatementValues {
  const names = Object.keys(rows[0] ?? {});
  const numbered = Array.from({ length: count }, (_, index) =>
    names.map((name) => [`${name}_${index + 1}`, rows[index]?.[name] ?? null] as const),
  );
  return Object.fromEntries(numbered.flat());
}
