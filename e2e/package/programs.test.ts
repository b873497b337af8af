import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codexBinary, ExecServer, makeCodexHome } from "../../test/support/exec-server.ts";
import { runProgram } from "../support/packed.ts";

let server: ExecServer;
beforeAll(async () => {
  server = await ExecServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Uses each transport, in either module system. */
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

function runWithServer(name: string, source: string): Promise<string> {
  return runProgram(name, source, server.url, codexBinary(), makeCodexHome());
}

describe("a program that uses the package", () => {
  it("works as ES modules", async () => {
    const source = `${PROGRAM} main(await import("exec-server-sdk"), await import("exec-server-sdk/node"));`;
    expect(await runWithServer("program.mjs", source)).toBe(EXPECTED);
  });

  it("works as CommonJS", async () => {
    const source = `${PROGRAM} main(require("exec-server-sdk"), require("exec-server-sdk/node"));`;
    expect(await runWithServer("program.cjs", source)).toBe(EXPECTED);
  });

  it("works with the root entry of one module system and the transports of the other", async () => {
    const source = `
      import { createRequire } from "node:module";
      ${PROGRAM}
      main(await import("exec-server-sdk"), createRequire(import.meta.url)("exec-server-sdk/node"));`;
    expect(await runWithServer("mixed.mjs", source)).toBe(EXPECTED);
  });

  it("recognises every error of the other module system by class and code", async () => {
    const source = `
      import { createRequire } from "node:module";
      import * as esm from "exec-server-sdk";
      const cjs = createRequire(import.meta.url)("exec-server-sdk");
      const result = { exitCode: 1, stdout: "", stderr: "", sandboxDenied: false };
      const make = ({ ClosedError, ConnectError, DisconnectedError, OverflowError, ProcessExitError, ProtocolError, ServerError, TimeoutError, UsageError }) => [
        new ClosedError(),
        new ConnectError("", { phase: "dial" }),
        new DisconnectedError(""),
        new OverflowError(1),
        new ProcessExitError(result),
        new ProtocolError(""),
        new ServerError("", { rpcCode: 1 }),
        new TimeoutError("ERR_TIMEOUT", ""),
        new UsageError("ERR_UNSUPPORTED", ""),
      ];
      const [ours, theirs] = [make(esm), make(cjs)];
      for (const [index, error] of theirs.entries()) {
        const classes = ours.map(({ constructor }) => constructor).filter((constructor) => error instanceof constructor);
        const sameCopy = error.constructor === ours[index].constructor;
        console.log(error.name, error.code === ours[index].code, sameCopy, error instanceof esm.ExecServerError, classes.map(({ name }) => name).join());
      }
    `;
    const lines = (await runProgram("copies.mjs", source)).trimEnd().split("\n");
    expect(lines).toHaveLength(9);
    for (const line of lines) {
      const [name] = line.split(" ");
      expect(line).toBe(`${name} true false true ${name}`);
    }
  });

  it("can import the entries only", async () => {
    const source = `
      for (const path of ["dist/index.js", "dist/index.cjs", "dist/node-only.js", "src/errors/error.ts", "errors"])
        console.log(await import("exec-server-sdk/" + path).catch(({ code }) => code));
    `;
    expect(new Set((await runProgram("deep.mjs", source)).trim().split("\n"))).toEqual(
      new Set(["ERR_PACKAGE_PATH_NOT_EXPORTED"]),
    );
  });
});
