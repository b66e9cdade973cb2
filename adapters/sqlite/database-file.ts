import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { TechnicalFailure } from '../../domain/failures.ts';

/** Makes the file's folder when it is missing. Throws StoreUnavailable where the system refuses. */
export function makeFolderOf(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    // Node names a read-only disk ENOENT here.
    const act =
      'free some space on its disk, mount that for writing, or make the folder above writable for this user';
    throw new TechnicalFailure(
      'StoreUnavailable',
      `SQLite file ${path} cannot be used now: its folder cannot be made (${String(error)}); ${act}`,
      { cause: error },
    );
  }
}

/**
 * Guards against a file that is moved or replaced under open connections: they would go on writing to a file that
 * nobody finds again, and a new empty one would hide every order.
 */
export function createDatabaseFile(path: string) {
  const identity = () => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat && `${stat.dev}:${stat.ino}`;
  };
  const opened = identity();
  return {
    /** Throws StoreUnavailable unless `path` is the file that was connected to. About 2 microseconds. */
    check(): void {
      const found = identity();
      if (found === opened) return;
      const act =
        found === undefined
          ? 'it is gone; put it back with its -wal file, the store then goes on'
          : 'another file took its place; put the first one back, or stop all processes and start them on this one';
      throw new TechnicalFailure('StoreUnavailable', `SQLite file ${path} cannot be used now: ${act}`);
    },
  };
}
