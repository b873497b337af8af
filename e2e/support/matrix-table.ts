import type { TestInfo } from "@playwright/test";
import type { Reporter, TestCase, TestResult } from "@playwright/test/reporter";
import { UNAVAILABLE } from "../consumers/runtimes.ts";

const ENTRIES = [".", "./node", "./gateway"] as const;
export type Entry = (typeof ENTRIES)[number];

interface Cells {
  /** The program that uses the package, with its version. */
  readonly consumer: string;
  readonly how: string;
  /** The entries that the test covers. */
  readonly entries: readonly Entry[];
}

const TYPE = "consumer";

/** Assigns a test to cells of the table. */
export function tabulate(info: TestInfo, cells: Cells): void {
  info.annotations.push({ type: TYPE, description: JSON.stringify(cells) });
}

/** Prints a Markdown table of the entries that work in each consumer. */
export default class MatrixTable implements Reporter {
  readonly #rows = new Map<string, Map<Entry, boolean>>();
  readonly #failed: string[] = [];

  onTestEnd(test: TestCase, result: TestResult): void {
    const isGood = result.status === "passed";
    const description = result.annotations.find(({ type }) => type === TYPE)?.description;
    if (!description && !isGood) this.#failed.push(test.titlePath().filter(Boolean).join(" › "));
    if (!description) return;
    const { consumer, how, entries } = JSON.parse(description) as Cells;
    const name = `| ${consumer} | ${how} |`;
    const row = this.#rows.get(name) ?? new Map<Entry, boolean>();
    this.#rows.set(name, row);
    for (const entry of entries) row.set(entry, isGood && row.get(entry) !== false);
  }

  onEnd(): void {
    const lines = [...this.#rows].map(([name, row]) => {
      const cells = ENTRIES.map((entry) => (row.has(entry) ? (row.get(entry) ? "yes" : "**no**") : "–"));
      return `${name} ${cells.join(" | ")} |`;
    });
    const byName = new Intl.Collator("en", { numeric: true });
    lines.sort(byName.compare);
    for (const name of UNAVAILABLE) lines.push(`| ${name} | not available here | – | – | – |`);
    const head = ["| consumer | as | `.` | `./node` | `./gateway` |", "|---|---|---|---|---|"];
    process.stdout.write(`\n${[...head, ...lines].join("\n")}\n`);
    for (const title of this.#failed)
      process.stdout.write(`\nfailed before its cells were known: ${title}\n`);
  }

  printsToStdio(): boolean {
    return false;
  }
}
