import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const read = (file: string): string => readFileSync(join(import.meta.dirname, file), "utf8");

interface Row {
  readonly number: number;
  readonly shownBy: string;
}

const rows: readonly Row[] = [...read("SCENARIOS.md").matchAll(/^\| (\d+) \|[^|]+\|([^|]+)\|$/gm)].map(
  ([, number, shownBy = ""]) => ({ number: Number(number), shownBy: shownBy.trim() }),
);

/** The tests a cell names: `file`: “name”, “name”; `file`: “name”. */
function citations(cell: string): { file: string; name: string }[] {
  return [...cell.matchAll(/`([\w./-]+\.ts)`: (“[^”]+”(?:, “[^”]+”)*)/g)].flatMap(
    ([, file = "", names = ""]) => [...names.matchAll(/“([^”]+)”/g)].map(([, name = ""]) => ({ file, name })),
  );
}

/** Whether a file has a test of exactly this name: a string that is the first argument of some call. */
function hasTest(text: string, name: string): boolean {
  const escaped = name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  return new RegExp(`\\(\\s*(["'\`])${escaped}\\1,`).test(text);
}

describe("SCENARIOS.md", () => {
  it("has one row for each number, in order", () => {
    const numbers = rows.map(({ number }) => number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    const range = (first: number, last: number): number[] =>
      Array.from({ length: last - first + 1 }, (_, i) => first + i);
    expect(numbers).toEqual(range(1, 147));
  });

  it("names at least one test in each row, or says why there is none", () => {
    const bare = rows.filter(
      ({ shownBy }) => citations(shownBy).length === 0 && !/^Does not apply: ./.test(shownBy),
    );
    expect(bare).toEqual([]);
  });

  it("names nothing in a way that is not checked", () => {
    const quoted = rows.flatMap(({ shownBy }) => [...shownBy.matchAll(/“[^”]+”/g)]);
    expect(quoted).toHaveLength(rows.flatMap(({ shownBy }) => citations(shownBy)).length);
  });

  it("names only tests that exist", () => {
    const missing = rows.flatMap(({ number, shownBy }) =>
      citations(shownBy)
        .filter(
          ({ file, name }) => !existsSync(join(import.meta.dirname, file)) || !hasTest(read(file), name),
        )
        .map(({ file, name }) => `${number}: ${file}: ${name}`),
    );
    expect(missing).toEqual([]);
  });
});
