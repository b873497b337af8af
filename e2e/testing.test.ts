import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/** One script over every channel, as users' tests would have it. */
const PROGRAM = `
  async function main({ LazyExecServerClient, webSocket }, { stdio }, { TestServer }, { listen, serveStdio }) {
    for (const way of ["memory", "webSocket", "stdio"]) {
      const server = new TestServer({ files: { "/a": "file" } });
      server.onCommand(["git", "status"], { stdout: "clean" });
      const served = way === "webSocket" ? await listen(server) : way === "stdio" && (await serveStdio(server));
      const transport =
        way === "webSocket" ? webSocket(served.url) : way === "stdio" ? stdio(served) : server.transport;
      const client = new LazyExecServerClient({ transport });
      const { stdout } = await client.run(["git", "status"]);
      const text = await client.fs.readFile("/a", "utf8");
      const live = await client.get();
      (await server.connection()).drop();
      console.log(way, stdout, text, (await live.disconnected).code);
      await client.close();
      if (served) await served.close();
    }
  }
`;

const EXPECTED = `memory clean file ERR_DISCONNECTED
webSocket clean file ERR_DISCONNECTED
stdio clean file ERR_DISCONNECTED
`;

async function runProgram(name: string, source: string): Promise<string> {
  // Inside the package, so that its own name resolves.
  const scratch = join(ROOT, ".tmp");
  mkdirSync(scratch, { recursive: true });
  const directory = mkdtempSync(join(scratch, "testing-"));
  try {
    writeFileSync(join(directory, name), source);
    // A program that does not end by itself has left something open.
    return (await promisify(execFile)(process.execPath, [join(directory, name)], { timeout: 30_000 })).stdout;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const NAMES = [
  "exec-server-sdk",
  "exec-server-sdk/node",
  "exec-server-sdk/testing",
  "exec-server-sdk/testing/node",
];

describe("the built test server", () => {
  it("works as ES modules", async () => {
    const modules = NAMES.map((name) => `await import("${name}")`);
    expect(await runProgram("program.mjs", `${PROGRAM} main(${modules});`)).toBe(EXPECTED);
  });

  it("works as CommonJS", async () => {
    const modules = NAMES.map((name) => `require("${name}")`);
    expect(await runProgram("program.cjs", `${PROGRAM} main(${modules});`)).toBe(EXPECTED);
  });

  it("works for a client of the other module system", async () => {
    const modules = NAMES.map((name, at) =>
      at % 2 === 0 ? `require("${name}")` : `await import("${name}")`,
    );
    const source = `${PROGRAM} (async () => main(${modules}))();`;
    expect(await runProgram("mixed.cjs", source)).toBe(EXPECTED);
  });

  it.each(["import", "require"])("is bundled for a browser without Node or ws, after an %s", async (how) => {
    const contents =
      how === "import"
        ? 'export * from "exec-server-sdk/testing";'
        : 'module.exports = require("exec-server-sdk/testing");';
    // esbuild fails for every module of Node.
    const { metafile } = await build({
      stdin: { contents, resolveDir: ROOT },
      bundle: true,
      platform: "browser",
      format: "esm",
      metafile: true,
      write: false,
      logLevel: "silent",
    });
    const [{ inputs } = { inputs: {} }] = Object.values(metafile.outputs);
    const foreign = Object.keys(inputs).filter((file) => !/^dist\/|node_modules\/zod\/|^<stdin>$/.test(file));
    expect(foreign.map((file) => file.replace(/^.*node_modules\//, ""))).toEqual([]);
  });
});
