import { globSync } from 'node:fs';
import { runVitest } from './run-vitest.ts';
import { projectFolder } from './runtime-folder.ts';
import { type Counts, summaryLine, writeCounts } from './test-results.ts';
import { withServices } from './with-services.ts';

/** `npm run test:long`: what is too long for people to wait for, `test/long`, against real servers. */
const files = globSync('test/long/**/*.test.ts', { cwd: projectFolder });
process.exitCode =
  files.length === 0
    ? conclude({ passed: 0, failed: 0, skipped: 0 })
    : await withServices({
        name: 'test-long',
        args: process.argv.slice(2),
        use: async ({ addressFile }) => conclude(await runVitest({ projects: ['long'], addressFile })),
      });
process.exit();

function conclude(counts: Counts): number {
  writeCounts('test-long', counts);
  process.on('exit', () => console.log(summaryLine(counts)));
  return counts.failed === 0 ? 0 : 1;
}
