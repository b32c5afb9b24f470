/**
 * A vitest reporter that only writes counts, into the file of TEST_COUNTS_FILE. A failure outside of tests (a file that does
 * not load, an unhandled error) counts as a failed test.
 */
import { writeFileSync } from 'node:fs';

export default class CountReporter {
  onTestRunEnd(files, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const file of files) {
      const tests = [...file.children.allTests()];
      for (const test of tests) counts[STATES[test.result().state] ?? 'failed'] += 1;
      const suites = [file, ...file.children.allSuites()];
      if (suites.some((suite) => suite.errors().length > 0)) counts.failed += 1;
    }
    writeFileSync(process.env.TEST_COUNTS_FILE, JSON.stringify(counts));
  }
}

/** A test that never ended counts as failed. */
const STATES = { passed: 'passed', failed: 'failed', skipped: 'skipped' };
