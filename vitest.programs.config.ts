import { defineConfig } from 'vitest/config';

/** `npm run test:programs`: large programs of others on a mount, installed for it. One at a time. */
export default defineConfig({
  test: { include: ['test/programs/**/*.test.ts'], maxWorkers: 1, pool: 'forks', testTimeout: 120_000 },
});
