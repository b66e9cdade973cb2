import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runtimeFolder } from '../../infra/runtime-folder.ts';

const run = promisify(execFile);

/**
 * A Python program in the project's runtime folder, installed there when python3 and a package index are to be had;
 * otherwise the reason why it is not. `run` answers with what it printed, and throws where it ends with an error.
 */
export async function pythonTool({
  name,
  version,
  start = ['-m', name],
  timeoutMs = 300_000,
}: {
  name: string;
  version: string;
  /** What python runs; default: the module of its name. */
  start?: string[];
  timeoutMs?: number;
}): Promise<{ run: (args: string[]) => Promise<string> } | { missing: string }> {
  const folder = join(runtimeFolder, `${name}-${version}`);
  const python = join(folder, 'bin', 'python');
  /* Where a tool leaves what it wants to find again. */
  const output = { cwd: runtimeFolder, maxBuffer: 64 * 1024 * 1024, timeout: timeoutMs };
  const found = {
    run: async (args: string[]) => (await run(python, [...start, ...args], output)).stdout,
  };
  if (await exists(python)) return found;
  const half = `${folder}.${process.pid}`;
  try {
    await mkdir(runtimeFolder, { recursive: true });
    await run('python3', ['-m', 'venv', half], { timeout: 60_000 });
    const wanted = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `${name}==${version}`];
    await run(join(half, 'bin', 'python'), wanted, { timeout: 180_000 });
    // Whole or not at all; another process may have been quicker. Its scripts name the old folder, its python does not.
    await rename(half, folder).catch(() => {});
    return found;
  } catch (error) {
    return {
      missing: `${name} ${version} could not be installed: ${(error as Error).message.split('\n')[0]}`,
    };
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
