import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { CONSUMER, INSTALLED, runProgram } from "../support/packed.ts";

const NAME = "exec-server-sdk.min.js";
const FILE = join(INSTALLED, "dist", NAME);
const code = readFileSync(FILE, "utf8");

describe("the file for pages without a bundler", () => {
  it("is a module that imports nothing", async () => {
    const { metafile } = await build({
      entryPoints: [FILE],
      absWorkingDir: CONSUMER,
      bundle: true,
      format: "esm",
      write: false,
      metafile: true,
      logLevel: "silent",
    });
    expect(Object.keys(metafile.inputs)).toHaveLength(1);
    expect(Object.values(metafile.inputs).flatMap(({ imports }) => imports)).toEqual([]);
    expect(code).not.toMatch(/isows|\brequire\(|\bprocess\.env\b/);
  });

  it("exports what the root entry exports, and recognises its errors", async () => {
    const source = `
      import * as root from "exec-server-sdk";
      import * as page from "exec-server-sdk/${NAME}";
      const names = Object.keys(page);
      const error = new root.ClosedError();
      console.log(names.join() === Object.keys(root).join(), names.length > 10, error instanceof page.ClosedError);
    `;
    expect(await runProgram("minified.mjs", source)).toBe("true true true\n");
  });

  it("is what the fields for CDNs name, and can be resolved to be served", async () => {
    const { unpkg, jsdelivr } = JSON.parse(readFileSync(join(INSTALLED, "package.json"), "utf8"));
    expect([unpkg, jsdelivr]).toEqual([`./dist/${NAME}`, `./dist/${NAME}`]);
    const esm = `console.log(import.meta.resolve("exec-server-sdk/${NAME}").endsWith("/dist/${NAME}"));`;
    expect(await runProgram("resolve.mjs", esm)).toBe("true\n");
    const cjs = `console.log(require.resolve("exec-server-sdk/${NAME}").endsWith("/dist/${NAME}"));`;
    expect(await runProgram("resolve.cjs", cjs)).toBe("true\n");
  });

  it("names its version and has the license of what it contains", () => {
    const { version } = JSON.parse(readFileSync(join(INSTALLED, "package.json"), "utf8"));
    const [, licenses = ""] =
      /^\/\*! exec-server-sdk (?:\S+), MIT\. Contains zod, MIT: (\S+) \*\//.exec(code) ?? [];
    expect(code).toContain(` ${version},`);
    expect(readFileSync(join(INSTALLED, "dist", licenses), "utf8")).toContain("Permission is hereby granted");
  });
});
