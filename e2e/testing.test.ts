import { describe, expect, it } from "vitest";
import { bundle } from "../test/support/bundle.ts";
import { CONSUMER, runProgram } from "./support/packed.ts";

/** Runs the same script over every channel. */
const PROGRAM = `
  async function main({ LazyExecServerClient, webSocket }, { stdio }, { TestServer }, { listen, serveStdio }) {
    for (const channel of ["memory", "webSocket", "stdio"]) {
      const server = new TestServer({ files: { "/a": "file" } });
      server.onCommand(["git", "status"], { stdout: "clean" });
      const served = channel === "webSocket" ? await listen(server) : channel === "stdio" && (await serveStdio(server));
      const transport =
        channel === "webSocket" ? webSocket(served.url) : channel === "stdio" ? stdio(served) : server.transport;
      const client = new LazyExecServerClient({ transport });
      const { stdout } = await client.run(["git", "status"]);
      const text = await client.fs.readFile("/a", "utf8");
      const live = await client.get();
      (await server.connection()).drop();
      console.log(channel, stdout, text, (await live.disconnected).code);
      await client.close();
      if (served) await served.close();
    }
  }
`;

const EXPECTED = `memory clean file ERR_DISCONNECTED
webSocket clean file ERR_DISCONNECTED
stdio clean file ERR_DISCONNECTED
`;

const NAMES = [
  "exec-server-sdk",
  "exec-server-sdk/node",
  "exec-server-sdk/testing",
  "exec-server-sdk/testing/node",
];

describe("the packed test server", () => {
  it("works as ES modules", async () => {
    const modules = NAMES.map((name) => `await import("${name}")`);
    expect(await runProgram("testing.mjs", `${PROGRAM} main(${modules});`)).toBe(EXPECTED);
  });

  it("works as CommonJS", async () => {
    const modules = NAMES.map((name) => `require("${name}")`);
    expect(await runProgram("testing.cjs", `${PROGRAM} main(${modules});`)).toBe(EXPECTED);
  });

  it("works with a client of the other module system", async () => {
    const modules = NAMES.map((name, at) =>
      at % 2 === 0 ? `require("${name}")` : `await import("${name}")`,
    );
    const source = `${PROGRAM} (async () => main(${modules}))();`;
    expect(await runProgram("testing-mixed.cjs", source)).toBe(EXPECTED);
  });

  it.each(["import", "require"])("is bundled for a browser without Node or ws, from an %s", async (how) => {
    const contents =
      how === "import"
        ? 'export * from "exec-server-sdk/testing";'
        : 'module.exports = require("exec-server-sdk/testing");';
    // esbuild fails for every module of Node.
    const { files } = await bundle(contents, CONSUMER);
    const foreign = files.filter((file) => !/node_modules\/(exec-server-sdk|zod)\/|^<stdin>$/.test(file));
    expect(foreign.map((file) => file.replace(/^.*node_modules\//, ""))).toEqual([]);
  });
});
