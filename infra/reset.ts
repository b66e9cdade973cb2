import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { binFolder, dataFolder, runtimeFolder } from './runtime-folder.ts';
import { stopLeftovers } from './leftovers.ts';
import { holderOf, reservedFolders } from './run-lock.ts';

/** `npm run reset`: clears all data of this clone. Downloaded and built binaries stay, and so does what a running test or `infra/services.ts` uses. */
const running = holderOf(dataFolder);
if (running !== undefined) {
  console.error(
    `Order Saga is running as process ${running.pid}. Stop it first (Ctrl-C in its terminal), then reset.`,
  );
  process.exit(1);
}
const busy = reservedFolders(runtimeFolder);
const kept = [basename(binFolder), ...busy, ...busy.map((name) => `${name}.json`)];
for (const name of entries(runtimeFolder)) {
  if (kept.includes(name)) continue;
  await stopLeftovers(join(runtimeFolder, name, 'processes'));
  rmSync(join(runtimeFolder, name), { recursive: true, force: true });
}
console.log('Data cleared. The next npm start begins with a fresh catalog and no orders.');

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
