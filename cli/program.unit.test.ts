import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { candidates } from './completion.ts';
import { orderIdOf } from './order-ids.ts';
import { createProgram } from './program.ts';

const bin = join(import.meta.dirname, 'order-saga.mjs');
const program = createProgram(
  { print: () => {}, say: () => {}, confirm: async () => false, atTerminal: false },
  {},
);
const every = (command: Command): Command[] => [command, ...command.commands.flatMap(every)];

describe('the program order-saga', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-bin-'));
    writeFileSync(join(folder, 'addresses.json'), JSON.stringify({ api: 'http://a', sandbox: 'http://s' }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const run = (...args: string[]) =>
    spawnSync(bin, args, {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        ORDER_SAGA_ADDRESSES: join(folder, 'addresses.json'),
        ORDER_SAGA_API: undefined,
      },
    });

  it('says its version from any folder, and nothing else', () => {
    const { stdout, stderr } = run('--version');
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+\n$/), '']);
  });

  it('prints addresses that a shell takes', () => {
    const { stdout } = run('addresses');
    expect(execFileSync('sh', ['-c', `${stdout}\necho $API $SANDBOX`], { encoding: 'utf8' })).toBe(
      'http://a http://s\n',
    );
  });

  it('says what is wrong on the standard error output, whose exit code it keeps', () => {
    const { stdout, stderr, status } = run('orders', 'refund', 'x', '--reason', 'r', '--json');
    expect([stdout, stderr, status]).toEqual(['', expect.stringContaining('--key is required'), 1]);
  });

  it('completes what is typed, in a shell', () => {
    const typed = `PATH="${import.meta.dirname}:$PATH"
      eval "$("${bin}" completion bash)"
      COMP_WORDS=("${bin}" orders re); COMP_CWORD=2; _order_saga; echo "\${COMPREPLY[@]}"`;
    expect(execFileSync('bash', ['--norc', '-c', typed], { encoding: 'utf8' })).toBe(
      'resolve retry-payment refund\n',
    );
  });
});

describe('completion', () => {
  it.each([
    [['pro'], ['providers']],
    [['providers', 'pause', ''], expect.arrayContaining(['payments', 'carrier', '--reason'])],
    [
      ['orders', 'resolve', '--action', 're'],
      ['retry', 'retry-with'],
    ],
    [['orders', 'refund', '--reason', ''], []],
    [['orders', 'refund', 'x', '--ke'], ['--key']],
  ])('of %j', (words, expected) => {
    expect(candidates(program, words)).toEqual(expected);
  });

  it('shows nothing that is not for people', () => {
    expect(candidates(program, ['comp'])).toEqual(['completion']);
  });
});

it('every required option is called so in the help, and stands in the usage line', () => {
  const required = every(program).flatMap((command) =>
    command.options.filter(({ mandatory }) => mandatory).map((option) => [command, option] as const),
  );
  expect(required.length).toBeGreaterThan(15);
  for (const [command, { long }] of required) {
    expect(command.helpInformation()).toMatch(new RegExp(`Usage: .*${long} <`));
    expect(command.helpInformation()).toMatch(new RegExp(`${long} <.*\\(required\\)`));
  }
});

it('every command that acts takes --dry-run', () => {
  const acting = every(program).filter(({ options }) => options.some(({ long }) => long === '--reason'));
  expect(acting.length).toBeGreaterThan(12);
  for (const command of acting) {
    expect([command.name(), command.options.some(({ long }) => long === '--dry-run')]).toEqual([
      command.name(),
      true,
    ]);
  }
});

describe('an order is named', () => {
  const id = '0b9d1f6e-2a43-5c1c-8e7f-6f1f1d6f0a11';
  const other = '0b9d2222-2a43-5c1c-8e7f-6f1f1d6f0a11';
  const client = {
    async send<T>(_: string, path: string): Promise<T> {
      const prefix = new URLSearchParams(path.split('?')[1]).get('idPrefix') ?? '';
      const found = [id, other].filter((one) => one.startsWith(prefix));
      return { orders: found.map((orderId) => ({ orderId })) } as T;
    },
  };

  it.each([id, `order-${id}`, id.toUpperCase(), '0b9d1', 'order-0b9d1f6e', ` ${id} `])('%j', async (text) => {
    expect(await orderIdOf(client, text)).toBe(id);
  });

  it('never by what two orders begin with, or none', async () => {
    await expect(orderIdOf(client, '0b9d')).rejects.toThrow(`  ${id}\n  ${other}`);
    await expect(orderIdOf(client, 'ffff')).rejects.toThrow('No order begins with "ffff"');
  });

  it('or is left to the API to say that there is none', async () => {
    expect(await orderIdOf(client, 'nothing')).toBe('nothing');
  });
});
