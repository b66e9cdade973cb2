import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isSameProcess, processIdentity } from './leftovers.ts';
import { replaceFile } from './whole-file.ts';

/** Locked as long as its holder lives; it is never removed while somebody may hold it. */
export const LOCK = 'launcher.lock';
/** Who holds it, for people and for those who only look. */
const HOLDER = 'launcher.json';

type Holder = { pid: number; identity: string };

/** A lock that nothing refers to would be collected, and free. */
const held = new Set<DatabaseSync>();

/**
 * Reserves a folder for this process, so that two launchers never run servers on the same data. One of any number that
 * start at the same moment wins: the operating system keeps the lock (SQLite's on an empty file) and frees it when its
 * holder is gone, however it went. Throws with the other's process id. Returns the release.
 */
export function reserveFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const lock = new DatabaseSync(join(folder, LOCK), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!isLocked(error)) throw error;
    const other = holderOf(folder);
    const who =
      other === undefined ? 'Another process is starting here' : `Already running as process ${other.pid}`;
    throw new Error(`${who}: end that one first (Ctrl-C in its terminal).`, { cause: error });
  }
  held.add(lock);
  const holder: Holder = { pid: process.pid, identity: processIdentity(process.pid) ?? '' };
  replaceFile(join(folder, HOLDER), JSON.stringify(holder));
  return () => {
    rmSync(join(folder, HOLDER), { force: true });
    held.delete(lock);
    if (lock.isOpen) lock.close();
  };
}

const SQLITE_BUSY = 5;

const isLocked = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;

/** The living process that has reserved the folder, if any. */
export function holderOf(folder: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(join(folder, HOLDER), 'utf8')) as Holder;
    return isSameProcess(holder) ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Names of the folders below `parent` that a living process has reserved. */
export function reservedFolders(parent: string): string[] {
  try {
    return readdirSync(parent).filter((name) => holderOf(join(parent, name)) !== undefined);
  } catch {
    return [];
  }
}
