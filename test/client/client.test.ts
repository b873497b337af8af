import { describe, expect, it, vi } from "vitest";
import { ExecServerClient, ServerError, webSocket } from "../../src/index.ts";
import { silence } from "../../src/testing.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { connectedTo, QuietServer, SocketServer } from "../support/scripted-server.ts";

describe("the handshake", () => {
  it("sends initialize as request 1 without a jsonrpc member, then initialized with {}", async () => {
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

  it("times out if the server never answers, and closes the socket", async () => {
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

  it("times out after exactly connectTimeoutMs, and clears its timer", async () => {
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

  it("rejects with the server's error if the server refuses it", async () => {
    await using server = new QuietServer();
    server.handle("initialize", () => {
      throw new ServerError("refused", { rpcCode: -32600 });
    });
    expect(await failureOf(ExecServerClient.connect({ transport: server.transport }))).toMatchObject({
      code: "ERR_SERVER",
      rpcCode: -32600,
    });
  });

  it.each([
    ["an object without a session id", {}],
    ["an object whose session id is a number", { sessionId: 7 }],
    ["null", null],
  ])("rejects with a ProtocolError if the result is %s", async (_, result) => {
    await using server = new QuietServer();
    server.handle("initialize", () => result as never);
    expect(await failureOf(ExecServerClient.connect({ transport: server.transport }))).toMatchObject({
      code: "ERR_PROTOCOL",
    });
  });

  it("accepts a response in a binary frame with a jsonrpc member", async () => {
    await using server = await SocketServer.start();
    server.handle("initialize", ({ id }, connection) => {
      connection.send(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, result: { sessionId: "b" } })));
      return silence;
    });
    await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
    expect(client.sessionId).toBe("b");
  });

  it("rejects with a ProtocolError if the response is not JSON", async () => {
    await using server = new QuietServer();
    server.handle("initialize", (_, connection) => {
      connection.send("not JSON");
      return silence;
    });
    expect(await failureOf(ExecServerClient.connect({ transport: server.transport }))).toMatchObject({
      code: "ERR_PROTOCOL",
    });
  });

  it("rejects with the reason of its signal, and closes the connection", async () => {
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
  it("describe the real server, with native paths and unknown members", async () => {
    await using server = await ExecServer.start();
    await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
    expect(await client.status()).toEqual({ status: "ready" });
    const info = await client.info();
    expect(info).toMatchObject({
      executorVersion: "0.171.0",
      cwd: process.cwd(),
      platformOs: process.platform === "darwin" ? "macos" : process.platform,
    });
    expect(info.tempDir).toMatch(/^\//);
    expect(info.capabilities).toMatchObject({ fileWriteStreaming: true });
  });

  it("accept missing members of an old server and unknown members of a new one", async () => {
    const server = new QuietServer();
    server.handle("environment/info", () => ({ cwd: null, newMember: { a: 1 } }));
    await using t = await connectedTo(server);
    expect(await t.client.info()).toEqual({ cwd: null, newMember: { a: 1 } });
  });

  it("time out and abort without ending the connection, and ignore the late response", async () => {
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
    controller.abort("enough");
    expect(await aborted).toBe("enough");
    connection.answer(await connection.request("environment/status", 1), { status: "late" });
    connection.answer(late, { status: "late" });
    const answered = client.status();
    connection.answer(await connection.request("environment/status", 3), { status: "ready" });
    expect(await answered).toEqual({ status: "ready" });
  });
});
