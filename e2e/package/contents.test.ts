import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { describe, expect, it } from "vitest";
import { INSTALLED, TARBALL } from "../support/packed.ts";

const DIST = join(INSTALLED, "dist");
const files = readdirSync(DIST);

/** The resolution of Node 10, which TypeScript still offers, supports the root entry only. */
function isOfOldResolution(problem: { readonly resolutionKind?: string }): boolean {
  return problem.resolutionKind === "node10";
}

describe("the packed package", () => {
  it("satisfies publint", async () => {
    const { messages, pkg } = await publint({ pkgDir: INSTALLED, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it("has types that match its modules in every resolution that supports entries", async () => {
    const attw = join(import.meta.dirname, "../../node_modules/.bin/attw");
    // attw exits with code 1 if it finds a problem.
    const run = promisify(execFile)(attw, [TARBALL, "--format", "json"]);
    const { stdout } = await run.catch((error: { stdout: string }) => error);
    const { problems } = JSON.parse(stdout).analysis;
    expect(problems.filter((problem: object) => !isOfOldResolution(problem))).toEqual([]);
  });

  it("contains the entries of package.json, their chunks, types and source maps only", () => {
    expect(readdirSync(INSTALLED).sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "dist",
      "package.json",
    ]);
    const expected =
      /^((index|index-browser|node|gateway|gateway-cli|testing|testing-node|client|chunk-\w+|[a-z-]+-[\w-]{8})\.(js|cjs|d\.ts|d\.cts)(\.map)?|node-only\.js)$/;
    expect(files.filter((name) => !expected.test(name))).toEqual([]);
  });

  it("has a source map for each module, with the sources", () => {
    // Entries that only re-export have no sources.
    const modules = files.filter(
      (name) =>
        /\.c?js$/.test(name) && !/^(index-browser|client|testing|testing-node|node-only)\./.test(name),
    );
    expect(modules.length).toBeGreaterThan(6);
    for (const name of modules) {
      expect(readFileSync(join(DIST, name), "utf8")).toContain(`//# sourceMappingURL=${name}.map`);
      const map = JSON.parse(readFileSync(join(DIST, `${name}.map`), "utf8"));
      expect(map.sources.length, name).toBeGreaterThan(0);
      expect(map.sources.filter((source: string) => !/^\.\.\/src\/[\w/-]+\.ts$/.test(source))).toEqual([]);
      expect(map.sourcesContent.filter((text: unknown) => typeof text !== "string")).toEqual([]);
    }
  });
});
