import { checks, runCheck } from './checks.ts';
import { runVitest } from './run-vitest.ts';
import { sum, summaryLine, writeCounts } from './test-results.ts';
import { withServices } from './with-services.ts';

/** `npm test [-- --install]`: format, lint, types, dead code, then unit and integration tests against real servers. Each check counts as one test. */
process.exitCode = await withServices({
  name: 'test',
  args: process.argv.slice(2),
  use: async ({ addressFile }) => {
    let passed = 0;
    for (const check of checks) if (await runCheck(check)) passed++;
    const checked = { passed, failed: checks.length - passed, skipped: 0 };
    const tested = await runVitest({ projects: ['unit', 'int'], addressFile });
    const total = sum([checked, tested]);
    writeCounts('test', total);
    console.log(`\nChecks: ${summaryLine(checked)}\nTests:  ${summaryLine(tested)}\n`);
    process.on('exit', () => console.log(summaryLine(total)));
    return total.failed === 0 ? 0 : 1;
  },
});
process.exit();
