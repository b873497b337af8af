import { expect, test } from "vitest";
import { fuzzyMatch } from "../../examples/web-ide/src/palette/fuzzy.ts";

function ranking(pattern: string, ...paths: string[]): string[] {
  const found = paths
    .map((path) => ({ path, match: fuzzyMatch(pattern, path) }))
    .filter(({ match }) => match);
  return found.sort((a, b) => (b.match?.score ?? 0) - (a.match?.score ?? 0)).map(({ path }) => path);
}

test("finds the characters in their order, in any case", () => {
  expect(fuzzyMatch("SJ", "src/sieve.js")?.positions).toEqual([4, 10]);
  expect(fuzzyMatch("", "a")?.positions).toEqual([]);
  expect(fuzzyMatch("js.", "sieve.js")).toBeUndefined();
});

test("the name counts more than its directory, and the beginning of a word more than its middle", () => {
  expect(ranking("main", "main/other.ts", "src/domain.ts", "src/main.ts")).toEqual([
    "src/main.ts",
    "src/domain.ts",
    "main/other.ts",
  ]);
  expect(ranking("ft", "src/soft.ts", "src/file-tree.ts", "src/fileTree.ts").at(-1)).toBe("src/soft.ts");
  expect(ranking("index", "a/b/c/index.ts", "index.ts")[0]).toBe("index.ts");
});
