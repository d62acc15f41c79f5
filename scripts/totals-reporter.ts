import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Closes a test run with one plain line on standard output, `N passed, N failed`.
 * A spec file that could not run counts as one failure, and so does an error outside of all tests.
 */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      failed += module.errors().length;
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        if (state === 'failed') failed += 1;
      }
    }
    // vitest writes its own summary after every other reporter.
    process.once('exit', () => writeSync(1, `${passed} passed, ${failed} failed\n`));
  }
}
