import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { productId, type ProductId } from '../../domain/ids.ts';
import { mostOnHand } from '../../domain/stock.ts';
import { cleanLine, refuseLine } from '../../domain/text.ts';
import { formatAmount, isCurrency, parseAmount, type Money } from '../../domain/money.ts';
import type { StockRow } from '../../ports/store.ts';

/** One line of a catalog file; what its fields leave empty stays as it is. */
export interface CatalogLine {
  /** Line of the file on which it ends, from 1. */
  line: number;
  productId: ProductId;
  name?: string;
  price?: Money;
  /** Units on hand, reserved ones included. */
  onHand?: number;
  /** Units that were on hand when the file was written: the stock is set only while they still are. */
  expectedOnHand?: number;
}

const oldColumns = ['productId', 'name', 'price', 'currency', 'onHand'] as const;
const columns = [...oldColumns, 'expectedOnHand'] as const;
type Fields = Record<(typeof columns)[number], string>;

const longestName = 200;
/** Problems named at once. */
const mostNamed = 20;

/** The catalog as RFC 4180 CSV: price is decimal, `onHand` and `expectedOnHand` are the same until somebody edits. */
export const catalogToCsv = (rows: readonly StockRow[]): string =>
  stringify(
    rows.map(({ productId: id, name, price, onHand }) => [
      id,
      name,
      formatAmount(price),
      price.currency,
      onHand,
      onHand,
    ]),
    { header: true, columns: [...columns] },
  );

/**
 * Reads a catalog file: UTF-8 with or without a byte order mark, RFC 4180, the header as `catalogToCsv` writes it, or
 * without `expectedOnHand` as older releases did. Throws an Error that names every faulty line (the first 20); nothing
 * is read around.
 */
export function catalogFromCsv(bytes: Uint8Array): CatalogLine[] {
  const records = recordsOf(textOf(bytes));
  const header = records.shift()?.fields.join(',');
  if (header !== columns.join(',') && header !== oldColumns.join(',')) {
    throw new Error(`line 1: expected the header ${columns.join(',')}, came ${header ?? 'nothing'}`);
  }
  const problems: string[] = [];
  const firstLines = new Map<string, number>();
  const lines = records.flatMap(({ line, fields }) => {
    const read = readLine(
      line,
      Object.fromEntries(columns.map((name, at) => [name, fields[at] ?? ''])) as Fields,
    );
    const earlier = firstLines.get(fields[0] ?? '');
    if (earlier !== undefined)
      problems.push(`line ${line}: productId "${fields[0]}" is on line ${earlier} too`);
    firstLines.set(fields[0] ?? '', line);
    if (Array.isArray(read)) problems.push(...read.map((problem) => `line ${line}: ${problem}`));
    return Array.isArray(read) ? [] : [read];
  });
  refuse(problems);
  return lines;
}

/** Throws for a list of problems that is not empty. */
function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length > mostNamed ? [`and ${problems.length - mostNamed} more`] : [];
  throw new Error([...problems.slice(0, mostNamed), ...more].join('\n'));
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('expected UTF-8, came bytes that are not: save the file as "CSV UTF-8"');
  }
}

function recordsOf(text: string): { line: number; fields: string[] }[] {
  try {
    const records = parse(text, { info: true }) as unknown as { info: { lines: number }; record: string[] }[];
    return records.map(({ info, record }) => ({ line: info.lines, fields: record }));
  } catch (error) {
    if (error instanceof CsvError) throw new Error(`no well-formed CSV: ${error.message}`);
    throw error;
  }
}

/** The line, or what is wrong with it. */
function readLine(line: number, fields: Fields): CatalogLine | string[] {
  const price = readPrice(fields);
  const onHand = readUnits('onHand', fields);
  const expectedOnHand = readUnits('expectedOnHand', fields);
  const name = cleanLine(fields.name);
  const nameProblem = fields.name === '' ? undefined : (refuseLine(name, longestName) ?? refuseSpace(fields));
  const problems = [
    ...(/^[A-Za-z0-9._-]{1,64}$/.test(fields.productId)
      ? []
      : [`productId "${fields.productId}": expected 1 to 64 of A-Z a-z 0-9 . _ -`]),
    ...(nameProblem ? [`name: ${nameProblem}`] : []),
    ...[price, onHand, expectedOnHand].filter((read) => typeof read === 'string'),
  ];
  if (problems.length > 0) return problems;
  return {
    line,
    productId: productId(fields.productId),
    ...(name !== '' && { name }),
    ...(typeof price === 'object' && { price }),
    ...(typeof onHand === 'number' && { onHand }),
    ...(typeof expectedOnHand === 'number' && { expectedOnHand }),
  };
}

const refuseSpace = ({ name }: Fields): string | undefined =>
  name === name.trim() ? undefined : 'expected no space around';

function readPrice({ price, currency }: Fields): Money | undefined | string {
  if (price === '' && currency === '') return undefined;
  if (!isCurrency(currency)) return `currency "${currency}": expected an ISO 4217 code that is supported`;
  const amount = parseAmount(price, currency);
  return amount.ok ? amount.money : `price "${price}": ${amount.reason} for ${currency}`;
}

function readUnits(field: 'onHand' | 'expectedOnHand', fields: Fields): number | undefined | string {
  const text = fields[field];
  if (text === '') return undefined;
  const units = /^(0|[1-9]\d{0,9})$/.test(text) ? Number(text) : Infinity;
  return units <= mostOnHand ? units : `${field} "${text}": expected a whole number from 0 to ${mostOnHand}`;
}
