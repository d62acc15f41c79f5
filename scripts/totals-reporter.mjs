import { writeSync } from 'node:fs';

/**
 * Closes a test run with one plain line on standard output, `N passed, N failed`.
 * A spec file that could not run at all counts as one failure.
 */
export default class TotalsReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    // Also where the process ends before jest has come to set its own: in a teardown that hangs.
    process.exitCode = failed === 0 ? process.exitCode : 1;
    const line = `${results.numPassedTests} passed, ${failed} failed\n`;
    // jest writes its own summary after every other reporter.
    process.once('exit', () => writeSync(1, line));
  }
}
