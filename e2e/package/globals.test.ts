import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { CONSUMER, runProgram } from "../support/packed.ts";

/** Globals of the web that a runtime can lack: jsdom, React Native and old browsers lack some of them. */
const GLOBALS = [
  ...["TextEncoder", "TextDecoder", "ReadableStream", "WritableStream", "TransformStream"],
  ...["ReadableStreamDefaultReader", "WebSocket", "crypto", "URL", "URLSearchParams"],
  ...["AbortController", "AbortSignal", "DOMException", "Event", "EventTarget", "MessageChannel"],
  ...["fetch", "Request", "Response", "Headers", "FormData", "Blob"],
  ...["structuredClone", "queueMicrotask", "performance", "atob", "btoa"],
  ...["FinalizationRegistry", "WeakRef"],
];

const PORTABLE = ["exec-server-sdk", "exec-server-sdk/testing"];

/** Loads every entry in both formats, without the globals that the command line names. */
const LOAD = `
  import { createRequire } from "node:module";
  for (const name of process.argv.slice(2)) delete globalThis[name];
  for (const entry of ["", "/node", "/gateway", "/testing", "/testing/node"]) {
    await import("exec-server-sdk" + entry);
    createRequire(import.meta.url)("exec-server-sdk" + entry);
  }
  console.log("loaded");
`;

describe("every entry loads in Node", () => {
  it.each(GLOBALS)("without %s", async (name) => {
    expect(await runProgram(`without-${name}.mjs`, LOAD, name)).toBe("loaded\n");
  });

  it("without all of them", async () => {
    expect(await runProgram("without-all.mjs", LOAD, ...GLOBALS)).toBe("loaded\n");
  });
});

/** Bundles a program and runs it in a new context, which has the globals of the language and the given ones only. */
async function runBare(contents: string, conditions: string[], globals: object = {}): Promise<unknown> {
  const stdin = { contents, resolveDir: CONSUMER };
  const options = { bundle: true, format: "iife", globalName: "program", write: false } as const;
  const { outputFiles } = await build({ stdin, ...options, platform: "neutral", conditions });
  const context = createContext({ ...globals });
  return runInContext(`${outputFiles[0]?.text};program`, context);
}

describe.each([["browser"], ["react-native"]])("a bundle under the condition %s", (condition) => {
  it.each(PORTABLE)("loads %s in a context without any global of a platform", async (entry) => {
    expect(Object.keys((await runBare(`export * from "${entry}";`, [condition])) as object)).not.toEqual([]);
    const required = `module.exports = require("${entry}");`;
    expect(Object.keys((await runBare(required, [condition])) as object)).not.toEqual([]);
  });

  it("starts a command and uses a file without ReadableStream", async () => {
    const source = `
      import { LazyExecServerClient, webSocket } from "exec-server-sdk";
      import { TestServer } from "exec-server-sdk/testing";
      export async function use() {
        const server = new TestServer({ files: { "/old": "old" } });
        server.onCommand(["echo"], { stdout: "hi" });
        const client = new LazyExecServerClient({ transport: webSocket("ws://test", { WebSocket: server.WebSocket }) });
        await client.fs.writeFile("/new", "new");
        const texts = [await client.fs.readFile("/old", "utf8"), await client.fs.readFile("/new", "utf8")];
        const process = await client.start(["echo"]);
        let stdout = "";
        for await (const { chunk } of process) stdout += new TextDecoder().decode(chunk);
        let stream;
        try {
          stream = process.stdout;
        } catch ({ code, message }) {
          stream = [code, message];
        }
        await process.closed;
        await client.close();
        return JSON.stringify({ texts, stdout, stream });
      }`;
    const { AbortController, TextDecoder, TextEncoder, URL, atob, btoa, crypto, performance } = globalThis;
    const { clearTimeout, queueMicrotask, setTimeout } = globalThis;
    const globals = {
      ...{ AbortController, TextDecoder, TextEncoder, URL, atob, btoa, crypto, performance },
      ...{ clearTimeout, queueMicrotask, setTimeout },
    };
    const { use } = (await runBare(source, [condition], globals)) as { use(): Promise<string> };
    expect(JSON.parse(await use())).toEqual({
      texts: ["old", "new"],
      stdout: "hi",
      stream: ["ERR_UNSUPPORTED", "This runtime has no ReadableStream: load a polyfill that defines it"],
    });
  });
});

it("a runtime without a WebSocket says so when it dials", async () => {
  const source = `
    import { ExecServerClient, webSocket } from "exec-server-sdk";
    export const dial = () => ExecServerClient.connect({ transport: webSocket("ws://127.0.0.1:9") }).catch(String);`;
  const { AbortController, URL, clearTimeout, performance, setTimeout } = globalThis;
  const globals = { AbortController, URL, clearTimeout, performance, setTimeout };
  const { dial } = (await runBare(source, ["browser"], globals)) as { dial(): Promise<string> };
  expect(await dial()).toBe(
    "UsageError: This runtime has no WebSocket: set the option WebSocket, or load a polyfill that defines it",
  );
});
