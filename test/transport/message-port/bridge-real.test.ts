import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Transport } from "../../../src/index.ts";
import { stdio, webSocket } from "../../../src/node.ts";
import { Children } from "../../support/children.ts";
import { codexBinary, ExecServer, makeCodexHome } from "../../support/exec-server.ts";
import { failureOf } from "../../support/failure.ts";
import { RecordingTransport } from "../../support/gateway.ts";
import { Renderer } from "../../support/renderer.ts";

let server: ExecServer;
beforeAll(async () => {
  server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
});
afterAll(() => server[Symbol.asyncDispose]());

/** Writes one line and then runs until it is killed. */
const LONG_RUNNING = ["sh", "-c", "echo tick; exec sleep 1000"];

function realStdio(): Transport {
  return stdio({
    command: codexBinary(),
    args: ["exec-server", "--listen", "stdio"],
    env: { CODEX_HOME: makeCodexHome() },
  });
}

describe("a renderer with ports bridged to a WebSocket", () => {
  test("connects on first use through one port", async () => {
    const upstream = new RecordingTransport(webSocket(server.url));
    await using renderer = new Renderer(() => upstream);
    expect(await renderer.call("state")).toBe("idle");
    expect(renderer.bridges).toHaveLength(0);
    const text = "é€😀".repeat(10_000);
    const { stdout, exitCode } = await renderer.call("run", "printf", "%s", text);
    expect(exitCode).toBe(0);
    expect(stdout === text).toBe(true);
    expect(await failureOf(renderer.call("run", "false"))).toMatchObject({ code: "ERR_PROCESS_EXIT" });
    expect([renderer.bridges.length, upstream.dials, upstream.open]).toEqual([1, 1, 1]);
    await renderer.call("close");
    expect(await renderer.bridges[0]?.ended).toMatchObject({ side: "client" });
    expect(upstream.open).toBe(0);
  });

  test("is disconnected with the server, and its next use opens one new port and session", async () => {
    await using own = await ExecServer.start();
    const upstream = new RecordingTransport(webSocket(own.url));
    await using renderer = new Renderer(() => upstream);
    const lost = await renderer.call("stream", ...LONG_RUNNING);
    const reading = failureOf(renderer.call("readRest"));
    await own.kill();
    expect(await reading).toMatchObject({ code: "ERR_DISCONNECTED", sessionId: lost, closeCode: 1006 });
    expect(await renderer.bridges[0]?.ended).toMatchObject({ side: "server", closeCode: 1006 });
    expect(await renderer.call("state")).toBe("disconnected");

    const refused = await failureOf(renderer.call("session"));
    expect(refused).toMatchObject({ name: "ConnectError", code: "ERR_CONNECT" });
    expect((refused as Error).message).toMatch(`Could not connect to ${own.url}/: ECONNREFUSED (`);
    expect(await renderer.bridges[1]?.ended).toMatchObject({
      side: "client",
      error: { code: "ERR_CONNECT" },
    });

    await own.restart();
    expect(renderer.bridges).toHaveLength(2);
    const { clients, sessionId } = await renderer.call("getConcurrently", 100);
    expect(clients).toBe(1);
    expect(sessionId).not.toBe(lost);
    expect([renderer.bridges.length, upstream.open]).toEqual([3, 1]);
    expect((await renderer.call("run", "echo", "again")).stdout).toBe("again\n");
  });

  test("leaves no connection if its thread ends without closing the port", async () => {
    const upstream = new RecordingTransport(webSocket(server.url));
    const renderer = new Renderer(() => upstream);
    await renderer.call("stream", ...LONG_RUNNING);
    const running = await renderer.nextBridge();
    await renderer.terminate();
    expect(await running.ended).toMatchObject({ side: "client" });
    expect(upstream.open).toBe(0);
  });

  test("is disconnected after livenessMs if it is blocked, and reconnects afterwards", async () => {
    const upstream = new RecordingTransport(webSocket(server.url));
    await using renderer = new Renderer(() => upstream, { livenessMs: 2_000 });
    const first = await renderer.call("session");
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const unblocked = renderer.call("block", flag);
    expect(await renderer.bridges[0]?.ended).toMatchObject({
      side: "client",
      reason: "the other side of the message port was silent for 2000 ms",
    });
    expect(upstream.open).toBe(0);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
    await unblocked;
    await expect.poll(() => renderer.call("state")).toBe("disconnected");
    expect(await renderer.call("session")).not.toBe(first);
  });

  test("does not reconnect if it has one port only", async () => {
    await using renderer = new Renderer(() => webSocket(server.url), { onePortOnly: true });
    const running = await renderer.nextBridge();
    const sessionId = await renderer.call("session");
    await running.close();
    await expect.poll(() => renderer.call("state")).toBe("disconnected");
    expect(await renderer.call("session")).toBe(sessionId);
    expect(await failureOf(renderer.call("run", "true"))).toMatchObject({
      code: "ERR_DISCONNECTED",
      message: expect.stringContaining("the bridge was closed"),
    });
    expect(renderer.bridges).toHaveLength(1);
  });
});

describe("a renderer with ports bridged to a child process", () => {
  test.each([
    ["when its client closes", (renderer: Renderer) => renderer.call("close")],
    ["when its thread ends without closing the port", (renderer: Renderer) => renderer.terminate()],
    ["when its bridge closes", async (renderer: Renderer) => renderer.bridges[0]?.close()],
  ])("leaves no child %s", async (_, end) => {
    using children = new Children();
    const renderer = new Renderer(realStdio);
    await renderer.call("stream", ...LONG_RUNNING);
    expect(children.started).toHaveLength(1);
    await end(renderer);
    await children.gone();
    await renderer[Symbol.asyncDispose]();
    expect(children.started).toHaveLength(1);
  });

  test("starts a new child on its next use after the child has died", async () => {
    using children = new Children();
    await using renderer = new Renderer(realStdio);
    const lost = await renderer.call("stream", ...LONG_RUNNING);
    const reading = failureOf(renderer.call("readRest"));
    children.latest.kill("SIGKILL");
    expect(await reading).toMatchObject({
      code: "ERR_DISCONNECTED",
      sessionId: lost,
      message: expect.stringContaining("SIGKILL"),
    });
    expect(children.started).toHaveLength(1);
    expect((await renderer.call("getConcurrently", 50)).sessionId).not.toBe(lost);
    expect(children.started).toHaveLength(2);
    await renderer.call("close");
    await children.gone();
  });

  test("gets an error without arguments and environment if the program is missing", async () => {
    await using renderer = new Renderer(() =>
      stdio({ command: "/no/such/program", args: ["--token", "s3cret"], env: { TOKEN: "s3cret" } }),
    );
    const error = await failureOf(renderer.call("session"));
    expect(error).toMatchObject({ code: "ERR_CONNECT", message: expect.stringContaining("ENOENT") });
    expect(JSON.stringify(error)).not.toContain("s3cret");
    const end = await renderer.bridges[0]?.ended;
    expect(end).toMatchObject({ side: "client", error: { code: "ERR_CONNECT" } });
    expect(JSON.stringify(end)).not.toContain("s3cret");
  });
});
