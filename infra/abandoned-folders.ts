import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stopLeftovers } from './leftovers.ts';
import { holderOf } from './run-lock.ts';

/** Stops the servers and removes the folders (`<name>-<pid>`) of test and benchmark runs that were killed before they could do it. */
export async function removeAbandonedFolders(runtimeFolder: string): Promise<void> {
  for (const name of entries(runtimeFolder)) {
    const folder = join(runtimeFolder, name);
    if (!/^(test|test-long|bench)-\d+$/.test(name) || holderOf(folder) !== undefined) continue;
    await stopLeftovers(join(folder, 'processes'));
    rmSync(folder, { recursive: true, force: true });
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
