import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { findChromium, WITHOUT_CHROMIUM } from './test/browser/chromium.ts';
import { closingLine } from './test/closing-line.ts';
import { LongWaitsFirst } from './test/sequencer.ts';

/** Workers, commands, CDK apps and local runs are many processes that load the same code: Node compiles it once. */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/compiled');

const inEachProject = {
  // Milliseconds that only end what hangs: a busy machine takes many times as long as an idle one, and no test fails for
  // that.
  testTimeout: 300_000,
  hookTimeout: 600_000,
  // CDK's own rules take seconds to start in each process that synthesizes; one test has them check every stage.
  env: { CDK_VALIDATION: 'false' },
};

/** Node loads the files, in a third of the time that Vite takes; of `vi.resetModules`, which unit tests call, it knows nothing. */
const byNode = { experimental: { viteModuleRunner: false } };

/** Much of a run is waiting for time-outs and processes, so there are more workers than the two cores of CI. */
const WORKERS = 4;

const hasChromium = findChromium() !== undefined;
if (!hasChromium && process.env.CI === 'true') throw new Error(WITHOUT_CHROMIUM);
if (!hasChromium && !process.argv.some((arg) => /^--project(=e2e)?$/.test(arg)))
  console.log(WITHOUT_CHROMIUM);

/**
 * Five projects: `unit` (domain code and the local run's parts, against real engines where there is one), `template`
 * (the synthesized stack, the commands that synthesize it, and the package), `own-service` (end-to-end tests that break
 * or rotate a service of their own, or run another beside it), `browser` (the page of a local run, where there is a
 * Chromium) and `e2e` (one shared service behind its gateway; file after file, because they also share the faults of its
 * WeChat).
 */
export default defineConfig({
  test: {
    reporters: ['default', closingLine],
    sequence: { sequencer: LongWaitsFirst },
    // `npm run coverage`. Bundles run in processes of their own, so what only end-to-end tests reach counts as uncovered.
    coverage: {
      include: ['{bin,functions,lib,local,testing}/**/*.ts', 'packages/*/src/**/*.ts'],
      reporter: ['text'],
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'test/*.test.ts',
            'test/{docs,examples,functions,local,testing}/**/*.test.ts',
            // Not an `exclude`, in whose place `--exclude` of the command line would not count.
            'test/bin/{!(app|launch).test.ts,*/**/*.test.ts}',
            'packages/*/test/**/*.test.ts',
          ],
          ...inEachProject,
          maxWorkers: WORKERS,
          // The modules of one file serve the next, which saves two thirds of the time that imports take.
          isolate: false,
          // Nor may the variables of one file be those of the next.
          unstubEnvs: true,
        },
      },
      {
        test: {
          name: 'template',
          // The commands that synthesize are tested in its workers, which have loaded the CDK.
          include: ['test/lib/**/*.test.ts', 'test/bin/{app,launch}.test.ts'],
          globalSetup: ['test/lib/other-teams/build-package.ts'],
          ...inEachProject,
          ...byNode,
          maxWorkers: WORKERS,
          isolate: false,
          unstubEnvs: true,
        },
      },
      {
        test: {
          name: 'own-service',
          include: ['test/e2e/own-service/*.test.ts'],
          globalSetup: ['test/lib/other-teams/build-package.ts', 'test/fixtures/local-service.ts'],
          ...inEachProject,
          ...byNode,
          maxWorkers: WORKERS,
          isolate: false,
        },
      },
      {
        test: {
          name: 'browser',
          include: hasChromium ? ['test/browser/*.test.ts'] : [],
          ...inEachProject,
          ...byNode,
          maxWorkers: WORKERS,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/{,contract/,hostile/,members/,mini-programs/}*.test.ts'],
          globalSetup: ['test/fixtures/local-service.ts', 'test/e2e/global-setup.ts'],
          ...inEachProject,
          ...byNode,
          maxWorkers: 1,
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
