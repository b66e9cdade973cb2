import { createNotHere, type LaunchContext } from './dependency.ts';
import { findOnPath } from './find-binary.ts';
import { installPackages } from './package-manager.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/**
 * Path of a Chromium: on PATH, else from the system's package manager, by itself as root and elsewhere only with
 * `installWithSudo`. Rejects with the reason where it cannot be had.
 */
export async function findChromium(context: LaunchContext): Promise<string> {
  const there = await onPath(context);
  if (there) return there;
  await installPackages('chromium', context);
  const installed = await onPath(context);
  if (!installed) throw createNotHere(`no ${names.join(', ')} on PATH after installing the package`);
  return installed;
}

async function onPath({ env }: LaunchContext): Promise<string | undefined> {
  for (const name of names) {
    const path = await findOnPath(name, env);
    if (path) return path;
  }
  return undefined;
}
