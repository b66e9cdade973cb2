import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseEvents } from '../server-sent-events.ts';
import { createPlainLines } from './display.ts';
import type { Progress } from './follow-order.ts';
import { progressTable } from './progress-table.ts';

const running: Progress = {
  title: 'paid and shipped',
  orderId: '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11',
  order: { status: 'payment_processed', sagaState: 'running', step: 'fulfillment' },
  lastEvent: 'payment.processed',
  startedMs: 1_000,
  sinceMs: 2_000,
};
const waiting: Progress = {
  ...running,
  title: 'card declined',
  order: { status: 'payment_failed', sagaState: 'held', step: 'payment' },
  outcome: 'waiting',
};

describe('the table of the demo', () => {
  test('aligns what is known of each order', () => {
    expect(progressTable([running, waiting], { nowMs: 3_500, columns: 200, colors: false })).toEqual([
      'what it shows       order     status             saga                 since  last event',
      '· paid and shipped  0b9d1f6e  payment_processed  running/fulfillment  1.5 s  payment.processed',
      '? card declined     0b9d1f6e  payment_failed     held/payment         1.5 s  payment.processed',
    ]);
  });

  test('clips lines to the terminal, colored or not', () => {
    const narrow = { nowMs: 3_500, columns: 40 };
    for (const line of progressTable([running, waiting], { ...narrow, colors: false })) {
      expect(line.length).toBeLessThanOrEqual(40);
      expect(line).toMatch(/…$/);
    }
    const colored = progressTable([running, waiting], { ...narrow, colors: true }).join('\n');
    expect(colored).toContain('\u001b[');
    expect(stripped(colored)).toBe(
      progressTable([running, waiting], { ...narrow, colors: false }).join('\n'),
    );
  });
});

const stripped = (text: string): string => stripVTControlCharacters(text).replaceAll(/ +$/gm, '');

describe('the lines of the demo', () => {
  test('tell each change once, without control sequences', () => {
    const row = { ...running };
    const lines: string[] = [];
    const display = createPlainLines([row], { write: (text) => lines.push(text.slice(8)) });
    display.changed();
    display.changed();
    row.order = { status: 'completed', sagaState: 'ended', step: 'completion' };
    display.close();
    expect(lines).toEqual([
      'paid and shipped  0b9d1f6e  event payment.processed\n',
      'paid and shipped  0b9d1f6e  payment_processed (running)\n',
      'paid and shipped  0b9d1f6e  completed (ended)\n',
    ]);
  });
});

test('events are read across the borders of chunks, comments skipped', async () => {
  const chunks = [
    'retry: 2000\n\n: still here\n\nid: 1\nevent: a\nda',
    'ta: {"eventType":"a"}\n',
    '\nid: 2\ndata: {"eventType":"b"}\n\n',
  ];
  const seen: string[] = [];
  for await (const event of parseEvents(
    (async function* () {
      yield* chunks;
    })(),
  ))
    seen.push(event.eventType);
  expect(seen).toEqual(['a', 'b']);
});
