import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { TestServer, type TestServerOptions } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { connectedTo } from "../support/scripted-server.ts";

/** The client of a test server, whose `call()` goes past the guards. */
const setUp = (options: TestServerOptions) =>
  connectedTo(new TestServer({ files: { "/work/file": "text" }, ...options }));

const FILE = { path: "file:///work/file", sandbox: null };
const missing = { rpcCode: -32601, kind: "unsupported" };

describe("a test server of an older version", () => {
  it.each<[string, string, string, object]>([
    ["0.142.0", "0.143.0", "fs/walk", { ...FILE, options: {} }],
    ["0.144.6", "0.145.0", "environment/status", {}],
    ["0.141.0", "0.142.0", "fs/open", { ...FILE, handleId: "a", mode: "read" }],
    ["0.165.0", "0.166.0", "fs/watchMissing", { watchId: 1, missing: [] }],
  ])("%s has not the method that %s has: %s", async (before, since, method, params) => {
    await using old = await setUp({ version: before });
    expect(await failureOf(old.client.call(method as never, params as never))).toMatchObject(missing);
    await using newer = await setUp({ version: since });
    await newer.client.call(method as never, params as never);
  });

  it.each([
    ["0.149.0", undefined],
    ["0.150.0", { capabilities: { httpHeaderEnvVars: true, networkProxyLaunch: true } }],
    ["0.151.0", { platformOs: "linux", cwd: "file:///work" }],
    ["0.155.0", { platformOs: "linux", executorVersion: "0.155.0" }],
  ])("%s reports in the handshake what that version did", async (version, environment) => {
    await using t = await setUp({ version });
    const { transport } = t.server;
    const received = new Promise<{ result: { environmentInfo?: object } }>((resolve) => {
      const context = { signal: new AbortController().signal, waitingFor() {} };
      void transport.connect(context).then((connection) => {
        connection.start({ onFrame: (frame) => resolve(JSON.parse(String(frame))), onEnd() {} });
        connection.send(
          JSON.stringify({ id: 1, method: "initialize", params: { clientName: "", resumeSessionId: null } }),
        );
      });
    });
    const { environmentInfo } = (await received).result;
    if (environment === undefined) expect(environmentInfo).toBeUndefined();
    else expect(environmentInfo).toMatchObject(environment);
    if (version < "0.155.0") expect(environmentInfo ?? {}).not.toHaveProperty("executorVersion");
    if (version < "0.151.0") expect(environmentInfo ?? {}).not.toHaveProperty("platformOs");
  });

  it("before 0.162 ignores the mode in which a file is opened", async () => {
    await using t = await setUp({ version: "0.161.0" });
    const open = { handleId: "a", mode: "replace", sandbox: null } as const;
    const failing = t.client.call("fs/open", { ...open, path: "file:///work/new" });
    expect(await failureOf(failing)).toMatchObject({ kind: "not-found" });
    await t.client.call("fs/open", { ...open, path: FILE.path });
    expect(await t.client.fs.readFile("/work/file", "utf8")).toBe("text");
  });

  it("before 0.141 finds no directory of a process", async () => {
    await using t = await setUp({ version: "0.140.0" });
    t.server.onCommand(["true"], {});
    expect(await failureOf(t.client.start(["true"], { cwd: "/work" }))).toMatchObject({
      feature: "commands",
    });
  });

  it.each([
    ["0.169.0", "gzip"],
    ["0.171.0", undefined],
  ])("%s passes gzip on, or decodes it", async (version, encoding) => {
    await using t = await setUp({ version });
    const headers = { "content-encoding": "gzip" };
    t.server.onFetch(() => new Response(gzipSync("hello"), { headers }));
    const response = await t.client.fetch("http://origin.test/");
    expect(Object.fromEntries(response.rawHeaders)["content-encoding"]).toBe(encoding);
    expect(await response.text()).toBe("hello");
  });

  it("still has what the test adds", async () => {
    await using t = await setUp({ version: "0.151.0", environmentInfo: { providerId: "mine" } });
    t.server.handle("fs/watchMissing", () => ({ watching: true }));
    expect(await t.client.info()).toMatchObject({ providerId: "mine", cwd: "/work" });
    expect(await t.client.call("fs/watchMissing", { watchId: 1, missing: [] })).toEqual({ watching: true });
  });

  it.each(["0.151", "1.0.0", "latest", 151])("refuses the version %j", (version) => {
    expect(() => new TestServer({ version: version as never })).toThrow(/version must be a version such as/);
  });
});
