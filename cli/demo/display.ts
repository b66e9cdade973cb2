import type { Progress } from './follow-order.ts';
import { progressTable, seconds, shortId } from './progress-table.ts';

/** Shows the demo's progress; `changed` after every change, `close` at the end. */
export interface Display {
  changed(): void;
  close(): void;
}

interface Terminal {
  write(text: string): unknown;
  columns?: number;
}

const REDRAW_MS = 100;
const DEFAULT_COLUMNS = 100;
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const upAndClear = (lines: number): string => (lines > 0 ? `\u001b[${lines}A\u001b[0J` : '');

/** A table that redraws in place, ten times a second. For terminals. */
export function createLiveTable(rows: readonly Progress[], terminal: Terminal): Display {
  let drawn = 0;
  const draw = () => {
    const columns = (terminal.columns ?? DEFAULT_COLUMNS) - 1;
    const lines = progressTable(rows, { nowMs: Date.now(), columns, colors: true });
    terminal.write(`${upAndClear(drawn)}${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  terminal.write(HIDE_CURSOR);
  draw();
  const timer = setInterval(draw, REDRAW_MS);
  return {
    changed: () => {},
    close: () => {
      clearInterval(timer);
      draw();
      terminal.write(SHOW_CURSOR);
    },
  };
}

/** One line per change of state or event, without any control sequence. For files and pipes. */
export function createPlainLines(rows: readonly Progress[], output: Terminal): Display {
  const shown = new Map<Progress, readonly string[]>();
  const startedMs = Date.now();
  const titleWidth = Math.max(...rows.map(({ title }) => title.length));
  const changed = () => {
    for (const row of rows) {
      const facts = factsOf(row);
      const before = shown.get(row) ?? [];
      shown.set(row, facts);
      for (const fact of facts.filter((fact, index) => fact !== '' && fact !== before[index])) {
        const time = seconds(Date.now() - startedMs).padStart(6);
        output.write(`${time}  ${row.title.padEnd(titleWidth)}  ${shortId(row)}  ${fact}\n`);
      }
    }
  };
  return { changed, close: changed };
}

/** What is told of an order, each when it changes. */
function factsOf({ orderId, order, lastEvent, problem }: Progress): string[] {
  if (orderId === undefined && problem === undefined) return [];
  return [
    lastEvent ? `event ${lastEvent}` : '',
    order ? `${order.status} (${order.sagaState})` : 'posted',
    problem ? `problem: ${problem}` : '',
  ];
}

/** Shows nothing: for `--json`. */
export const silent: Display = { changed: () => {}, close: () => {} };
