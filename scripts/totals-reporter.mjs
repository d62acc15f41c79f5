/**
 * Closes a test run with one plain line, `N passed, N failed`.
 * A spec file that could not run at all counts as one failure.
 */
export default class TotalsReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    process.stderr.write(`${results.numPassedTests} passed, ${failed} failed\n`);
  }
}
