import { spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { listText as deadLettersText } from './dead-letter-tables.ts';
import { factsText, screenOf, tableText, type Column } from './table.ts';

const id = (n: number) => `0b9d1f6${n}-2a43-5c1c-8e7f-6f1f1d6f0a11`;
const columns: Column[] = [
  { name: 'order', kind: 'order' },
  { name: 'status' },
  { name: 'parked at' },
  { name: 'failure' },
  { name: 'customer', kind: 'optional' },
];
const rows = [
  [id(1), 'payment_action_required', '', 'CustomerActionRequired', 'customer-4711-of-the-north'],
  [id(2), 'completed', '', '', '東京都渋谷区のお客様です'],
];
const widest = (text: string) =>
  Math.max(...text.split('\n').map((line) => Array.from(stripVTControlCharacters(line)).length));
const plain = (width: number) => ({ columns: width, colors: false });

describe('a table', () => {
  it('is whole where nothing bounds it, as in a file', () => {
    const text = tableText(columns, rows, { columns: Infinity, colors: false });
    expect(text).toContain(id(1));
    expect(text).toContain('parked at');
  });

  it.each([80, 100, 120])('fits %i columns', (width) => {
    const text = tableText(columns, rows, plain(width));
    expect(widest(text)).toBeLessThanOrEqual(width);
    expect(text).toMatch(width === 80 ? /payment_action_ +│/ : /payment_action_required/);
  });

  it('shortens ids of orders to what tells them apart, and leaves empty columns out', () => {
    const near = [
      [`${id(1).slice(0, 12)}a`, 'held'],
      [`${id(1).slice(0, 12)}b`, 'held'],
    ];
    const text = tableText([{ name: 'order', kind: 'order' }, { name: 'status' }], near, plain(20));
    expect(text).toContain(`${id(1).slice(0, 12)}a`);
    expect(tableText(columns, rows, plain(80))).not.toContain('parked at');
    expect(tableText(columns, rows, plain(80))).toMatch(/0b9d1f61 /);
  });

  it('never breaks what is to be copied', () => {
    const letters = {
      total: 1,
      groups: [],
      messages: [
        {
          id: id(3),
          queue: 'email-queue',
          type: 'order.confirmation.requested.v1',
          orderId: id(1),
          attempts: 4,
          lastFailedAtUtc: '2026-01-02T03:04:05.678Z',
        },
      ],
    };
    const isTTY = process.stdout.isTTY;
    Object.assign(process.stdout, { isTTY: true, columns: 80, hasColors: () => false });
    try {
      const text = deadLettersText(letters as unknown as Parameters<typeof deadLettersText>[0]);
      expect(text).toContain(id(3));
      expect(widest(text)).toBeLessThanOrEqual(80);
    } finally {
      Object.assign(process.stdout, { isTTY, columns: undefined });
    }
  });

  it('wraps letters of two cells by cells', () => {
    const text = factsText([['name', '東京都渋谷区のお客様です'.repeat(4)]], plain(40));
    const cells = text
      .split('\n')
      .map((line) =>
        Array.from(line).reduce((sum, c) => sum + (/[\p{scx=Han}\p{scx=Hira}]/u.test(c) ? 2 : 1), 0),
      );
    expect(Math.max(...cells)).toBeLessThanOrEqual(40);
  });

  it('colors what wants to be seen, on a terminal that has colors', () => {
    const colored = tableText(columns, rows, { columns: 120, colors: true });
    expect(colored).toContain('\u001b[32mcompleted\u001b[39m');
    expect(tableText(columns, rows, plain(120))).not.toContain('\u001b');
  });
});

describe('the screen', () => {
  const terminal = (env: NodeJS.ProcessEnv) => {
    const code = `import { screenOf } from './cli/table.ts';
      import { WriteStream } from 'node:tty';
      const out = Object.setPrototypeOf({ isTTY: true, columns: 80 }, WriteStream.prototype);
      console.log(JSON.stringify(screenOf(out)));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], TERM: 'xterm-256color', ...env },
    });
    return JSON.parse(stdout) as unknown;
  };

  it('has colors on a terminal, unless NO_COLOR is set', () => {
    expect(terminal({})).toEqual({ columns: 80, colors: true });
    expect(terminal({ NO_COLOR: '1' })).toEqual({ columns: 80, colors: false });
  });

  it('is no screen where the output is a file', () => {
    expect(screenOf({ isTTY: false } as NodeJS.WriteStream)).toEqual({ columns: Infinity, colors: false });
  });
});
