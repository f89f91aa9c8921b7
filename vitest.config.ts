import { defineConfig } from 'vitest/config';

/**
 * Three projects in one run: `unit` (domain code and the local run's parts, against real engines where
 * there is one), `template` (the synthesized stack) and `e2e` (the whole stack behind its gateway).
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/*.test.ts', 'test/{bin,functions,local,testing}/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'template',
          include: ['test/lib/**/*.test.ts'],
          globalSetup: ['test/lib/build-package.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/lib/build-package.ts', 'test/e2e/global-setup.ts'],
          testTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
