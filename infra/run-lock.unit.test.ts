import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processIdentity } from './leftovers.ts';
import { holderOf, reserveFolder } from './run-lock.ts';

let folder: string;
const writeHolder = (pid: number, identity: string) =>
  writeFileSync(join(folder, 'launcher.json'), JSON.stringify({ pid, identity }));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'order-saga-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a folder is reserved until it is released', () => {
  const release = reserveFolder(folder);
  expect(holderOf(folder)?.pid).toBe(process.pid);
  release();
  expect(holderOf(folder)).toBeUndefined();
});

test('a folder of another living process is refused, naming the process', () => {
  writeHolder(process.ppid, processIdentity(process.ppid) ?? '');
  expect(() => reserveFolder(folder)).toThrow(`Already running as process ${process.ppid}`);
});

test('the reservation of a dead process is taken over, also when its id is in use again', () => {
  writeHolder(process.ppid, 'an earlier process');
  reserveFolder(folder);
  expect(holderOf(folder)?.pid).toBe(process.pid);
});
