import { describe, expect, it } from "vitest";
import { LazyExecServerClient } from "../../src/index.ts";
import { deferred } from "../../src/internal/deferred.ts";
import type { Connection, Transport } from "../../src/transport/transport.ts";
import { webSocket } from "../../src/transport/websocket/isomorphic.ts";
import { failureOf } from "../support/failure.ts";
import { dropsHandshake, QuietServer, ready, SocketServer } from "../support/scripted-server.ts";

/** A transport that counts its dials. */
function countingDials(transport: Transport): Transport & { dials: number } {
  return {
    dials: 0,
    reconnectable: transport.reconnectable,
    connect(context) {
      this.dials++;
      return transport.connect(context);
    },
  };
}

/** A lazy client of this server, and its transport. */
async function setUp(server: SocketServer) {
  const transport = countingDials(webSocket(server.url));
  const lazy = new LazyExecServerClient({ transport });
  return { transport, lazy, [Symbol.asyncDispose]: () => lazy.close() };
}

/** A lazy client whose connections the test can mark as closed, with a callback for each frame that it sends. */
function setUpInMemory(onSend?: (frame: string) => void) {
  const server = new QuietServer();
  const opened: (Connection & { isOpen: boolean })[] = [];
  const lazy = new LazyExecServerClient({
    transport: {
      reconnectable: true,
      async connect(context) {
        const connection = await server.transport.connect(context);
        const observed = {
          isOpen: true,
          start: connection.start.bind(connection),
          send(frame: string) {
            connection.send(frame);
            onSend?.(frame);
          },
          close: connection.close.bind(connection),
        };
        opened.push(observed);
        return observed;
      },
    },
  });
  return {
    server,
    opened,
    lazy,
    setOpen(connection: number, isOpen: boolean) {
      (opened[connection - 1] as { isOpen: boolean }).isOpen = isOpen;
    },
    async [Symbol.asyncDispose]() {
      await lazy.close();
      server.close();
    },
  };
}

describe("every operation", () => {
  const operations: readonly (readonly [string, (lazy: LazyExecServerClient) => Promise<unknown>])[] = [
    ["process/start", (lazy) => lazy.start(["program"], { cwd: "/" })],
    ["process/start", (lazy) => lazy.run(["program"], { cwd: "/" })],
    ["fs/readFile", (lazy) => lazy.call("fs/readFile", { path: "file:///a", sandbox: null })],
    ["fs/remove", (lazy) => lazy.fs.rm("/a", { recursive: true })],
    ["http/request", (lazy) => lazy.fetch("http://origin.test/")],
    ["environment/info", (lazy) => lazy.info()],
    ["environment/status", (lazy) => lazy.status()],
  ];

  it("sends its request in the turn of the call while connected", async () => {
    const sent: string[] = [];
    await using t = setUpInMemory((frame) => sent.push(JSON.parse(frame).method));
    await t.lazy.get();
    const outcome = failureOf(t.lazy.status());
    expect(sent.at(-1)).toBe("environment/status");
    await t.lazy.close();
    await outcome;
  });

  it("abandons the attempt when its signal aborts", async () => {
    await using server = await SocketServer.start();
    server.hold("initialize");
    await using t = await setUp(server);
    const controller = new AbortController();
    const outcome = failureOf(t.lazy.status({ signal: controller.signal }));
    await (await server.connection()).request("initialize");
    controller.abort("enough");
    expect(await outcome).toBe("enough");
    expect(t.lazy.state).toBe("idle");
  });

  it("rejects after close() with the error of get(), also on a one-shot transport", async () => {
    const server = new QuietServer({ reconnectable: false });
    const lazy = new LazyExecServerClient({ transport: server.transport });
    await lazy.get();
    await lazy.close();
    const error = await failureOf(lazy.get());
    expect(await failureOf(lazy.status())).toBe(error);
    server.close();
  });

  it.each(operations)("connects, and sends its request: %s", async (method, operation) => {
    await using t = setUpInMemory();
    const outcome = failureOf(operation(t.lazy));
    await (await t.server.connection()).request(method);
    await t.lazy.close();
    expect(await outcome).toMatchObject({ code: "ERR_CLOSED", delivery: "unknown" });
  });
});

describe("get()", () => {
  it("dials nothing before the first use", async () => {
    const transport = countingDials(webSocket("ws://127.0.0.1:1"));
    const lazy = new LazyExecServerClient({ transport });
    expect(lazy.state).toBe("idle");
    await lazy.close();
    expect(transport.dials).toBe(0);
  });

  it("makes one connection and one session for 100 concurrent callers, and resolves with the same client", async () => {
    await using server = await SocketServer.start();
    await using t = await setUp(server);
    const clients = await Promise.all(Array.from({ length: 100 }, () => t.lazy.get()));
    expect(new Set(clients).size).toBe(1);
    expect(server.connections).toHaveLength(1);
    await server.connections[0]?.request("initialized");
    expect(server.connections[0]?.received.map(({ method }) => method)).toEqual([
      "initialize",
      "initialized",
    ]);
  });

  it("resolves later calls and operations with the connected client", async () => {
    await using server = ready(await SocketServer.start());
    await using t = await setUp(server);
    const first = await t.lazy.get();
    await t.lazy.status();
    await t.lazy.status();
    expect(await t.lazy.get()).toBe(first);
    expect(t.transport.dials).toBe(1);
  });

  it("replaces a disconnected client once, with a new session, for all concurrent callers", async () => {
    await using server = await SocketServer.start();
    await using t = await setUp(server);
    const old = await t.lazy.get();
    (await server.connection(1)).drop();
    await old.disconnected;
    const [one, two] = await Promise.all([t.lazy.get(), t.lazy.get()]);
    expect(one).toBe(two);
    expect(one).not.toBe(old);
    expect(one.sessionId).toBe("session-2");
    expect((await (await server.connection(2)).request("initialize")).params).toMatchObject({
      resumeSessionId: null,
    });
    expect(old.isDisconnected).toBe(true);
    expect(await t.lazy.get()).toBe(one);
  });

  it("reconnects any number of times, each time with a new session", async () => {
    await using server = await SocketServer.start();
    await using t = await setUp(server);
    for (let n = 1; n <= 5; n++) {
      const client = await t.lazy.get();
      expect(client.sessionId).toBe(`session-${n}`);
      (await server.connection(n)).drop();
      await client.disconnected;
    }
    for (const connection of server.connections) {
      expect(connection.received[0]).toMatchObject({ id: 1, params: { resumeSessionId: null } });
    }
  });

  it("does not reconnect before the next call", async () => {
    await using server = await SocketServer.start();
    await using t = await setUp(server);
    const client = await t.lazy.get();
    (await server.connection(1)).drop();
    await client.disconnected;
    // A background reconnect would dial in this turn.
    await new Promise((resolve) => setImmediate(resolve));
    expect(t.transport.dials).toBe(1);
    expect(t.lazy.state).toBe("disconnected");
  });

  it("rejects all concurrent callers with the same error, which is not cached", async () => {
    await using server = await SocketServer.start();
    const recover = dropsHandshake(server);
    await using t = await setUp(server);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => t.lazy.get()));
    const reasons = new Set(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason));
    expect(reasons.size).toBe(1);
    expect([...reasons][0]).toMatchObject({ code: "ERR_CONNECT", phase: "initialize", delivery: "not-sent" });
    expect(t.transport.dials).toBe(1);
    expect(t.lazy.state).toBe("idle");
    recover();
    expect((await t.lazy.get()).sessionId).toBe("session-2");
  });

  it("replaces a client that was closed with its own close()", async () => {
    await using server = await SocketServer.start();
    await using t = await setUp(server);
    const old = await t.lazy.get();
    const closing = old.close();
    const next = await t.lazy.get();
    expect(next.sessionId).toBe("session-2");
    await closing;
  });

  it("replaces a client that violated the protocol, although its socket is still open", async () => {
    await using server = await SocketServer.start();
    await using t = await setUp(server);
    const old = await t.lazy.get();
    (await server.connection(1)).notify("process/output", { seq: 1 });
    expect(await old.disconnected).toMatchObject({
      code: "ERR_DISCONNECTED",
      cause: { code: "ERR_PROTOCOL" },
    });
    expect((await t.lazy.get()).sessionId).toBe("session-2");
  });

  it("replaces a client whose socket has closed, even before its close event", async () => {
    await using t = setUpInMemory();
    const first = await t.lazy.get();
    t.setOpen(1, false);
    expect(t.lazy.state).toBe("disconnected");
    const second = await t.lazy.get();
    expect(second).not.toBe(first);
    expect(t.opened).toHaveLength(2);
    await first.close();
  });

  it("keeps the disconnected client of a one-shot transport, and retries a failed start", async () => {
    await using server = await SocketServer.start();
    const reachable = webSocket(server.url);
    let fail = true;
    const transport = countingDials({
      reconnectable: false,
      connect: async (context) => {
        if (fail) throw new Error("no such program");
        return await reachable.connect(context);
      },
    });
    const lazy = new LazyExecServerClient({ transport });
    expect(await failureOf(lazy.get())).toMatchObject({ code: "ERR_CONNECT", phase: "dial" });
    fail = false;
    const client = await lazy.get();
    (await server.connection(1)).drop();
    await client.disconnected;
    expect(await lazy.get()).toBe(client);
    expect(await failureOf(lazy.status())).toMatchObject({ code: "ERR_DISCONNECTED", delivery: "not-sent" });
    expect(transport.dials).toBe(2);
    expect(lazy.state).toBe("disconnected");
    await lazy.close();
  });
});

describe("get({ signal })", () => {
  it.each([
    ["null", null, "get(): options must be an object, got null"],
    [
      "a controller instead of its signal",
      { signal: new AbortController() },
      "get(): signal must be an AbortSignal, got an object",
    ],
    ["an unknown option", { timeoutMs: 5 }, 'get() has no option "timeoutMs"; its options are signal'],
  ])("rejects %s, and dials nothing", async (_, options, message) => {
    const lazy = new LazyExecServerClient({
      transport: { reconnectable: true, connect: () => Promise.reject(new Error("dialled")) },
    });
    expect(await failureOf(lazy.get(options as never))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message,
    });
    expect(lazy.state).toBe("idle");
  });

  it("rejects with the reason of an aborted signal, even while connected", async () => {
    await using server = await SocketServer.start();
    await using t = await setUp(server);
    await t.lazy.get();
    const reason = new Error("enough");
    expect(await failureOf(t.lazy.get({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(t.lazy.state).toBe("connected");
  });

  it("ends only the wait of the caller that aborts", async () => {
    await using server = await SocketServer.start();
    const answer = server.hold("initialize");
    await using t = await setUp(server);
    const controller = new AbortController();
    const aborted = t.lazy.get({ signal: controller.signal });
    const other = t.lazy.get();
    await (await server.connection()).request("initialize");
    controller.abort("too slow");
    expect(await failureOf(aborted)).toBe("too slow");
    expect(t.lazy.state).toBe("connecting");
    answer();
    expect((await other).sessionId).toBe("session-1");
    expect(t.transport.dials).toBe(1);
  });

  it("abandons the attempt and closes its socket when the last caller aborts; the next call starts a new one", async () => {
    await using server = await SocketServer.start();
    const answer = server.hold("initialize");
    await using t = await setUp(server);
    const controllers = [new AbortController(), new AbortController()];
    const waits = controllers.map(({ signal }) => failureOf(t.lazy.get({ signal })));
    const connection = await server.connection(1);
    await connection.request("initialize");
    for (const controller of controllers) controller.abort("enough");
    expect(await Promise.all(waits)).toEqual(["enough", "enough"]);
    expect(t.lazy.state).toBe("idle");
    answer();
    expect((await t.lazy.get()).sessionId).toBe("session-2");
    await connection.ended;
    expect(t.lazy.state).toBe("connected");
  });

  it("closes a connection that opens in the turn in which the last caller aborts", async () => {
    const controller = new AbortController();
    await using t = setUpInMemory((frame) => {
      if (JSON.parse(frame).method === "initialized") controller.abort("enough");
    });
    expect(await failureOf(t.lazy.get({ signal: controller.signal }))).toBe("enough");
    await (await t.server.connection()).ended;
    expect(t.lazy.state).toBe("idle");
    expect((await t.lazy.get()).sessionId).toBe("session-2");
  });
});

describe("close()", () => {
  it("is final: later calls reject at once and nothing is dialled", async () => {
    await using server = await SocketServer.start();
    await using t = await setUp(server);
    const client = await t.lazy.get();
    await t.lazy.close();
    expect(await failureOf(t.lazy.get())).toMatchObject({ code: "ERR_CLOSED" });
    expect(await failureOf(t.lazy.run(["true"]))).toMatchObject({ code: "ERR_CLOSED" });
    expect(await client.disconnected).toMatchObject({ code: "ERR_CLOSED" });
    expect(t.transport.dials).toBe(1);
    expect(t.lazy.state).toBe("closed");
  });

  it("rejects all pending callers with the same ClosedError", async () => {
    await using server = await SocketServer.start();
    server.hold("initialize");
    await using t = await setUp(server);
    const waits = [
      failureOf(t.lazy.get()),
      failureOf(t.lazy.get({ signal: new AbortController().signal })),
      failureOf(t.lazy.get()),
    ];
    await (await server.connection(1)).request("initialize");
    await t.lazy.close();
    const reasons = await Promise.all(waits);
    expect(new Set(reasons).size).toBe(1);
    expect(reasons[0]).toMatchObject({ code: "ERR_CLOSED" });
  });

  it.each([undefined, null, {}, "ws"])("rejects when a transport resolves with %o", async (connection) => {
    const lazy = new LazyExecServerClient({
      transport: { reconnectable: true, connect: async () => connection as never },
    });
    expect(await failureOf(lazy.get())).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message: expect.stringContaining("must resolve with a connection, got"),
      delivery: "not-sent",
    });
    expect(lazy.state).toBe("idle");
  });

  it("closes a connection that opens late, from a transport that ignores its signal", async () => {
    const dialled = deferred<Connection>();
    const lazy = new LazyExecServerClient({
      transport: { reconnectable: true, connect: () => dialled.promise },
    });
    const waiting = failureOf(lazy.get());
    await lazy.close();
    expect(await waiting).toMatchObject({ code: "ERR_CLOSED" });
    const closed = deferred<void>();
    dialled.resolve({ isOpen: true, start() {}, send() {}, close: async () => closed.resolve() });
    await closed.promise;
  });

  it("settles within two seconds if the peer does not respond", async () => {
    await using server = await SocketServer.start();
    await using t = await setUp(server);
    await t.lazy.get();
    // The server stops reading, so it never answers the close frame.
    (await server.connection(1)).freeze();
    const started = performance.now();
    await t.lazy.close();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it("is called by `await using`", async () => {
    const t = setUpInMemory();
    {
      await using lazy = t.lazy;
      await lazy.get();
    }
    expect(t.lazy.state).toBe("closed");
  });

  it("can be called any number of times", async () => {
    await using server = await SocketServer.start();
    const lazy = new LazyExecServerClient({ transport: webSocket(server.url) });
    await lazy.get();
    await Promise.all([lazy.close(), lazy.close(), lazy[Symbol.asyncDispose]()]);
  });
});
