import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processIdentity } from './leftovers.ts';
import { reservePort } from './port-reservations.ts';

let folder: string;
const file = () => join(folder, 'ports.sqlite');
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'order-saga-reservations-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function hold(port: number, pid: number, identity: string): void {
  reservePort(1, file());
  const list = new DatabaseSync(file());
  list.prepare('INSERT OR REPLACE INTO Reservations VALUES (?, ?, ?)').run(port, pid, identity);
  list.close();
}

test('a port that a living launcher has chosen is not chosen by another', () => {
  hold(3_000, process.ppid, processIdentity(process.ppid) ?? '');
  expect([reservePort(3_000, file()), reservePort(3_001, file())]).toEqual([false, true]);
});

test('a reservation ends with its process', () => {
  const script = `
    import { reservePort } from ${JSON.stringify(join(import.meta.dirname, 'port-reservations.ts'))};
    console.log(reservePort(3_000, ${JSON.stringify(file())}));`;
  const said = execFileSync(process.execPath, ['--input-type=module-typescript', '--eval', script]);
  expect(String(said).trim()).toBe('true');
  expect(reservePort(3_000, file())).toBe(true);
});

test('a list that cannot be written keeps nobody from starting', () => {
  expect(reservePort(3_000, join(folder, 'nowhere', 'ports.sqlite'))).toBe(true);
});
