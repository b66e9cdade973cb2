import { join } from 'node:path';
import { startProcess } from './processes.ts';
import { projectFolder } from './runtime-folder.ts';

type Check = { name: string; command: string; args: readonly string[] };

/** What `npm test` looks at before it runs any test. */
export const checks: readonly Check[] = [
  {
    name: 'format',
    command: 'prettier',
    args: ['--check', '--cache', '--cache-location=.runtime/prettier-cache', '.'],
  },
  { name: 'lint', command: 'oxlint', args: ['--type-aware'] },
  { name: 'types', command: 'tsc', args: ['--noEmit'] },
  { name: 'dead code', command: 'knip', args: [] },
];

/** Runs one check and prints a line about it, with everything it said when it failed. Returns whether it passed. */
export async function runCheck(check: Check): Promise<boolean> {
  const lines: string[] = [];
  const startedAt = Date.now();
  const child = await startProcess({
    name: check.name,
    command: join(projectFolder, 'node_modules', '.bin', check.command),
    args: check.args,
    folder: projectFolder,
    output: { onLine: (line) => lines.push(line) },
  });
  const { code } = await child.exited;
  const passed = code === 0;
  console.log(
    `${passed ? 'passed' : 'FAILED'}: ${check.name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`,
  );
  if (!passed) console.log(lines.join('\n'));
  return passed;
}
