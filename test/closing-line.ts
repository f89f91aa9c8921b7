/** A reporter that ends the run with `N passed, N failed` on a line of its own, for whoever reads only the last one. */
import type { Reporter } from 'vitest/node';

/** Counts tests, and files that could not even be loaded as failures; prints after everything else has been said. */
export const closingLine: Reporter = {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === 'passed').length;
    const failed = tests.filter((test) => test.result().state === 'failed').length;
    const broken = modules.filter((module) => module.errors().length > 0).length + unhandledErrors.length;
    process.once('exit', () => console.log(`${passed} passed, ${failed + broken} failed`));
  },
};
