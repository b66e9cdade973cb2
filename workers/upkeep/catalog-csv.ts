import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { productId, type ProductId } from '../../domain/ids.ts';
import { formatAmount, isCurrency, parseAmount, type Money } from '../../domain/money.ts';
import type { StockRow } from '../../ports/store.ts';

/** One line of a catalog file. */
export interface CatalogLine {
  /** Line of the file on which it ends, from 1. */
  line: number;
  productId: ProductId;
  name: string;
  price: Money;
  /** Units on hand, reserved ones included; absent where the field is empty: the stock stays as it is. */
  onHand?: number;
}

const columns = ['productId', 'name', 'price', 'currency', 'onHand'] as const;
type Fields = Record<(typeof columns)[number], string>;

/** Most lines of a file and most units on hand of a product. */
const mostLines = 10_000;
export const mostUnits = 1_000_000_000;
const longestName = 200;
/** Problems named at once. */
const mostNamed = 20;

/** The catalog as RFC 4180 CSV with the columns productId, name, price (decimal), currency and onHand. */
export const catalogToCsv = (rows: readonly StockRow[]): string =>
  stringify(
    rows.map(({ productId: id, name, price, onHand }) => [
      id,
      name,
      formatAmount(price),
      price.currency,
      onHand,
    ]),
    { header: true, columns: [...columns] },
  );

/**
 * Reads a catalog file: UTF-8 with or without a byte order mark, RFC 4180, the header exactly as `catalogToCsv` writes
 * it. Throws an Error that names every faulty line (the first 20); nothing is read around.
 */
export function catalogFromCsv(bytes: Uint8Array): CatalogLine[] {
  const records = recordsOf(textOf(bytes));
  const header = records.shift();
  if (header?.fields.join(',') !== columns.join(',')) {
    throw new Error(
      `line 1: expected the header ${columns.join(',')}, came ${header?.fields.join(',') ?? 'nothing'}`,
    );
  }
  if (records.length > mostLines) {
    throw new Error(`expected at most ${mostLines} products a file, came ${records.length}: split it`);
  }
  const problems: string[] = [];
  const firstLines = new Map<string, number>();
  const lines = records.flatMap(({ line, fields }) => {
    const read = readLine(line, Object.fromEntries(columns.map((name, at) => [name, fields[at]])) as Fields);
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
export function refuse(problems: readonly string[]): void {
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
  const onHand = readUnits(fields.onHand);
  const name = fields.name.normalize('NFC');
  const problems = [
    ...(/^[A-Za-z0-9._-]{1,64}$/.test(fields.productId)
      ? []
      : [`productId "${fields.productId}": expected 1 to 64 of A-Z a-z 0-9 . _ -`]),
    ...(isName(name) ? [] : [`name: expected 1 to ${longestName} characters in one line, no space around`]),
    ...(typeof price === 'string' ? [price] : []),
    ...(typeof onHand === 'string' ? [onHand] : []),
  ];
  if (problems.length > 0 || typeof price === 'string' || typeof onHand === 'string') return problems;
  return {
    line,
    productId: productId(fields.productId),
    name,
    price,
    ...(onHand !== undefined && { onHand }),
  };
}

const isName = (name: string): boolean =>
  name.length > 0 &&
  name.length <= longestName &&
  name === name.trim() &&
  !/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u.test(name);

function readPrice({ price, currency }: Fields): Money | string {
  if (!isCurrency(currency)) return `currency "${currency}": expected an ISO 4217 code that is supported`;
  const amount = parseAmount(price, currency);
  return amount.ok ? amount.money : `price "${price}": ${amount.reason} for ${currency}`;
}

function readUnits(text: string): number | undefined | string {
  if (text === '') return undefined;
  const units = /^(0|[1-9]\d{0,9})$/.test(text) ? Number(text) : Infinity;
  return units <= mostUnits ? units : `onHand "${text}": expected a whole number from 0 to ${mostUnits}`;
}
