import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/fixtures/aged-origins.ts'],
    include: ['test/{unit,contract,mount,chaos}/**/*.test.ts'],
    // Mount and chaos tests each start daemons: two files at a time keep two cores busy without starving any.
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
    allowOnly: false,
  },
});
