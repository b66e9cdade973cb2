import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess } from './processes.ts';
import { projectFolder } from './runtime-folder.ts';
import { type Counts, countsOf, readReport, resultFolder } from './test-results.ts';

/** Runs vitest's projects against the servers whose addresses are in `addressFile`, with its output on the terminal, and counts the tests. */
export async function runVitest(options: {
  projects: readonly string[];
  addressFile: string;
}): Promise<Counts> {
  const report = join(resultFolder, `vitest-${options.projects.join('-')}.json`);
  mkdirSync(resultFolder, { recursive: true });
  rmSync(report, { force: true });
  const vitest = await startProcess({
    name: 'vitest',
    command: join(projectFolder, 'node_modules', '.bin', 'vitest'),
    args: [
      'run',
      ...options.projects.flatMap((project) => ['--project', project]),
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    env: { ...process.env, ORDER_SAGA_SERVICES: options.addressFile },
    folder: projectFolder,
    output: { terminal: true },
  });
  const { code } = await vitest.exited;
  return countsOf(readReport(report), code ?? 1);
}
