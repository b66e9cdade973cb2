import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSameProcess, processIdentity } from './leftovers.ts';

const LOCK = 'launcher.json';

type Holder = { pid: number; identity: string };

/**
 * Reserves a folder for this process, so that two launchers never run servers on the same data.
 * Throws with the other's process id when one is alive; a dead one's reservation is taken over. Returns the release.
 */
export function reserveFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, LOCK);
  const holder = { pid: process.pid, identity: processIdentity(process.pid) ?? '' };
  const other = holderOf(folder);
  if (other !== undefined && other.pid !== process.pid) {
    throw new Error(`Already running as process ${other.pid}: end that one first (Ctrl-C in its terminal).`);
  }
  rmSync(file, { force: true });
  // `wx` lets only one of two launchers that start at the same moment win.
  writeFileSync(file, JSON.stringify(holder), { flag: 'wx' });
  return () => rmSync(file, { force: true });
}

/** The living process that has reserved the folder, if any. */
export function holderOf(folder: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(join(folder, LOCK), 'utf8')) as Holder;
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
