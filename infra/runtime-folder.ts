import { homedir } from 'node:os';
import { join } from 'node:path';

/** The clone's root folder. */
export const projectFolder = join(import.meta.dirname, '..');

/** Everything the launcher writes: ignored by git, cleared by `npm run reset` except for `bin`. */
export const runtimeFolder = join(projectFolder, '.runtime');

/** Binaries the launcher downloaded or built for this clone. */
export const binFolder = join(runtimeFolder, 'bin');

/**
 * Binaries shared by every clone of this user, so that only the first one builds for minutes.
 * Follows the XDG Base Directory specification: `$XDG_CACHE_HOME`, or `~/.cache` when unset.
 */
export function sharedBinFolder(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'order-saga', 'bin');
}

/** Data, logs and process ids of `npm start`. */
export const dataFolder = join(runtimeFolder, 'data');

/** The addresses of the running `npm start`; there only while it runs. */
export const addressFile = join(runtimeFolder, 'addresses.json');
