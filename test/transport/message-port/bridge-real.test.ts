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

/** Says one thing, and goes on for ever. */
const TICKS = ["sh", "-c", "echo tick; exec sleep 1000"];

function spawned(): Transport {
  return stdio({
    command: codexBinary(),
    args: ["exec-server", "--listen", "stdio"],
    env: { CODEX_HOME: makeCodexHome() },
  });
}

describe("a renderer, its ports bridged to a WebSocket", () => {
  test("connects with its first use, through one port, and works", async () => {
    const upstream = new RecordingTransport(webSocket(server.url));
    await using renderer = new Renderer(() => upstream);
    expect(await renderer.do("state")).toBe("idle");
    expect(renderer.bridges).toHaveLength(0);
    const text = "é€😀".repeat(10_000);
    const { stdout, exitCode } = await renderer.do("run", "printf", "%s", text);
    expect(exitCode).toBe(0);
    expect(stdout === text).toBe(true);
    expect(await failureOf(renderer.do("run", "false"))).toMatchObject({ code: "ERR_PROCESS_EXIT" });
    expect([renderer.bridges.length, upstream.dials, upstream.open]).toEqual([1, 1, 1]);
    await renderer.do("close");
    expect(await renderer.bridges[0]?.ended).toMatchObject({ side: "client" });
    expect(upstream.open).toBe(0);
  });

  test("that loses the server is told so, and its next use makes one new port and one new session", async () => {
    await using own = await ExecServer.start();
    const upstream = new RecordingTransport(webSocket(own.url));
    await using renderer = new Renderer(() => upstream);
    const lost = await renderer.do("stream", ...TICKS);
    const rest = failureOf(renderer.do("rest"));
    await own.kill();
    expect(await rest).toMatchObject({ code: "ERR_DISCONNECTED", sessionId: lost, closeCode: 1006 });
    expect(await renderer.bridges[0]?.ended).toMatchObject({ side: "server", closeCode: 1006 });
    expect(await renderer.do("state")).toBe("disconnected");

    const refused = await failureOf(renderer.do("session"));
    expect(refused).toMatchObject({ name: "ConnectError", code: "ERR_CONNECT" });
    expect((refused as Error).message).toBe(`Could not connect to ${own.url}/: ECONNREFUSED`);
    expect(await renderer.bridges[1]?.ended).toMatchObject({
      side: "client",
      error: { code: "ERR_CONNECT" },
    });

    await own.restart();
    expect(renderer.bridges).toHaveLength(2);
    const { clients, sessionId } = await renderer.do("crowd", 100);
    expect(clients).toBe(1);
    expect(sessionId).not.toBe(lost);
    expect([renderer.bridges.length, upstream.open]).toEqual([3, 1]);
    expect((await renderer.do("run", "echo", "again")).stdout).toBe("again\n");
  });

  test("that is gone without a goodbye leaves no connection", async () => {
    const upstream = new RecordingTransport(webSocket(server.url));
    const renderer = new Renderer(() => upstream);
    await renderer.do("stream", ...TICKS);
    const it = await renderer.nextBridge();
    await renderer.terminate();
    expect(await it.ended).toMatchObject({ side: "client" });
    expect(upstream.open).toBe(0);
  });

  test("that stands still counts as gone after the stated time, and connects anew once it moves", async () => {
    const upstream = new RecordingTransport(webSocket(server.url));
    await using renderer = new Renderer(() => upstream, { livenessMs: 2_000 });
    const first = await renderer.do("session");
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const thawed = renderer.do("freeze", flag);
    expect(await renderer.bridges[0]?.ended).toMatchObject({
      side: "client",
      reason: "the other side of the message port was silent for 2000 ms",
    });
    expect(upstream.open).toBe(0);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
    await thawed;
    await expect.poll(() => renderer.do("state")).toBe("disconnected");
    expect(await renderer.do("session")).not.toBe(first);
  });

  test("with one port only has one connection, and fails for good when it has ended", async () => {
    await using renderer = new Renderer(() => webSocket(server.url), { onePortOnly: true });
    const it = await renderer.nextBridge();
    const sessionId = await renderer.do("session");
    await it.close();
    await expect.poll(() => renderer.do("state")).toBe("disconnected");
    expect(await renderer.do("session")).toBe(sessionId);
    expect(await failureOf(renderer.do("run", "true"))).toMatchObject({
      code: "ERR_DISCONNECTED",
      message: expect.stringContaining("the bridge was closed"),
    });
    expect(renderer.bridges).toHaveLength(1);
  });
});

describe("a renderer, its ports bridged to a child process", () => {
  test.each([
    ["closes its client", (renderer: Renderer) => renderer.do("close")],
    ["is gone without a goodbye", (renderer: Renderer) => renderer.terminate()],
    ["has its bridge closed", async (renderer: Renderer) => renderer.bridges[0]?.close()],
  ])("that %s leaves no child", async (_, end) => {
    using children = new Children();
    const renderer = new Renderer(spawned);
    await renderer.do("stream", ...TICKS);
    expect(children.started).toHaveLength(1);
    await end(renderer);
    await children.gone();
    await renderer[Symbol.asyncDispose]();
    expect(children.started).toHaveLength(1);
  });

  test("that loses the child has a new one started with its next use", async () => {
    using children = new Children();
    await using renderer = new Renderer(spawned);
    const lost = await renderer.do("stream", ...TICKS);
    const rest = failureOf(renderer.do("rest"));
    children.latest.kill("SIGKILL");
    expect(await rest).toMatchObject({
      code: "ERR_DISCONNECTED",
      sessionId: lost,
      message: expect.stringContaining("SIGKILL"),
    });
    expect(children.started).toHaveLength(1);
    expect((await renderer.do("crowd", 50)).sessionId).not.toBe(lost);
    expect(children.started).toHaveLength(2);
    await renderer.do("close");
    await children.gone();
  });

  test("whose program is missing is told so, without arguments or environment", async () => {
    await using renderer = new Renderer(() =>
      stdio({ command: "/no/such/program", args: ["--token", "s3cret"], env: { TOKEN: "s3cret" } }),
    );
    const error = await failureOf(renderer.do("session"));
    expect(error).toMatchObject({ code: "ERR_CONNECT", message: expect.stringContaining("ENOENT") });
    expect(JSON.stringify(error)).not.toContain("s3cret");
    const end = await renderer.bridges[0]?.ended;
    expect(end).toMatchObject({ side: "client", error: { code: "ERR_CONNECT" } });
    expect(JSON.stringify(end)).not.toContain("s3cret");
  });
});
