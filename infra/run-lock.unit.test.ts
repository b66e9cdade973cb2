import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { holderOf, reserveFolder } from './run-lock.ts';

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'order-saga-lock-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Another process that tries to reserve the folder at `at` and says how it went; a winner keeps it. */
function contender(at: number): Promise<{ child: ChildProcess; said: string }> {
  const script = `
    import { reserveFolder } from ${JSON.stringify(join(import.meta.dirname, 'run-lock.ts'))};
    while (Date.now() < ${at});
    try { reserveFolder(${JSON.stringify(folder)}); console.log('won'); } catch (error) { console.log(error.message); }
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return new Promise((resolve) =>
    child.stdout?.once('data', (data: Buffer) => resolve({ child, said: String(data).trim() })),
  );
}

test('a folder is reserved until it is released', () => {
  const release = reserveFolder(folder);
  expect(holderOf(folder)?.pid).toBe(process.pid);
  release();
  expect(holderOf(folder)).toBeUndefined();
  reserveFolder(folder)();
});

test('of many that start at the same moment one wins, also over the note of a dead one', async () => {
  writeFileSync(
    join(folder, 'launcher.json'),
    JSON.stringify({ pid: process.ppid, identity: 'an earlier process' }),
  );
  const started = await Promise.all(Array.from({ length: 6 }, () => contender(Date.now() + 1_500)));
  const winners = started.filter(({ said }) => said === 'won');
  expect(winners).toHaveLength(1);
  expect(holderOf(folder)?.pid).toBe(winners[0]?.child.pid);
  for (const { said } of started) if (said !== 'won') expect(said).toMatch(/end that one first/);
  expect(() => reserveFolder(folder)).toThrow(`Already running as process ${winners[0]?.child.pid}`);
});

test('the reservation of a process that was killed is free at once', async () => {
  const { child, said } = await contender(0);
  expect(said).toBe('won');
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  reserveFolder(folder)();
});
