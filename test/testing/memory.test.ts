import { describe, expect, it, vi } from "vitest";
import { ExecServerClient, LazyExecServerClient } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import type { ExtendedWebSocket } from "../../src/transport/websocket/socket.ts";
import { failureOf } from "../support/failure.ts";

describe("a test server in memory", () => {
  it("works with fake timers, and sets none", async () => {
    vi.useFakeTimers();
    try {
      await using server = new TestServer({ files: { "/a": "text" } });
      server.onCommand(["date"], { stdout: "today" });
      server.onFetch(() => new Response("ok"));
      const lazy = new LazyExecServerClient({ transport: server.transport });
      expect((await lazy.run(["date"])).stdout).toBe("today");
      expect(await lazy.fs.readFile("/a", "utf8")).toBe("text");
      expect(await (await lazy.fetch("http://x.test")).text()).toBe("ok");
      (await server.connection()).drop();
      expect((await (await lazy.get()).disconnected).message).toBeTruthy();
      expect(await lazy.status()).toEqual({ status: "ready" });
      await lazy.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("works where fake timers replace queueMicrotask(), as those of Jest do", async () => {
    vi.useFakeTimers({ toFake: ["queueMicrotask", "setImmediate", "setTimeout", "setInterval", "Date"] });
    try {
      await using server = new TestServer({ files: { "/a": "text" } });
      server.onCommand(["date"], { stdout: "today" });
      const lazy = new LazyExecServerClient({ transport: server.transport });
      expect((await lazy.run(["date"])).stdout).toBe("today");
      expect(await lazy.fs.lstat("/a")).toMatchObject({ size: 4 });
      await lazy.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it("gives a new session after a disconnect, unless it is one-shot", async () => {
    for (const reconnectable of [true, false]) {
      await using server = new TestServer({ reconnectable });
      await using lazy = new LazyExecServerClient({ transport: server.transport });
      const first = await lazy.get();
      (await server.connection()).drop();
      await first.disconnected;
      if (reconnectable) expect((await lazy.get()).sessionId).toBe("session-2");
      else expect(await lazy.get()).toBe(first);
      expect(server.dials).toBe(reconnectable ? 2 : 1);
    }
  });

  it("rejects pending waits and ends every connection when it is closed", async () => {
    const server = new TestServer();
    await using lazy = new LazyExecServerClient({ transport: server.transport });
    const client = await lazy.get();
    const waiting = [server.connection(2), server.process()].map(failureOf);
    server.close();
    expect(await client.disconnected).toMatchObject({ code: "ERR_DISCONNECTED" });
    expect(await failureOf(lazy.get())).toMatchObject({ code: "ERR_CONNECT" });
    for (const error of await Promise.all(waiting)) {
      expect(error).toMatchObject({ message: "The test server was closed" });
    }
  });

  it("reports the end of a client that was closed while frozen", async () => {
    await using server = new TestServer();
    const client = await ExecServerClient.connect({ transport: server.transport });
    const connection = await server.connection();
    const thaw = connection.freeze();
    await client.close();
    thaw();
    expect(await connection.ended).toMatchObject({ closeCode: expect.any(Number) });
  });

  it("loses frames in flight on reset(), and none on drop()", async () => {
    for (const [end, expected] of [
      ["drop", ["frame", "end"]],
      ["reset", ["end"]],
    ] as const) {
      await using server = new TestServer();
      const connection = await server.transport.connect({ signal: new AbortController().signal });
      const log: string[] = [];
      const ended = new Promise<void>((resolve) => {
        connection.start({
          onFrame: () => log.push("frame"),
          onEnd() {
            log.push("end");
            resolve();
          },
        });
      });
      const peer = await server.connection();
      peer.notify("a", {});
      peer[end]();
      await ended;
      expect(log).toEqual(expected);
    }
  });

  it("reports an error and a close in either order", async () => {
    for (const [fault, expected] of [
      ["failThenClose", ["error", "close 1006"]],
      ["closeThenFail", ["close 1000", "error"]],
    ] as const) {
      await using server = new TestServer();
      const socket = new server.WebSocket("ws://any.test/");
      const log: string[] = [];
      const both = new Promise<void>((resolve) => {
        const add = (entry: string): void => {
          if (log.push(entry) === 2) resolve();
        };
        socket.addEventListener("error", () => add("error"));
        socket.addEventListener("close", (event) => add(`close ${(event as { code: number }).code}`));
      });
      (await server.connection())[fault]();
      await both;
      expect(log).toEqual(expected);
    }
  });

  it("reports a terminated socket with close code 1006", async () => {
    await using server = new TestServer();
    const socket = new server.WebSocket("ws://any.test/");
    const connection = await server.connection();
    (socket as ExtendedWebSocket).terminate?.();
    expect(await connection.ended).toEqual({ closeCode: 1006 });
  });

  it("gives the client backpressure until the server has read everything", async () => {
    await using server = new TestServer();
    const connection = await server.transport.connect({ signal: new AbortController().signal });
    const resumeReading = (await server.connection()).stopReading();
    connection.send('{"method":"ä"}');
    expect(connection.flow?.queuedBytes).toBe(15);
    const drained = connection.flow?.drained();
    resumeReading();
    await drained;
    expect(connection.flow?.queuedBytes).toBe(0);
    await connection.close();
  });

  it("never delivers a frame synchronously", async () => {
    await using server = new TestServer();
    const connection = await server.transport.connect({ signal: new AbortController().signal });
    const log: string[] = [];
    connection.start({ onFrame: () => log.push("delivered"), onEnd: () => log.push("ended") });
    const peer = await server.connection();
    peer.notify("a", {});
    peer.close();
    log.push("sent");
    await connection.close();
    expect(log).toEqual(["sent", "delivered", "ended"]);
  });
});
