import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFile, makeFolder } from './whole-file.ts';

/** What is lost when a key is. */
const needs = {
  'customer-hash-key': 'orders of before are no longer found by their customer',
  'webhook-secret-key': "the secrets of partners' endpoints can no longer be read",
};

/**
 * A random key, made once and kept with the data that needs it. An empty or damaged file is an error: another key in
 * its place would lose what the first one protects. Throws the system's error where it cannot be read or written.
 */
export function keptKey(folder: string, name: keyof typeof needs): string {
  const file = join(folder, name);
  const kept = readKey(file);
  if (kept === undefined) {
    makeFolder(folder);
    createFile(file, `${randomBytes(32).toString('hex')}\n`);
    return keptKey(folder, name);
  }
  if (/^[0-9a-f]{64}$/.test(kept)) return kept;
  throw new Error(
    `${file} holds no key (64 hexadecimal digits were expected, ${kept.length} characters came): restore it from a backup, ` +
      `or delete it for a new key, with which ${needs[name]}.`,
  );
}

function readKey(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
