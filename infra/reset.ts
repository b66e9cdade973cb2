import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { binFolder, dataFolder, runtimeFolder } from './runtime-folder.ts';
import { stopLeftovers } from './leftovers.ts';
import { LOCK, reservedFolders, reserveFolder } from './run-lock.ts';

/** `npm run reset`: clears all data of this clone. Downloaded and built binaries stay, and so does what a running test or `infra/services.ts` uses. */
try {
  await clear();
  console.log('Data cleared. The next npm start begins with a fresh catalog and no orders.');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function clear(): Promise<void> {
  // No start may begin on what is being removed.
  const release = reserveFolder(dataFolder);
  const busy = reservedFolders(runtimeFolder);
  const kept = [basename(binFolder), ...busy, ...busy.map((name) => `${name}.json`)];
  for (const name of entries(runtimeFolder)) {
    if (kept.includes(name)) continue;
    await stopLeftovers(join(runtimeFolder, name, 'processes'));
    rmSync(join(runtimeFolder, name), { recursive: true, force: true });
  }
  await stopLeftovers(join(dataFolder, 'processes'));
  for (const name of entries(dataFolder)) {
    if (name !== LOCK) rmSync(join(dataFolder, name), { recursive: true, force: true });
  }
  release();
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
