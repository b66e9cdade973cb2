import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { addressFile, projectFolder } from './runtime-folder.ts';

/**
 * Runs the demo on this terminal and returns its exit code. It learns the addresses from the file that ORDER_SAGA_ADDRESSES names.
 * It shares the launcher's process group, so Ctrl-C ends it as well.
 */
export function runDemo(environment: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const demo = spawn(process.execPath, [join(projectFolder, 'cli', 'demo.ts')], {
      cwd: projectFolder,
      env: { ...environment, ORDER_SAGA_ADDRESSES: addressFile },
      stdio: 'inherit',
    });
    demo.once('error', reject);
    demo.once('exit', (code) => resolve(code ?? 1));
  });
}
