import { join } from 'node:path';
import { untilDone } from '../until-done.ts';
import { makeFolder, replaceFile } from '../whole-file.ts';
import type { LaunchContext } from './dependency.ts';

/**
 * Makes a private server's folder and writes its files, by name. A disk that is full or read-only by now is waited for,
 * which is said: another program of the same server would find the same disk.
 */
export function placeFiles(
  { say, isOver = () => true }: Pick<LaunchContext, 'say' | 'isOver'>,
  folder: string,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  return untilDone({
    what: folder,
    say,
    isOver,
    act() {
      makeFolder(folder);
      for (const [name, text] of Object.entries(files)) replaceFile(join(folder, name), text);
    },
  });
}
