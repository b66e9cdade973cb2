import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The first executable among the given files, or undefined. */
export async function firstExecutable(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // Not this one.
    }
  }
  return undefined;
}

/** Where a command is on PATH, or in one of the extra folders that are often missing from it. */
export function findOnPath(
  command: string,
  env: NodeJS.ProcessEnv,
  extraFolders: readonly string[] = [
    '/usr/local/sbin',
    '/usr/sbin',
    '/opt/homebrew/bin',
    '/opt/homebrew/sbin',
  ],
): Promise<string | undefined> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return firstExecutable([...folders, ...extraFolders].map((folder) => join(folder, command)));
}
