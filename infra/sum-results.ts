import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Counts, resultFolder, sum, summaryLine } from './test-results.ts';

/** `node infra/sum-results.ts`: one line over `npm test` and `npm run test:long`. A run that left no counts has failed. */
const runs = ['test', 'test-long'].map(readCounts);
console.log(summaryLine(sum(runs)));

function readCounts(name: string): Counts {
  try {
    return JSON.parse(readFileSync(join(resultFolder, `${name}.json`), 'utf8')) as Counts;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
