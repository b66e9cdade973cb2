import { defineConfig } from 'vitest/config';

/** `npm run record-histories`: the recorder is no test, so `npm test` never runs it. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: [
      'test/replay/record-{histories,dead-letter-histories,order-act-histories,refund-histories,store-histories,trails}.ts',
    ],
    globalSetup: ['test/setup/global-setup.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
