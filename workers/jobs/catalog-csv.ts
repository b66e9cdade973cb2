import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { isCountryCode } from '../../domain/address.ts';
import { productId, type ProductId } from '../../domain/ids.ts';
import { unitFactNames, type UnitFacts } from '../../domain/parcel.ts';
import {
  hsCodePattern,
  longestCustomsDescription,
  mostGrams,
  mostMillimetres,
  unknownMark,
} from '../../domain/product-facts.ts';
import { mostOnHand } from '../../domain/stock.ts';
import { cleanLine, refuseLine } from '../../domain/text.ts';
import { formatAmount, isCurrency, parseAmount, type Money } from '../../domain/money.ts';
import type { StockRow } from '../../ports/store/goods.ts';

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
  /** What carriers and customs ask for; null: not known from now on. */
  facts: { [Fact in keyof UnitFacts]?: UnitFacts[Fact] | null };
  /** Since when it is withdrawn from sale; `now`: since the import, or since it was; null: it is sold. */
  withdrawnAtUtc?: string | null;
}

const columns = [
  'productId',
  'name',
  'price',
  'currency',
  'onHand',
  'expectedOnHand',
  ...unitFactNames,
  'withdrawnAtUtc',
] as const;
type Column = (typeof columns)[number];
type Fields = Record<Column, string>;

const longestName = 200;
/** Problems named at once. */
const mostNamed = 20;

/**
 * The catalog as RFC 4180 CSV: price is decimal, `onHand` and `expectedOnHand` are the same until somebody edits, what
 * is not known is empty.
 */
export const catalogToCsv = (rows: readonly StockRow[]): string =>
  stringify(
    rows.map(({ price, onHand, ...row }) =>
      Object.assign(row, {
        price: formatAmount(price),
        currency: price.currency,
        onHand,
        expectedOnHand: onHand,
      }),
    ),
    { header: true, columns: [...columns] },
  );

/**
 * Reads a catalog file: UTF-8 with or without a byte order mark, RFC 4180, with a header of `productId` and any other
 * columns that `catalogToCsv` writes, in any order; a column that is not there is empty on every line. Throws an Error
 * that names every faulty line (the first 20); nothing is read around.
 */
export function catalogFromCsv(bytes: Uint8Array): CatalogLine[] {
  const [first, ...records] = recordsOf(textOf(bytes));
  const header = readHeader(first?.fields ?? []);
  const problems: string[] = [];
  const firstLines = new Map<string, number>();
  const lines = records.flatMap(({ line, fields: values }) => {
    const given = new Map(header.map((column, at) => [column, values[at]]));
    const fields = Object.fromEntries(columns.map((column) => [column, given.get(column) ?? ''])) as Fields;
    const read = readLine(line, fields);
    const earlier = firstLines.get(fields.productId);
    if (earlier !== undefined)
      problems.push(`line ${line}: productId "${fields.productId}" is on line ${earlier} too`);
    firstLines.set(fields.productId, line);
    if (Array.isArray(read)) problems.push(...read.map((problem) => `line ${line}: ${problem}`));
    return Array.isArray(read) ? [] : [read];
  });
  refuse(problems);
  return lines;
}

function readHeader(names: readonly string[]): Column[] {
  const header = names.flatMap((name) => columns.find((column) => column === name) ?? []);
  if (header.includes('productId') && header.length === names.length && new Set(header).size === names.length)
    return header;
  throw new Error(
    `line 1: expected a header of productId and any others of ${columns.slice(1).join(',')}, came ${names.join(',') || 'nothing'}`,
  );
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
  const problems: string[] = [];
  /** What a field says; undefined when it says nothing, or nothing legal. */
  const given = <Read>(read: Read | string | undefined): Read | undefined => {
    if (typeof read !== 'string') return read;
    problems.push(read);
    return undefined;
  };
  const id = fields.productId;
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(id))
    problems.push(`productId "${id}": expected 1 to 64 of A-Z a-z 0-9 . _ -`);
  const name = given(readText('name', fields, longestName));
  const price = given(readPrice(fields));
  const onHand = given(readNumber('onHand', fields, [0, mostOnHand]));
  const expectedOnHand = given(readNumber('expectedOnHand', fields, [0, mostOnHand]));
  const facts = unitFactNames.flatMap((fact) => {
    const read = given(fields[fact] === unknownMark ? { value: null } : readFact(fact, fields));
    return read ? [[fact, read.value] as const] : [];
  });
  const withdrawn = given(readWithdrawal(fields));
  if (problems.length > 0) return problems;
  return {
    line,
    productId: productId(id),
    ...(name && { name: name.value }),
    ...(price && { price }),
    ...(onHand && { onHand: onHand.value }),
    ...(expectedOnHand && { expectedOnHand: expectedOnHand.value }),
    facts: Object.fromEntries(facts),
    ...(withdrawn && { withdrawnAtUtc: withdrawn.value }),
  };
}

/** A field's value, why it is none, or undefined for an empty field. */
type Reading<Value> = { value: Value } | string | undefined;

function readFact(fact: keyof UnitFacts, fields: Fields): Reading<string | number> {
  switch (fact) {
    case 'weightGrams':
      return readNumber(fact, fields, [1, mostGrams]);
    case 'lengthMm':
    case 'widthMm':
    case 'heightMm':
      return readNumber(fact, fields, [1, mostMillimetres]);
    case 'hsCode':
      return readMatching(fact, fields, (text) => hsCodePattern.test(text), '6 to 12 digits without dots');
    case 'originCountry':
      return readMatching(fact, fields, isCountryCode, 'an ISO 3166-1 alpha-2 code in upper case');
    case 'customsDescription':
      return readText(fact, fields, longestCustomsDescription);
  }
}

function readText(column: Column, fields: Fields, most: number): Reading<string> {
  if (fields[column] === '') return undefined;
  const value = cleanLine(fields[column]);
  const problem = refuseLine(value, most) ?? refuseSpace(fields[column]);
  return problem === undefined ? { value } : `${column}: ${problem}`;
}

const refuseSpace = (text: string): string | undefined =>
  text === text.trim() ? undefined : 'expected no space around';

const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text) && !Number.isNaN(Date.parse(text));

function readWithdrawal(fields: Fields): Reading<string | null> {
  const column = 'withdrawnAtUtc';
  if (fields[column] === unknownMark) return { value: null };
  const expected = `now, ${unknownMark}, or a time such as 2026-03-01T00:00:00Z`;
  const read = readMatching(column, fields, (text) => text === 'now' || isTime(text), expected);
  if (typeof read !== 'object' || read.value === 'now') return read;
  return { value: new Date(read.value).toISOString() };
}

function readMatching(
  column: Column,
  fields: Fields,
  matches: (text: string) => boolean,
  expected: string,
): Reading<string> {
  const value = fields[column];
  if (value === '') return undefined;
  return matches(value) ? { value } : `${column} "${value}": expected ${expected}`;
}

function readPrice({ price, currency }: Fields): Money | undefined | string {
  if (price === '' && currency === '') return undefined;
  if (!isCurrency(currency)) return `currency "${currency}": expected an ISO 4217 code that is supported`;
  const amount = parseAmount(price, currency);
  return amount.ok ? amount.money : `price "${price}": ${amount.reason} for ${currency}`;
}

function readNumber(column: Column, fields: Fields, [least, most]: [number, number]): Reading<number> {
  const text = fields[column];
  if (text === '') return undefined;
  const value = /^(0|[1-9]\d{0,9})$/.test(text) ? Number(text) : Infinity;
  return value >= least && value <= most
    ? { value }
    : `${column} "${text}": expected a whole number from ${least} to ${most}`;
}
