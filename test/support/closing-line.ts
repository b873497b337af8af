import type { Reporter, TestModule } from "vitest/node";

/** Prints the numbers of passed and failed tests as the last line, for scripts. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) counts[test.result().state === "passed" ? "passed" : "failed"]++;
      // A file that could not be run counts as one failure.
      if (tests.length === 0) counts.failed++;
    }
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed\n`);
  }
}
