import { styleText } from 'node:util';
import type { Progress } from './follow-order.ts';

type Style = Parameters<typeof styleText>[0];

interface Cell {
  text: string;
  style?: Style | undefined;
}

const headings = ['what it shows', 'order', 'status', 'saga', 'since', 'last event'];
const GAP = '  ';
const CLIPPED = '…';

/** Progress as aligned lines of at most `columns` characters; colored only when asked for. */
export function progressTable(
  rows: readonly Progress[],
  { nowMs, columns, colors }: { nowMs: number; columns: number; colors: boolean },
): string[] {
  const head: Cell[] = headings.map((text) => ({ text, style: 'dim' }));
  const lines = [head, ...rows.map((row) => cellsOf(row, nowMs))];
  const widths = headings.map((_, column) =>
    Math.max(...lines.map((cells) => cells[column]?.text.length ?? 0)),
  );
  return lines.map((cells) => line(cells, { widths, columns, colors }));
}

function cellsOf(row: Progress, nowMs: number): Cell[] {
  const { order, outcome } = row;
  const mark = markOf(row);
  return [
    { text: `${mark.text} ${row.title}`, style: mark.style },
    { text: shortId(row) },
    { text: order?.status ?? 'posting', style: mark.style },
    { text: order ? sagaText(order) : '' },
    {
      text:
        outcome === 'ended' ? `took ${seconds(row.sinceMs - row.startedMs)}` : seconds(nowMs - row.sinceMs),
    },
    { text: row.problem ?? row.lastEvent ?? '' },
  ];
}

/** First eight characters of the order's id. */
export const shortId = ({ orderId }: Progress): string => orderId?.slice(0, 8) ?? '';

const sagaText = ({ sagaState, step }: NonNullable<Progress['order']>): string =>
  sagaState === 'ended' || !step ? sagaState : `${sagaState}/${step}`;

function markOf({ outcome, order, problem }: Progress): Cell {
  if (problem) return { text: '!', style: 'red' };
  if (outcome === 'waiting') return { text: '?', style: 'yellow' };
  if (outcome !== 'ended') return { text: '·', style: undefined };
  return order?.status === 'completed' ? { text: '✓', style: 'green' } : { text: '✗', style: 'red' };
}

export const seconds = (ms: number): string => `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;

/** Clipped before it is colored, so that no line wraps and no color sequence is cut. */
function line(
  cells: readonly Cell[],
  { widths, columns, colors }: { widths: readonly number[]; columns: number; colors: boolean },
): string {
  let left = columns;
  const parts: string[] = [];
  for (const [index, { text, style }] of cells.entries()) {
    const last = index === cells.length - 1;
    const padded = last ? text : text.padEnd(widths[index] ?? 0) + GAP;
    const shown = padded.length <= left ? padded : left > 0 ? padded.slice(0, left - 1) + CLIPPED : '';
    left -= shown.length;
    parts.push(colors && style ? styleText(style, shown, { validateStream: false }) : shown);
  }
  return parts.join('').trimEnd();
}
