import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keptKey } from './kept-key.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'order-saga-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a key is made once, for its owner alone, and nothing else is left', () => {
  const key = keptKey(folder, 'customer-hash-key');
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(keptKey(folder, 'customer-hash-key')).toBe(key);
  expect(readFileSync(join(folder, 'customer-hash-key'), 'utf8')).toBe(`${key}\n`);
  expect(statSync(join(folder, 'customer-hash-key')).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['customer-hash-key']);
});

test.each([
  ['', 0],
  ['\n', 0],
  ['abc', 3],
])('a file that holds %j is an error and stays as it is: no other key takes its place', (text, length) => {
  writeFileSync(join(folder, 'webhook-secret-key'), text);
  expect(() => keptKey(folder, 'webhook-secret-key')).toThrow(
    `holds no key (64 hexadecimal digits were expected, ${length} characters came): restore it from a backup`,
  );
  expect(readFileSync(join(folder, 'webhook-secret-key'), 'utf8')).toBe(text);
});
