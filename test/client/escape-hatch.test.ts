import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { type ExecServerClient, LazyExecServerClient, webSocket } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { Origin } from "../support/origin.ts";
import { realClient } from "../support/real-client.ts";
import { connectedTo, QuietServer, ready } from "../support/scripted-server.ts";

let real: Awaited<ReturnType<typeof realClient>>;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "escape-hatch-"));
  real = await realClient();
});
afterAll(async () => {
  await real[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const uri = (...names: string[]): string => pathToFileURL(join(folder, ...names)).href;
const circular: Record<string, unknown> = {};
circular["self"] = circular;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

it("call() checks the types of params for known methods, and accepts any params for others", () => {
  // @ts-expect-error: a path is missing.
  expectTypeOf(() => real.client.call("fs/readFile", { wrong: true })).toBeFunction();
  expectTypeOf(() => real.client.call("future/method", { any: true })).returns.resolves.toBeUnknown();
  expectTypeOf((name: string) => real.client.call(name)).returns.resolves.toBeUnknown();
});

describe("call() reaches every method of the real server", () => {
  it("environment/info and environment/status", async () => {
    const info = await real.client.call("environment/info", null);
    // A URI, as on the wire.
    expect(info.cwd).toBe(pathToFileURL(process.cwd()).href);
    expect(await real.client.call("environment/status", null)).toEqual({ status: "ready" });
  });

  it("process/start, read, write, signal and terminate", async () => {
    const { client } = real;
    const processId = "p1";
    const params = { processId, argv: ["cat"], cwd: uri(), env: {}, tty: false, pipeStdin: true };
    expect(
      await client.call("process/start", { ...params, envPolicy: null, arg0: null, sandbox: null }),
    ).toMatchObject({ processId });
    expect(
      await client.call("process/write", { processId, chunk: base64("hello\n"), writeId: "w1" }),
    ).toEqual({ status: "accepted" });
    expect(await client.call("process/read", { processId, afterSeq: 0, waitMs: 5_000 })).toMatchObject({
      chunks: [{ seq: 1, stream: "stdout", chunk: base64("hello\n") }],
      exited: false,
    });
    expect(await client.call("process/signal", { processId, signal: "interrupt" })).toEqual({});
    expect(await client.call("process/terminate", { processId })).toEqual({ running: expect.any(Boolean) });
  });

  it("fs/createDirectory, writeFile, readFile, getMetadata, canonicalize, readDirectory, walk, copy and remove", async () => {
    const { client } = real;
    const sandbox = null;
    const [path, file, copy] = [uri("d"), uri("d", "a b.txt"), uri("d", "copy")];
    expect(await client.call("fs/createDirectory", { path, recursive: false, sandbox })).toEqual({});
    expect(await client.call("fs/writeFile", { path: file, dataBase64: base64("text"), sandbox })).toEqual(
      {},
    );
    expect(await client.call("fs/readFile", { path: file, sandbox })).toEqual({ dataBase64: base64("text") });
    expect(await client.call("fs/getMetadata", { path: file, sandbox })).toMatchObject({ size: 4 });
    expect(await client.call("fs/canonicalize", { path: file, sandbox })).toEqual({ path: file });
    const copyParams = { sourcePath: file, destinationPath: copy, recursive: false, sandbox };
    expect(await client.call("fs/copy", copyParams)).toEqual({});
    const { entries } = await client.call("fs/readDirectory", { path, sandbox });
    expect(entries.map(({ fileName }) => fileName).sort()).toEqual(["a b.txt", "copy"]);
    const options = {
      maxDepth: 1,
      maxDirectories: 10,
      maxEntries: 10,
      followDirectorySymlinks: false,
      pruneHiddenDirectories: false,
    };
    expect(await client.call("fs/walk", { path, options, sandbox })).toMatchObject({
      entries: [{ path: file, kind: "file" }, { path: copy }],
      truncated: false,
    });
    expect(await client.call("fs/remove", { path, recursive: true, force: false, sandbox })).toEqual({});
  });

  it("fs/open, writeBlock, readBlock, close and watchMissing", async () => {
    const { client } = real;
    const path = uri("blocks");
    const open = (mode: "read" | "replace") =>
      client.call("fs/open", { path, handleId: "h", mode, sandbox: null });
    expect(await open("replace")).toEqual({ handleId: "h" });
    expect(await client.call("fs/writeBlock", { handleId: "h", offset: 0, chunk: base64("block") })).toEqual(
      {},
    );
    expect(await client.call("fs/close", { handleId: "h" })).toEqual({});
    await open("read");
    const block = await client.call("fs/readBlock", { handleId: "h", offset: 1, len: 10 });
    expect(block).toEqual({ chunk: base64("lock"), eof: true });
    await client.call("fs/close", { handleId: "h" });
    const watching = await client.call("fs/watchMissing", { watchId: 1, missing: [uri("not-there")] });
    expect(watching).toEqual({ watching: true });
    expect(await client.call("fs/watchMissing", { watchId: 1, missing: [] })).toEqual({ watching: false });
  });

  it("http/request, with the whole body in the response", async () => {
    await using origin = await Origin.start((response) => response.end("whole"));
    const result = await real.client.call("http/request", {
      method: "GET",
      url: origin.url,
      headers: [],
      bodyBase64: null,
      redirectPolicy: "follow",
      requestId: "r1",
      streamResponse: false,
    });
    expect(result).toMatchObject({ status: 200, bodyBase64: base64("whole") });
  });

  it("capabilities/discoverV2, capabilityRoots/discoverV1 and environmentConfig/read, typed", async () => {
    const { client } = real;
    const none = { plugins: [], skills: [], warnings: [] };
    expect(await client.call("capabilities/discoverV2", { cwd: uri() })).toEqual(none);
    const roots = [{ id: "root", path: uri() }];
    expect(await client.call("capabilityRoots/discoverV1", { roots })).toMatchObject({
      roots: [{ ...roots[0], plugin: null, skills: [], error: null }],
    });
    // A config path is a list of keys in the TOML configuration of the machine.
    const params = { cwd: uri(), configPaths: [["model"]], requirementsPaths: [] };
    expect(await client.call("environmentConfig/read", params)).toMatchObject({
      hostname: expect.any(String),
      config: { layers: [] },
    });
  });
});

describe("call()", () => {
  it("has typed results for known methods, and unknown for others", () => {
    const client = {} as ExecServerClient | LazyExecServerClient;
    const typed = () => client.call("fs/readFile", { path: "file:///a", sandbox: null });
    expectTypeOf(typed).returns.resolves.toMatchTypeOf<{ dataBase64: string }>();
    const untyped = () => client.call("new/method", { any: ["thing"] });
    expectTypeOf(untyped).returns.resolves.toEqualTypeOf<unknown>();
  });

  it("rejects with kind unsupported for a method that the server does not have", async () => {
    expect(await failureOf(real.client.call("process/resize", {}))).toMatchObject({
      code: "ERR_SERVER",
      rpcCode: -32601,
      kind: "unsupported",
    });
    expect(await failureOf(real.client.call("toString"))).toMatchObject({ kind: "unsupported" });
  });

  it("rejects initialize, which the client sends when it connects", async () => {
    const params = { clientName: "x", resumeSessionId: null };
    expect(await failureOf(real.client.call("initialize", params))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
    });
    expect(await real.client.status()).toEqual({ status: "ready" });
  });

  it.each<[string, unknown]>([
    ["a bigint", { seq: 1n }],
    ["a circular reference", circular],
    ["an object whose toJSON() throws", { toJSON: () => JSON.parse("{") }],
  ])("rejects params with %s, and the connection stays open", async (_, params) => {
    expect(await failureOf(real.client.call("environment/status", params as null))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      delivery: "not-sent",
    });
    expect(await real.client.status()).toEqual({ status: "ready" });
  });

  it("checks the results of known methods, and passes others on unchecked", async () => {
    const server = new QuietServer();
    for (const method of ["fs/readFile", "new/method"]) {
      server.handle(method, () => ({ dataBase64: 5, unknown: [null] }));
    }
    await using t = await connectedTo(server);
    const file = { path: "file:///a", sandbox: null };
    expect(await failureOf(t.client.call("fs/readFile", file))).toMatchObject({
      code: "ERR_PROTOCOL",
      delivery: "answered",
    });
    expect(await t.client.call("new/method", [1])).toEqual({ dataBase64: 5, unknown: [null] });
    expect(await t.connection.request("new/method")).toMatchObject({ params: [1] });
  });

  it("rejects with the signal's reason, or after timeoutMs", async () => {
    await using t = await connectedTo(ready(new QuietServer()));
    const signal = AbortSignal.abort("enough");
    expect(await failureOf(t.client.call("new/method", {}, { signal }))).toBe("enough");
    expect(await failureOf(t.client.call("new/method", {}, { timeoutMs: 20 }))).toMatchObject({
      code: "ERR_TIMEOUT",
      delivery: "unknown",
    });
    expect(await t.client.status()).toEqual({ status: "ready" });
  });

  it("connects the lazy client", async () => {
    await using lazy = new LazyExecServerClient({ transport: webSocket(real.server.url) });
    expect(await lazy.call("environment/status", null)).toEqual({ status: "ready" });
    expect(lazy.state).toBe("connected");
  });
});
