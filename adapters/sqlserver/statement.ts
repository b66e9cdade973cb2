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

/** The values of several rows, numbered from 1. */
export function rowValues(rows: readonly Record<string, ParameterValue>[]): StatementValues {
  const values: Record<string, ParameterValue> = {};
  rows.forEach((row, index) => {
    for (const [name, value] of Object.entries(row)) values[`${name}_${index + 1}`] = value;
  });
  return values;
}
