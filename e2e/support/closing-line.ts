import type { FullConfig, Reporter, Suite } from "@playwright/test/reporter";

/** Prints a last line for scripts: the number of passed and failed tests. */
export default class ClosingLine implements Reporter {
  #suite: Suite | undefined;
  #errors = 0;

  onBegin(_config: FullConfig, suite: Suite): void {
    this.#suite = suite;
  }

  /** An error outside of a test counts as one failure. */
  onError(): void {
    this.#errors++;
  }

  onEnd(): void {
    const tests = this.#suite?.allTests() ?? [];
    const passed = tests.filter((test) => test.outcome() === "expected").length;
    process.stdout.write(`\n${passed} passed, ${tests.length - passed + this.#errors} failed\n`);
  }

  printsToStdio(): boolean {
    return false;
  }
}
