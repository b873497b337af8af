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

interface Problem {
  readonly kind: string;
  readonly entrypoint?: string;
  readonly resolutionKind?: string;
}

/** A page has ES modules only. CommonJS may still resolve the path of the file, to serve it. */
function isOfPageInCommonJs({ kind, entrypoint }: Problem): boolean {
  return kind === "CJSResolvesToESM" && entrypoint === "./exec-server-sdk.min.js";
}

/** The resolution of Node 10, which TypeScript still offers, supports the root entry only. */
function isOfOldResolution({ resolutionKind }: Problem): boolean {
  return resolutionKind === "node10";
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
    const isExpected = (problem: Problem) => isOfOldResolution(problem) || isOfPageInCommonJs(problem);
    expect(problems.filter((problem: Problem) => !isExpected(problem))).toEqual([]);
  });

  it("gives the addresses of its repository", () => {
    const { repository, homepage, bugs } = JSON.parse(readFileSync(join(INSTALLED, "package.json"), "utf8"));
    const address = /^git\+(https:.*)\.git$/.exec(repository.url)?.[1];
    expect([homepage, bugs.url]).toEqual([`${address}#readme`, `${address}/issues`]);
  });

  it("contains the entries of package.json, their chunks and types only", () => {
    expect(readdirSync(INSTALLED).sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "dist",
      "package.json",
    ]);
    const expected =
      /^((index|index-browser|node|gateway|gateway-cli|testing|testing-node|client|chunk-\w+|[a-z-]+-[\w-]{8})\.(js|cjs|d\.ts|d\.cts)|node-only\.js|exec-server-sdk\.min\.(js|LEGAL\.txt))$/;
    expect(files.filter((name) => !expected.test(name))).toEqual([]);
  });

  it("has readable modules instead of source maps", () => {
    const modules = files.filter((name) => /\.c?js$/.test(name));
    const texts = modules.map((name) => readFileSync(join(DIST, name), "utf8"));
    expect(modules.filter((_, index) => texts[index]?.includes("sourceMappingURL"))).toEqual([]);
    // Each part names its source file, and keeps its comments.
    const clients = texts.filter((text) => /^\/\/ src\/client\/lazy-client\.ts$/m.test(text));
    expect(clients).toHaveLength(2);
    for (const text of clients) expect(text.match(/^ {2}\/\*\* .*\*\/$/gm)?.length).toBeGreaterThan(100);
  });
});
