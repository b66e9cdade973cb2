import { configDefaults, defineConfig } from 'vitest/config';

/** Holds every answer of the API against its OpenAPI document. */
const setupFiles = ['test/setup/checked-answers.ts'];
const exclude = [...configDefaults.exclude, '.runtime/**'];
const withServers = {
  exclude,
  setupFiles,
  globalSetup: ['test/setup/global-setup.ts'],
  pool: 'forks' as const,
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // Real servers on a shared machine: CI runs a test that failed once more, and reports it as such.
  retry: process.env['CI'] ? 1 : 0,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.unit.test.ts'],
          exclude,
          setupFiles,
          // Temporal's native part, loaded by several threads of one process, ends it now and then by a segmentation fault.
          pool: 'forks',
          maxWorkers: 2,
        },
      },
      {
        test: {
          ...withServers,
          name: 'int',
          include: ['**/*.int.test.ts', 'test/{e2e,replay,faults}/**/*.test.ts'],
          exclude: [...exclude, '**/*.unit.test.ts'],
          // Two workers on two cores that also carry the servers made timings of fault tests unsteady.
          maxWorkers: 1,
        },
      },
      {
        test: {
          ...withServers,
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          testTimeout: 600_000,
          maxWorkers: 1,
        },
      },
    ],
  },
});
