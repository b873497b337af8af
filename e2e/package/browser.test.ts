import { readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";
import { describe, expect, it } from "vitest";
import { bundle } from "../../test/support/bundle.ts";
import { CONSUMER, INSTALLED } from "../support/packed.ts";

const MINIFIED = join(INSTALLED, "dist/exec-server-sdk.min.js");
const WHOLE = 'export * from "exec-server-sdk";';

describe("the root entry in a bundle for the browser", () => {
  it.each([
    ["ES modules", WHOLE],
    ["CommonJS", 'module.exports = require("exec-server-sdk");'],
  ])("contains no other package than zod, and one copy of each module, from %s", async (_, source) => {
    // esbuild fails for every module of Node.
    const { files } = await bundle(source, CONSUMER);
    const foreign = files.filter((file) => !/node_modules\/(exec-server-sdk|zod)\/|^<stdin>$/.test(file));
    expect(foreign).toEqual([]);
    expect(files.filter((file) => /\.cjs$/.test(file))).toEqual([]);
  });

  it.each([
    ["the bundle", async () => (await bundle(WHOLE, CONSUMER)).code],
    ["the file without a bundler", () => readFileSync(MINIFIED, "utf8")],
  ])("%s contains no code that evaluates strings, not even as a feature test", async (_, read) => {
    const code = await read();
    expect(code).toContain("ERR_DISCONNECTED");
    // The word also stands in a script for the server's shell, with a quoted argument, and in a list of shell builtins.
    expect(code.match(/\beval\b(?! \\*"|\|)|\bFunction\s*\(|=\s*Function\b/g)).toBeNull();
  });
});

const REFUSAL =
  "in a browser use webSocket() from exec-server-sdk; exec-server-sdk/node, /gateway and /testing/node run in Node only";
const USES = [
  ["an import of stdio", 'import { stdio } from "exec-server-sdk/node"; stdio({ command: "x" });'],
  ["an import of createGateway", 'import { createGateway } from "exec-server-sdk/gateway"; createGateway();'],
  ["an import of listen", 'import { listen } from "exec-server-sdk/testing/node"; listen();'],
  ["a dynamic import", 'import("exec-server-sdk/node").then(({ stdio }) => stdio({ command: "x" }));'],
  ["a require", 'const { stdio } = require("exec-server-sdk/node"); stdio({ command: "x" });'],
] as const;

async function withEsbuild(contents: string, platform: "browser" | "node"): Promise<string> {
  const stdin = { contents, resolveDir: CONSUMER };
  const options = { bundle: true, format: "esm", platform, write: false, logLevel: "silent" } as const;
  return (await esbuild({ stdin, ...options })).outputFiles.map(({ text }) => text).join();
}

async function withVite(contents: string, conditions?: string[]): Promise<string> {
  const input = join(CONSUMER, "page.js");
  writeFileSync(input, contents);
  const built = await vite({
    configFile: false,
    root: CONSUMER,
    logLevel: "silent",
    ...(conditions && { resolve: { conditions } }),
    build: { write: false, rolldownOptions: { input, external: [/^node:/, ...builtinModules] } },
  });
  const { output } = built as Extract<typeof built, { output: unknown }>;
  return output.map((file) => (file.type === "chunk" ? file.code : "")).join();
}

describe.each(USES)("%s from an entry for Node", (_, source) => {
  it("fails a build for the browser with one clear sentence", async () => {
    await expect(withEsbuild(source, "browser")).rejects.toThrow(REFUSAL);
    await expect(withVite(source)).rejects.toThrow(REFUSAL);
  });

  it("builds for Node and for Electron's main process", async () => {
    await expect(withEsbuild(source, "node")).resolves.toMatch(/node:(child_process|http)/);
    await expect(withVite(source, ["node"])).resolves.toMatch(/node:(child_process|http)/);
  });
});
