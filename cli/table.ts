import { stripVTControlCharacters, styleText } from 'node:util';
import Table from 'cli-table3';

/** What the standard output can show; without a terminal any width and no colors, as logs and tickets have it. */
export interface Screen {
  columns: number;
  colors: boolean;
}

export const screenOf = (output: NodeJS.WriteStream = process.stdout): Screen => ({
  columns: output.isTTY ? output.columns : Infinity,
  colors: Boolean(output.isTTY) && output.hasColors(),
});

export interface Column {
  name: string;
  /**
   * `order`: an order's id, which may be given by its first characters. `whole`: is copied, so it is never broken.
   * `optional`: left out first. Everything else is wrapped.
   */
  kind?: 'order' | 'whole' | 'optional';
}

type Row = readonly string[];

/** Beside a column's text: a border, a space on each side; and the last border. */
const FRAME = 3;
/** A column that is narrower says nothing. */
const NARROWEST = 10;
const SHORT_ID = 8;

/**
 * A table that fits the screen: ids of orders are shortened to what tells them apart, empty columns left out, then optional
 * ones, and texts wrapped.
 */
export function tableText(columns: readonly Column[], rows: readonly Row[], screen = screenOf()): string {
  const { head, body, widths } = fitted({ columns, rows }, screen.columns);
  const paint = (text: string, tone: Tone | undefined) => painted(screen, text, tone);
  const table = new Table({
    style: { head: [], border: [], compact: true },
    ...(head.length > 0 ? { head: head.map(({ name }) => paint(name, 'bold')) } : {}),
  });
  for (const row of body) {
    table.push(
      row.map((text, index) =>
        wrapped(text, widths[index] ?? Infinity)
          .map((line) => paint(line, tones[text.split(' (')[0] ?? '']))
          .join('\n'),
      ),
    );
  }
  return table.toString();
}

/** Names and values of one thing. */
export const factsText = (facts: readonly (readonly [string, string])[], screen = screenOf()): string => {
  const rows = facts.map(([name, value]) => [name, value]);
  const nameWidth = Math.max(0, ...rows.map(([name = '']) => widthOf(name)));
  const width = screen.columns - nameWidth - 2 * FRAME - 1;
  const table = new Table({ style: { head: [], border: [], compact: true } });
  for (const [name = '', value = ''] of rows) {
    const lines = wrapped(value, width).map((line) =>
      painted(screen, line, tones[value.split(' (')[0] ?? '']),
    );
    table.push([name, lines.join('\n')]);
  }
  return table.toString();
};

const painted = ({ colors }: Screen, text: string, tone: Tone | undefined): string =>
  colors && tone ? styleText(tone, text, { validateStream: false }) : text;

type Tone = 'bold' | 'red' | 'yellow' | 'green';

/** Of cells that say nothing else. */
const tones: Record<string, Tone> = {
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
  payment_failed: 'red',
  held: 'yellow',
  parked: 'red',
  paused: 'yellow',
  open: 'red',
};

interface Grid {
  columns: readonly Column[];
  rows: readonly Row[];
}

function fitted(
  grid: Grid,
  space: number,
): { head: readonly Column[]; body: readonly Row[]; widths: number[] } {
  const steps = [same, withShortIds, withoutEmpty, ...grid.columns.map(() => withoutOptional)];
  let now = grid;
  for (const step of steps) {
    now = step(now);
    const widths = widthsOf(now);
    if (taken(widths) <= space) return { head: now.columns, body: now.rows, widths };
    const narrow = narrowed(now, widths, space);
    /* Wrapping is no worse than leaving a column out, as long as every column can be read. */
    if (narrow && step !== same && step !== withShortIds) {
      return { head: now.columns, body: now.rows, widths: narrow };
    }
  }
  return { head: now.columns, body: now.rows, widths: narrowed(now, widthsOf(now), space) ?? widthsOf(now) };
}

const same = (grid: Grid): Grid => grid;

function withShortIds({ columns, rows }: Grid): Grid {
  const shorten = columns.map(({ kind }, index) =>
    kind === 'order' ? shortIds(rows.map((row) => row[index] ?? '')) : undefined,
  );
  return { columns, rows: rows.map((row) => row.map((text, index) => shorten[index]?.(text) ?? text)) };
}

/** The first characters by which no two of these are taken for each other. */
function shortIds(ids: readonly string[]): (id: string) => string {
  const distinct = new Set(ids).size;
  let length = SHORT_ID;
  while (new Set(ids.map((id) => id.slice(0, length))).size < distinct) length += 1;
  return (id) => id.slice(0, length);
}

const withoutEmpty = (grid: Grid): Grid =>
  keeping(
    grid,
    grid.columns.map((_, index) => grid.rows.some((row) => row[index])),
  );

function withoutOptional(grid: Grid): Grid {
  const last = grid.columns.findLastIndex(({ kind }) => kind === 'optional');
  return keeping(
    grid,
    grid.columns.map((_, index) => index !== last),
  );
}

const keeping = ({ columns, rows }: Grid, kept: readonly boolean[]): Grid => ({
  columns: columns.filter((_, index) => kept[index]),
  rows: rows.map((row) => row.filter((_, index) => kept[index])),
});

const widthsOf = ({ columns, rows }: Grid): number[] =>
  columns.map(({ name }, index) =>
    Math.max(
      ...[name, ...rows.map((row) => row[index] ?? '')].flatMap((text) => text.split('\n').map(widthOf)),
    ),
  );

const taken = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width + FRAME, 0) + 1;

/** The widest text columns give way; undefined where that leaves one too narrow to be read. */
function narrowed({ columns }: Grid, natural: readonly number[], space: number): number[] | undefined {
  const widths = [...natural];
  while (taken(widths) > space) {
    const soft = widths.map((width, index) =>
      columns[index]?.kind === 'order' || columns[index]?.kind === 'whole' ? 0 : width,
    );
    const widest = soft.indexOf(Math.max(...soft));
    if ((soft[widest] ?? 0) <= NARROWEST) return undefined;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** Lines of at most `width`, broken between words, and within one that is longer. */
function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => (widthOf(line) <= width ? [line] : wrappedLine(line, width)));
}

function wrappedLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const joined = current === '' ? word : `${current} ${word}`;
    if (widthOf(joined) <= width) current = joined;
    else {
      if (current !== '') lines.push(current);
      current = word;
      while (widthOf(current) > width) {
        const [part, rest] = cutAt(current, width);
        lines.push(part);
        current = rest;
      }
    }
  }
  return [...lines, current];
}

function cutAt(text: string, width: number): [string, string] {
  let part = '';
  for (const character of text) {
    if (widthOf(part + character) > width && part !== '') break;
    part += character;
  }
  const joint = part.lastIndexOf('_') + 1;
  if (joint > 0) part = part.slice(0, joint);
  return [part, text.slice(part.length)];
}

/** Cells on the screen: letters of East Asia and emoji take two, combining marks none. */
const widthOf = (text: string): number =>
  Array.from(stripVTControlCharacters(text)).reduce((sum, character) => sum + cellsOf(character), 0);

const cellsOf = (character: string): number => {
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(character)) return 0;
  return /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{Emoji_Presentation}\uFF01-\uFF60]$/u.test(
    character,
  )
    ? 2
    : 1;
};
