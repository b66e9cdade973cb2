import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { processIdentity, stopLeftovers } from '../../infra/leftovers.ts';

/** Stops the servers and removes the folders of test runs whose main process is gone (`test-<pid>`). */
export async function removeAbandonedFolders(runtimeFolder: string): Promise<void> {
  for (const name of await foldersIn(runtimeFolder)) {
    const pid = Number(/^test-(\d+)$/.exec(name)?.[1] ?? NaN);
    if (Number.isNaN(pid) || processIdentity(pid) !== undefined) continue;
    await stopLeftovers(join(runtimeFolder, name, 'processes'));
    await rm(join(runtimeFolder, name), { recursive: true, force: true });
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}
