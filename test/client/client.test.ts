import { describe, expect, it, vi } from "vitest";
import { ExecServerClient, ServerError, webSocket } from "../../src/index.ts";
import { silence } from "../../src/testing.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { connectedTo, QuietServer, SocketServer } from "../support/scripted-server.ts";

describe("the handshake", () => {
  it("sends initialize as request 1 in the server's dialect and then initialized with {}", async () => {
    await using server = await SocketServer.start();
    await using _client = await ExecServerClient.connect({
      transport: webSocket(server.url),
      clientName: "me",
    });
    const connection = await server.connection();
    await connection.request("initialized");
    expect(connection.received).toEqual([
      { id: 1, method: "initialize", params: { clientName: "me", resumeSessionId: null } },
      { method: "initialized", params: {} },
    ]);
  });

  it("times out when the server never answers it, and closes the socket", async () => {
    await using server = await SocketServer.start();
    server.hold("initialize");
    const connecting = failureOf(
      ExecServerClient.connect({ transport: webSocket(server.url), initializeTimeoutMs: 50 }),
    );
    const connection = await server.connection();
    const closed = connection.ended;
    expect(await connecting).toMatchObject({ code: "ERR_INITIALIZE_TIMEOUT", delivery: "not-sent" });
    await closed;
  });

  it("waits exactly as long as it says", async () => {
    vi.useFakeTimers();
    try {
      const connecting = failureOf(
        ExecServerClient.connect({
          transport: { reconnectable: true, connect: () => new Promise(() => {}) },
          connectTimeoutMs: 1_234,
        }),
      );
      let settled = false;
      void connecting.then(() => {
        settled = true;
      });
      await vi.advanceTimersByTimeAsync(1_233);
      expect(settled).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect(await connecting).toMatchObject({ code: "ERR_CONNECT_TIMEOUT" });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("fails with the server's error when the server refuses it", async () => {
    await using server = new QuietServer();
    server.handle("initialize", () => {
      throw new ServerError("not today", { rpcCode: -32600 });
    });
    expect(await failureOf(ExecServerClient.connect({ transport: server.transport }))).toMatchObject({
      code: "ERR_SERVER",
      rpcCode: -32600,
    });
  });

  it.each([
    ["no session id", {}],
    ["a session id that is no string", { sessionId: 7 }],
    ["null", null],
  ])("fails with a ProtocolError when the result has %s", async (_, result) => {
    await using server = new QuietServer();
    server.handle("initialize", () => result as never);
    expect(await failureOf(ExecServerClient.connect({ transport: server.transport }))).toMatchObject({
      code: "ERR_PROTOCOL",
    });
  });

  it("accepts an answer in a binary frame and a jsonrpc member", async () => {
    await using server = await SocketServer.start();
    server.handle("initialize", ({ id }, connection) => {
      connection.send(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, result: { sessionId: "b" } })));
      return silence;
    });
    await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
    expect(client.sessionId).toBe("b");
  });

  it("fails with a ProtocolError when the answer is no JSON", async () => {
    await using server = new QuietServer();
    server.handle("initialize", (_, connection) => {
      connection.send("hello?");
      return silence;
    });
    expect(await failureOf(ExecServerClient.connect({ transport: server.transport }))).toMatchObject({
      code: "ERR_PROTOCOL",
    });
  });

  it("ends with the reason of its signal, and releases the connection", async () => {
    await using server = await SocketServer.start();
    server.hold("initialize");
    const controller = new AbortController();
    const connecting = failureOf(
      ExecServerClient.connect({ transport: webSocket(server.url), signal: controller.signal }),
    );
    const connection = await server.connection();
    await connection.request("initialize");
    const closed = connection.ended;
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await connecting).toBe(reason);
    await closed;
  });
});

describe("info() and status()", () => {
  it("tell about the real server, with native paths and unknown members kept", async () => {
    await using server = await ExecServer.start();
    await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
    expect(await client.status()).toEqual({ status: "ready" });
    const info = await client.info();
    expect(info).toMatchObject({
      executorVersion: "0.169.0",
      cwd: process.cwd(),
      platformOs: process.platform === "darwin" ? "macos" : process.platform,
    });
    expect(info.tempDir).toMatch(/^\//);
    expect(info.capabilities).toMatchObject({ fileWriteStreaming: true });
  });

  it("tolerate an old server's missing members and a new server's unknown ones", async () => {
    const server = new QuietServer();
    server.handle("environment/info", () => ({ cwd: null, tomorrow: { is: "another day" } }));
    await using it = await connectedTo(server);
    expect(await it.client.info()).toEqual({ cwd: null, tomorrow: { is: "another day" } });
  });

  it("time out and abort without harming the connection; the late answer is ignored", async () => {
    await using server = await SocketServer.start();
    await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
    const connection = await server.connection();
    expect(await failureOf(client.status({ timeoutMs: 20 }))).toMatchObject({
      code: "ERR_TIMEOUT",
      delivery: "unknown",
    });
    const controller = new AbortController();
    const aborted = failureOf(client.status({ signal: controller.signal }));
    const late = await connection.request("environment/status", 2);
    controller.abort("no");
    expect(await aborted).toBe("no");
    connection.answer(await connection.request("environment/status", 1), { status: "late" });
    connection.answer(late, { status: "late" });
    const answered = client.status();
    connection.answer(await connection.request("environment/status", 3), { status: "ready" });
    expect(await answered).toEqual({ status: "ready" });
  });
});
