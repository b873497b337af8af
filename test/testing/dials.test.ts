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
  it("that is refused fails as on a port where nobody listens, and the next one is welcome", async () => {
    await using server = new TestServer();
    await using it = await open(server);
    server.refuseNextDial();
    const error = await failureOf(it.lazy.get());
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial", delivery: "not-sent" });
    // Over a real socket the port is open, so the dial is reset.
    const code = name === "in memory" ? "ECONNREFUSED" : "ECONNRESET";
    expect((error as Error).message).toContain(code);
    expect((await it.lazy.get()).sessionId).toBe("session-1");
    expect(server.dials).toBe(2);
  });

  it("may be refused with an HTTP status", async () => {
    await using server = new TestServer();
    await using it = await open(server);
    server.refuseNextDial({ status: 503 });
    server.refuseNextDial({ status: 401 });
    expect(await failureOf(it.lazy.get())).toMatchObject({ code: "ERR_CONNECT", phase: "dial", status: 503 });
    expect(await failureOf(it.lazy.get())).toMatchObject({ code: "ERR_CONNECT", phase: "dial", status: 401 });
  });

  it("may be refused with a close code", async () => {
    await using server = new TestServer();
    await using it = await open(server);
    server.refuseNextDial({ closeCode: 4003, reason: "not today" });
    const error = await failureOf(it.lazy.get());
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "initialize", closeCode: 4003 });
    expect((error as Error).message).toContain("not today");
    expect(server.connections).toEqual([]);
  });

  it("is refused for as long as the server is down", async () => {
    await using server = new TestServer();
    await using it = await open(server);
    const comeBack = server.refuseDials({ status: 502 });
    server.refuseNextDial({ status: 401 });
    for (const status of [401, 502, 502]) {
      expect(await failureOf(it.lazy.get())).toMatchObject({ status });
    }
    comeBack();
    comeBack();
    await it.lazy.get();
  });

  it("waits while dials are held, and goes on when they are not", async () => {
    await using server = new TestServer();
    await using it = await open(server);
    const letGo = server.holdDials();
    const connecting = it.lazy.get();
    expect(it.lazy.state).toBe("connecting");
    letGo();
    await connecting;
  });
});

describe("a dial", () => {
  it("that is given up while it waits, in memory, reaches nobody", async () => {
    await using server = new TestServer();
    await using lazy = new LazyExecServerClient({ transport: server.transport });
    const letGo = server.holdDials();
    const controller = new AbortController();
    const connecting = failureOf(lazy.get({ signal: controller.signal }));
    while (server.dials < 1) await new Promise(setImmediate);
    controller.abort("enough");
    expect(await connecting).toBe("enough");
    letGo();
    await lazy.get();
    expect(server.connections).toHaveLength(1);
  });
});

describe("a dial over stdio", () => {
  it("that is refused is a child that says why and ends", async () => {
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

  it("waits while dials are held", async () => {
    await using server = new TestServer();
    await using served = await serveStdio(server);
    const letGo = server.holdDials();
    const connecting = ExecServerClient.connect({ transport: stdio(served) });
    await served.child();
    expect(server.connections).toEqual([]);
    letGo();
    await using client = await connecting;
    expect(client.sessionId).toBe("session-1");
  });
});

describe("what a dial told", () => {
  it("is there when an app makes its own way to the server, in memory", async () => {
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

  it("is there over a real WebSocket", async () => {
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
