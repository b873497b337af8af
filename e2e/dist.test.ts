import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codexBinary, ExecServer, makeCodexHome } from "../test/support/exec-server.ts";

const require = createRequire(import.meta.url);
const dist = dirname(require.resolve("exec-server-sdk"));

let server: ExecServer;
beforeAll(async () => {
  server = await ExecServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

/** The same short life over both transports, for either module system. */
const PROGRAM = `
  async function main({ LazyExecServerClient, ExecServerError, webSocket }, { stdio, webSocket: nodeWebSocket }) {
    const [url, binary, home] = process.argv.slice(2);
    const transports = {
      webSocket: webSocket(url),
      nodeWebSocket: nodeWebSocket(url),
      stdio: stdio({ command: binary, args: ["exec-server", "--listen", "stdio"], env: { CODEX_HOME: home } }),
    };
    for (const [name, transport] of Object.entries(transports)) {
      const lazy = new LazyExecServerClient({ transport });
      const { stdout } = await lazy.run(["echo", name]);
      const error = await lazy.run(["false"]).catch((error) => error);
      console.log(stdout.trim(), error.code, error instanceof ExecServerError);
      await lazy.close();
    }
    const refused = new LazyExecServerClient({ transport: stdio({ command: "/no/such/program" }) });
    const error = await refused.get().catch((error) => error);
    console.log(error.code, error instanceof ExecServerError);
  }
`;

const EXPECTED = `webSocket ERR_PROCESS_EXIT true
nodeWebSocket ERR_PROCESS_EXIT true
stdio ERR_PROCESS_EXIT true
ERR_CONNECT true
`;

async function runProgram(file: string, source: string): Promise<string> {
  // Inside the package, so that its own name resolves.
  const scratch = join(dirname(dist), ".tmp");
  mkdirSync(scratch, { recursive: true });
  const directory = mkdtempSync(join(scratch, "smoke-"));
  try {
    writeFileSync(join(directory, file), source);
    const args = [join(directory, file), server.url, codexBinary(), makeCodexHome()];
    return (await promisify(execFile)(process.execPath, args)).stdout;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe("the built package", () => {
  it("works as ES modules", async () => {
    const source = `${PROGRAM} main(await import("exec-server-sdk"), await import("exec-server-sdk/node"));`;
    expect(await runProgram("smoke.mjs", source)).toBe(EXPECTED);
  });

  it("works as CommonJS", async () => {
    const source = `${PROGRAM} main(require("exec-server-sdk"), require("exec-server-sdk/node"));`;
    expect(await runProgram("smoke.cjs", source)).toBe(EXPECTED);
  });

  it("recognises the errors of the other module system's copy", async () => {
    const source = `
      import { createRequire } from "node:module";
      import * as esm from "exec-server-sdk";
      const cjs = createRequire(import.meta.url)("exec-server-sdk");
      const error = new cjs.ClosedError();
      console.log(cjs.ClosedError === esm.ClosedError, error instanceof esm.ClosedError, error instanceof esm.ExecServerError, error instanceof esm.UsageError);
    `;
    expect(await runProgram("copies.mjs", source)).toBe("false true true false\n");
  });

  it("names neither Node nor ws in what the root entry loads", () => {
    const seen = new Set<string>();
    const load = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      const source = readFileSync(join(dist, file), "utf8");
      for (const [, specifier = ""] of source.matchAll(/(?:from\s*|import\s*|require\()["']([^"']+)["']/g)) {
        if (specifier.startsWith("./")) load(specifier.slice(2));
        else expect(["isows", "zod/mini"], `${file} imports ${specifier}`).toContain(specifier);
      }
      expect(source, file).not.toMatch(/\beval\s*\(|new Function/);
    };
    load("index.js");
    load("index.cjs");
    expect(seen.size).toBeGreaterThan(2);
  });

  it("holds nothing but what package.json names, its chunks, types and maps", () => {
    const unexpected = readdirSync(dist).filter(
      (name) =>
        !/^(index|node|gateway|testing|testing-node|gateway-cli|chunk-\w+|[a-z-]+-[\w-]{8})\.(js|cjs|d\.ts|d\.cts)(\.map)?$/.test(
          name,
        ),
    );
    expect(unexpected).toEqual([]);
  });
});
