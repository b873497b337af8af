import { describe, expect, it } from "vitest";
import { ExecServerClient, LazyExecServerClient, webSocket } from "../../src/index.ts";
import { webSocket as nodeWebSocket, stdio } from "../../src/node.ts";
import { TestServer } from "../../src/testing.ts";
import { listen, serveStdio } from "../../src/testing-node.ts";
import { failureOf } from "../support/failure.ts";

describe.each<[string, (server: TestServer) => Promise<{ lazy: LazyExecServerClient } & AsyncDisposable>]>([
  [
    "in memory",
    async (server) => {
      const lazy = new LazyExecServerClient({ transport: server.transport });
      return { lazy, [Symbol.asyncDispose]: () => lazy.close() };
    },
  ],
  [
    "over a WebSocket",
    async (server) => {
      const listening = await listen(server);
      const lazy = new LazyExecServerClient({ transport: nodeWebSocket(listening.url) });
      return {
        lazy,
        async [Symbol.asyncDispose]() {
          await lazy.close();
          await listening.close();
        },
      };
    },
  ],
])("a dial %s", (name, open) => {
  it("fails with the error of a refused connection, and the next dial succeeds", async () => {
    await using server = new TestServer();
    await using t = await open(server);
    server.refuseNextDial();
    const error = await failureOf(t.lazy.get());
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial", delivery: "not-sent" });
    // Over a real WebSocket the port is open, so the dial is reset instead.
    const code = name === "in memory" ? "ECONNREFUSED" : "ECONNRESET";
    expect((error as Error).message).toContain(code);
    expect((await t.lazy.get()).sessionId).toBe("session-1");
    expect(server.dials).toBe(2);
  });

  it("can be refused with an HTTP status", async () => {
    await using server = new TestServer();
    await using t = await open(server);
    server.refuseNextDial({ status: 503 });
    server.refuseNextDial({ status: 401 });
    expect(await failureOf(t.lazy.get())).toMatchObject({ code: "ERR_CONNECT", phase: "dial", status: 503 });
    expect(await failureOf(t.lazy.get())).toMatchObject({ code: "ERR_CONNECT", phase: "dial", status: 401 });
  });

  it("can be refused with a close code", async () => {
    await using server = new TestServer();
    await using t = await open(server);
    server.refuseNextDial({ closeCode: 4003, reason: "not today" });
    const error = await failureOf(t.lazy.get());
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "initialize", closeCode: 4003 });
    expect((error as Error).message).toContain("not today");
    expect(server.connections).toEqual([]);
  });

  it("is refused until refuseDials() is lifted", async () => {
    await using server = new TestServer();
    await using t = await open(server);
    const acceptDials = server.refuseDials({ status: 502 });
    server.refuseNextDial({ status: 401 });
    for (const status of [401, 502, 502]) {
      expect(await failureOf(t.lazy.get())).toMatchObject({ status });
    }
    acceptDials();
    acceptDials();
    await t.lazy.get();
  });

  it("stays pending while dials are held, and completes when they are released", async () => {
    await using server = new TestServer();
    await using t = await open(server);
    const releaseDials = server.holdDials();
    const connecting = t.lazy.get();
    expect(t.lazy.state).toBe("connecting");
    releaseDials();
    await connecting;
  });
});

describe("a dial in memory", () => {
  it("never reaches the server if it is aborted while dials are held", async () => {
    await using server = new TestServer();
    await using lazy = new LazyExecServerClient({ transport: server.transport });
    const releaseDials = server.holdDials();
    const controller = new AbortController();
    const connecting = failureOf(lazy.get({ signal: controller.signal }));
    while (server.dials < 1) await new Promise(setImmediate);
    controller.abort("aborted");
    expect(await connecting).toBe("aborted");
    releaseDials();
    await lazy.get();
    expect(server.connections).toHaveLength(1);
  });

  it("is refused when the server is closed while dials are held", async () => {
    const server = new TestServer();
    server.holdDials();
    const connecting = failureOf(ExecServerClient.connect({ transport: server.transport }));
    while (server.dials < 1) await new Promise(setImmediate);
    server.close();
    expect(await connecting).toMatchObject({ code: "ERR_CONNECT" });
  });
});

describe("a dial over stdio", () => {
  it("is refused by a child that prints the reason and exits", async () => {
    await using server = new TestServer();
    await using served = await serveStdio(server);
    const lines: string[] = [];
    const transport = stdio({ ...served, stderr: (line) => lines.push(line) });
    server.refuseNextDial({ reason: "fatal: no such option" });
    expect(await failureOf(ExecServerClient.connect({ transport }))).toMatchObject({
      code: "ERR_CONNECT",
      phase: "initialize",
      message: expect.stringContaining("code 1"),
    });
    expect(lines).toEqual(["fatal: no such option"]);
    await (await served.child()).gone;
  });

  it("stays pending while dials are held", async () => {
    await using server = new TestServer();
    await using served = await serveStdio(server);
    const releaseDials = server.holdDials();
    const connecting = ExecServerClient.connect({ transport: stdio(served) });
    await served.child();
    expect(server.connections).toEqual([]);
    releaseDials();
    await using client = await connecting;
    expect(client.sessionId).toBe("session-1");
  });
});

describe("TestConnection.dial", () => {
  it("has the URL, subprotocols and headers of a dial through server.WebSocket", async () => {
    await using server = new TestServer();
    const transport = webSocket(async () => ({ url: "wss://exec.example/?token=t", protocols: ["a", "b"] }), {
      WebSocket: server.WebSocket,
      headers: { Authorization: "Bearer t" },
    });
    await using client = await ExecServerClient.connect({ transport });
    expect(client.isDisconnected).toBe(false);
    expect((await server.connection()).dial).toEqual({
      url: "wss://exec.example/?token=t",
      protocols: ["a", "b"],
      headers: { authorization: "Bearer t" },
    });
  });

  it("has the URL, subprotocols and headers of a dial over a real WebSocket", async () => {
    await using server = new TestServer();
    await using listening = await listen(server);
    const transport = nodeWebSocket(`${listening.url}/path?token=t`, {
      protocols: ["a", "b"],
      headers: { Authorization: "Bearer t" },
    });
    await using client = await ExecServerClient.connect({ transport });
    expect(client.isDisconnected).toBe(false);
    expect((await server.connection()).dial).toEqual({
      url: `${listening.url}/path?token=t`,
      protocols: ["a", "b"],
      headers: expect.objectContaining({ authorization: "Bearer t" }),
    });
  });
});
