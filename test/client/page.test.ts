import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LazyExecServerClient, webSocket } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { AsyncQueue } from "../support/async-queue.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { stubPage } from "../support/page.ts";
import { SocketServer } from "../support/scripted-server.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a page that is left for the back/forward cache", () => {
  it("ends its connection in that turn; its pending calls reject with the reason", async () => {
    const page = stubPage();
    await using server = await SocketServer.start();
    await using client = new LazyExecServerClient({ transport: webSocket(server.url) });
    await client.get();
    const call = failureOf(client.status());
    page.leave(true);
    expect(client.state).toBe("disconnected");
    expect(await call).toMatchObject({ code: "ERR_DISCONNECTED", reason: expect.stringContaining("left") });
    expect(client.timeline.at(-1)).toMatchObject({ state: "disconnected", closedBy: "client" });
  });

  it("closes the session on the server, and makes one new one for the next calls", async () => {
    const page = stubPage();
    await using server = await ExecServer.start();
    await using proxy = await disposable(TcpProxy.start(() => Number(new URL(server.url).port)));
    await using client = new LazyExecServerClient({ transport: webSocket(proxy.url) });
    const { sessionId } = await client.get();
    page.leave(true);
    await proxy.untilOpen(0);
    const clients = await Promise.all([client.get(), client.get(), client.get()]);
    expect(new Set(clients).size).toBe(1);
    expect(clients[0]?.sessionId).not.toBe(sessionId);
    expect(proxy.dials).toBe(2);
  });

  it("rejects a dial at once, and the next call dials again", async () => {
    const page = stubPage();
    const dials = new AsyncQueue<(isAdmitted: boolean) => void>();
    await using server = await PlainWebSocketServer.start({ verifyClient: (_, admit) => dials.push(admit) });
    const client = new LazyExecServerClient({ transport: webSocket(server.url) });
    const connecting = failureOf(client.get());
    const admitFirst = await dials.next();
    page.leave(true);
    expect(await connecting).toMatchObject({
      code: "ERR_CONNECT",
      phase: "dial",
      message: expect.stringContaining("the page was left"),
    });
    expect(client.state).toBe("idle");
    const again = failureOf(client.get());
    const admitSecond = await dials.next();
    await client.close();
    expect(await again).toMatchObject({ code: "ERR_CLOSED" });
    for (const admit of [admitFirst, admitSecond]) admit(false);
  });

  it("keeps its connection until it is gone when it is not cached", async () => {
    const page = stubPage();
    await using server = await ExecServer.start();
    await using client = new LazyExecServerClient({ transport: webSocket(server.url) });
    const { sessionId } = await client.get();
    page.leave(false);
    expect((await client.get()).sessionId).toBe(sessionId);
  });

  it("has no listener of a connection that has ended, however it ended", async () => {
    const page = stubPage();
    await using server = await SocketServer.start();
    const client = new LazyExecServerClient({ transport: webSocket(server.url) });
    const first = await client.get();
    expect(page.window.listeners).toBeGreaterThan(0);
    (await server.connection()).drop();
    await first.disconnected;
    expect(page.window.listeners).toBe(0);
    await client.get();
    page.leave(true);
    expect(page.window.listeners).toBe(0);
    await client.get();
    await client.close();
    expect(page.window.listeners).toBe(0);
    await failureOf(new LazyExecServerClient({ transport: webSocket("ws://127.0.0.1:1/") }).get());
    expect(page.window.listeners).toBe(0);
  });
});

describe("a page that is prerendered", () => {
  beforeEach(() => void vi.useFakeTimers());

  it("dials once it is visited; the deadline begins then", async () => {
    const page = stubPage({ prerendering: true });
    const server = new TestServer();
    const client = new LazyExecServerClient({ transport: server.transport, connectTimeoutMs: 1_000 });
    const connecting = Promise.all([client.get(), client.status()]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(client.state).toBe("connecting");
    expect(server.dials).toBe(0);
    page.visit();
    await connecting;
    expect(server.dials).toBe(1);
    expect(client.timeline.at(-1)?.dialMs).toBeLessThan(1_000);
    expect(page.document.listeners).toBe(0);
    await client.close();
  });

  it("has its deadline after the visit", async () => {
    const page = stubPage({ prerendering: true });
    const transport = { reconnectable: true, connect: () => new Promise<never>(() => {}) };
    const client = new LazyExecServerClient({ transport, connectTimeoutMs: 1_000 });
    const failure = failureOf(client.get());
    await vi.advanceTimersByTimeAsync(60_000);
    page.visit();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await failure).toMatchObject({ code: "ERR_CONNECT_TIMEOUT" });
    await client.close();
  });

  it("leaves no listener behind when the wait is aborted or the client closed", async () => {
    const page = stubPage({ prerendering: true });
    const server = new TestServer();
    const client = new LazyExecServerClient({ transport: server.transport });
    const controller = new AbortController();
    const aborted = failureOf(client.get({ signal: controller.signal }));
    await vi.advanceTimersByTimeAsync(0);
    expect(page.document.listeners).toBe(1);
    controller.abort("enough");
    expect(await aborted).toBe("enough");
    await vi.advanceTimersByTimeAsync(0);
    expect(page.document.listeners).toBe(0);

    const closed = failureOf(client.get());
    await client.close();
    expect(await closed).toMatchObject({ code: "ERR_CLOSED" });
    expect(page.document.listeners).toBe(0);
    page.visit();
    await vi.advanceTimersByTimeAsync(0);
    expect(server.dials).toBe(0);
  });
});

async function disposable<T extends { close(): Promise<void> }>(opening: Promise<T>) {
  const opened = await opening;
  return Object.assign(opened, { [Symbol.asyncDispose]: () => opened.close() });
}
