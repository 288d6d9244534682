import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/fixtures/aged-origins.ts', 'test/fixtures/device-access.ts'],
    // Mount and chaos tests each start daemons: two files at a time keep two cores busy without starving any.
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
    allowOnly: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'kernel',
          include: ['test/{unit,contract,mount,chaos,corpus}/**/*.test.ts'],
          exclude: ['test/mount/fuse-native.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'fuse-native',
          include: ['test/mount/{browse,reading,changes,lifecycle,fuse-native,semantics/refused}.test.ts'],
          env: { MUSICFS_TEST_DRIVER: 'fuse-native' },
        },
      },
      {
        extends: true,
        test: {
          name: 'systemd',
          include: ['test/systemd/**/*.test.ts'],
          // The image takes half a minute when it is yet to be made.
          hookTimeout: 400_000,
          testTimeout: 120_000,
        },
      },
    ],
  },
});
