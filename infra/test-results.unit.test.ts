import { describe, expect, test } from 'vitest';
import { countsOf, sum, summaryLine } from './test-results.ts';

const report = { numPassedTests: 5, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, testResults: [] };

describe('counting a test run', () => {
  test('takes passed, failed and skipped from the report', () => {
    expect(countsOf(report, 0)).toEqual({ passed: 5, failed: 0, skipped: 2 });
    expect(countsOf({ ...report, numFailedTests: 2 }, 1)).toEqual({ passed: 5, failed: 2, skipped: 2 });
  });

  test('counts a file that could not be loaded as failed', () => {
    const broken = { status: 'failed', assertionResults: [] };
    const red = { status: 'failed', assertionResults: [{ status: 'failed' }] };
    expect(countsOf({ ...report, numFailedTests: 1, testResults: [broken, red] }, 1).failed).toBe(2);
  });

  test('counts a run that failed without a failed test as one', () => {
    expect(countsOf(report, 1).failed).toBe(1);
    expect(countsOf(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

test('the last line is the sum over all runs', () => {
  const total = sum([
    { passed: 3, failed: 1, skipped: 0 },
    { passed: 2, failed: 0, skipped: 4 },
  ]);
  expect(summaryLine(total)).toBe('5 passed, 1 failed, 4 skipped');
});
