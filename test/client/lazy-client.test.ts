import { describe, expect, it } from "vitest";
import {
  type ClientState,
  ExecServerClient,
  LazyExecServerClient,
  type StateChange,
} from "../../src/index.ts";
import { deferred } from "../../src/internal/deferred.ts";
import { TestServer } from "../../src/testing.ts";
import type { Connection, Transport } from "../../src/transport/transport.ts";
import { webSocket } from "../../src/transport/websocket/websocket.ts";
import { failureOf } from "../support/failure.ts";
import { dropsHandshake, QuietServer, ready, SocketServer } from "../support/scripted-server.ts";

/** Counts the dials, which is what most promises here are about. */
function counted(transport: Transport): Transport & { dials: number } {
  return {
    dials: 0,
    reconnectable: transport.reconnectable,
    connect(context) {
      this.dials++;
      return transport.connect(context);
    },
  };
}

async function lazyOn(server: SocketServer) {
  const transport = counted(webSocket(server.url));
  const lazy = new LazyExecServerClient({ transport });
  return { transport, lazy, [Symbol.asyncDispose]: () => lazy.close() };
}

/** A client on connections of which the test says whether they are open and what happens when something is sent. */
function watched(onSend?: (frame: string) => void) {
  const server = new QuietServer();
  const opened: (Connection & { isOpen: boolean })[] = [];
  const lazy = new LazyExecServerClient({
    transport: {
      reconnectable: true,
      async connect(context) {
        const connection = await server.transport.connect(context);
        const watching = {
          isOpen: true,
          start: connection.start.bind(connection),
          send(frame: string) {
            connection.send(frame);
            onSend?.(frame);
          },
          close: connection.close.bind(connection),
        };
        opened.push(watching);
        return watching;
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
    ["fs/remove", (lazy) => lazy.fs.rm("/a")],
    ["http/request", (lazy) => lazy.fetch("http://origin.test/")],
    ["environment/info", (lazy) => lazy.info()],
    ["environment/status", (lazy) => lazy.status()],
  ];

  it.each(operations)("makes the connection and sends its request on it: %s", async (method, operation) => {
    await using it = watched();
    const outcome = failureOf(operation(it.lazy));
    await (await it.server.connection()).request(method);
    await it.lazy.close();
    expect(await outcome).toMatchObject({ code: "ERR_CLOSED", delivery: "unknown" });
  });
});

describe("get()", () => {
  it("dials nothing before the first use", async () => {
    const transport = counted(webSocket("ws://127.0.0.1:1"));
    const lazy = new LazyExecServerClient({ transport });
    expect(lazy.state).toBe("idle");
    await lazy.close();
    expect(transport.dials).toBe(0);
  });

  it("makes one connection and one session for 100 concurrent first callers, and the same object for all", async () => {
    await using server = await SocketServer.start();
    await using it = await lazyOn(server);
    const clients = await Promise.all(Array.from({ length: 100 }, () => it.lazy.get()));
    expect(new Set(clients).size).toBe(1);
    expect(server.connections).toHaveLength(1);
    await server.connections[0]?.request("initialized");
    expect(server.connections[0]?.received.map(({ method }) => method)).toEqual([
      "initialize",
      "initialized",
    ]);
  });

  it("hands out the live client to later callers and to operations", async () => {
    await using server = ready(await SocketServer.start());
    await using it = await lazyOn(server);
    const first = await it.lazy.get();
    await it.lazy.status();
    await it.lazy.status();
    expect(await it.lazy.get()).toBe(first);
    expect(it.transport.dials).toBe(1);
  });

  it("replaces a disconnected client once, with a fresh session, however many ask", async () => {
    await using server = await SocketServer.start();
    await using it = await lazyOn(server);
    const old = await it.lazy.get();
    (await server.connection(1)).drop();
    await old.disconnected;
    const [one, two] = await Promise.all([it.lazy.get(), it.lazy.get()]);
    expect(one).toBe(two);
    expect(one).not.toBe(old);
    expect(one.sessionId).toBe("session-2");
    expect((await (await server.connection(2)).request("initialize")).params).toMatchObject({
      resumeSessionId: null,
    });
    expect(old.isDisconnected).toBe(true);
    expect(await it.lazy.get()).toBe(one);
  });

  it("works any number of times, each time with a session of its own", async () => {
    await using server = await SocketServer.start();
    await using it = await lazyOn(server);
    for (let n = 1; n <= 5; n++) {
      const client = await it.lazy.get();
      expect(client.sessionId).toBe(`session-${n}`);
      (await server.connection(n)).drop();
      await client.disconnected;
    }
    for (const connection of server.connections) {
      expect(connection.received[0]).toMatchObject({ id: 1, params: { resumeSessionId: null } });
    }
  });

  it("does not connect again while nobody asks", async () => {
    await using server = await SocketServer.start();
    await using it = await lazyOn(server);
    const client = await it.lazy.get();
    (await server.connection(1)).drop();
    await client.disconnected;
    // A background dial would have been started by now: the end was told in an earlier turn.
    await new Promise((resolve) => setImmediate(resolve));
    expect(it.transport.dials).toBe(1);
    expect(it.lazy.state).toBe("disconnected");
  });

  it("gives one failure, the same object, to everyone who waited, and then forgets it", async () => {
    await using server = await SocketServer.start();
    const recover = dropsHandshake(server);
    await using it = await lazyOn(server);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => it.lazy.get()));
    const reasons = new Set(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason));
    expect(reasons.size).toBe(1);
    expect([...reasons][0]).toMatchObject({ code: "ERR_CONNECT", phase: "initialize", delivery: "not-sent" });
    expect(it.transport.dials).toBe(1);
    expect(it.lazy.state).toBe("idle");
    recover();
    expect((await it.lazy.get()).sessionId).toBe("session-2");
  });

  it("replaces a client that somebody has closed", async () => {
    await using server = await SocketServer.start();
    await using it = await lazyOn(server);
    const old = await it.lazy.get();
    const closing = old.close();
    const next = await it.lazy.get();
    expect(next.sessionId).toBe("session-2");
    await closing;
  });

  it("replaces a client whose connection broke the protocol while the socket is still open", async () => {
    await using server = await SocketServer.start();
    await using it = await lazyOn(server);
    const old = await it.lazy.get();
    (await server.connection(1)).notify("process/output", { seq: 1 });
    expect(await old.disconnected).toMatchObject({
      code: "ERR_DISCONNECTED",
      cause: { code: "ERR_PROTOCOL" },
    });
    expect((await it.lazy.get()).sessionId).toBe("session-2");
  });

  it("never hands out a client whose connection has closed, even before its end was told", async () => {
    await using it = watched();
    const first = await it.lazy.get();
    it.setOpen(1, false);
    expect(it.lazy.state).toBe("disconnected");
    const second = await it.lazy.get();
    expect(second).not.toBe(first);
    expect(it.opened).toHaveLength(2);
    await first.close();
  });

  it("gives everyone the dead client of a one-shot transport, and tries a start that failed again", async () => {
    await using server = await SocketServer.start();
    const reachable = webSocket(server.url);
    let fail = true;
    const transport = counted({
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
  it("rejects with the reason of a signal that is already aborted, even with a live client", async () => {
    await using server = await SocketServer.start();
    await using it = await lazyOn(server);
    await it.lazy.get();
    const reason = new Error("changed my mind");
    expect(await failureOf(it.lazy.get({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(it.lazy.state).toBe("connected");
  });

  it("ends only the wait of the one who aborts", async () => {
    await using server = await SocketServer.start();
    const answer = server.hold("initialize");
    await using it = await lazyOn(server);
    const controller = new AbortController();
    const impatient = it.lazy.get({ signal: controller.signal });
    const patient = it.lazy.get();
    await (await server.connection()).request("initialize");
    controller.abort("too slow");
    expect(await failureOf(impatient)).toBe("too slow");
    expect(it.lazy.state).toBe("connecting");
    answer();
    expect((await patient).sessionId).toBe("session-1");
    expect(it.transport.dials).toBe(1);
  });

  it("abandons the attempt and closes its socket when the last waiter is gone; the next caller starts afresh", async () => {
    await using server = await SocketServer.start();
    const answer = server.hold("initialize");
    await using it = await lazyOn(server);
    const controllers = [new AbortController(), new AbortController()];
    const waits = controllers.map(({ signal }) => failureOf(it.lazy.get({ signal })));
    const connection = await server.connection(1);
    await connection.request("initialize");
    for (const controller of controllers) controller.abort("gone");
    expect(await Promise.all(waits)).toEqual(["gone", "gone"]);
    expect(it.lazy.state).toBe("idle");
    answer();
    expect((await it.lazy.get()).sessionId).toBe("session-2");
    await connection.ended;
    expect(it.lazy.state).toBe("connected");
  });

  it("closes a connection that is there in the very turn in which the last waiter leaves", async () => {
    const controller = new AbortController();
    await using it = watched((frame) => {
      if (JSON.parse(frame).method === "initialized") controller.abort("gone");
    });
    expect(await failureOf(it.lazy.get({ signal: controller.signal }))).toBe("gone");
    await (await it.server.connection()).ended;
    expect(it.lazy.state).toBe("idle");
    expect((await it.lazy.get()).sessionId).toBe("session-2");
  });
});

describe("close()", () => {
  it("is final: later calls fail at once and nothing is dialled", async () => {
    await using server = await SocketServer.start();
    await using it = await lazyOn(server);
    const client = await it.lazy.get();
    await it.lazy.close();
    expect(await failureOf(it.lazy.get())).toMatchObject({ code: "ERR_CLOSED" });
    expect(await failureOf(it.lazy.run(["true"]))).toMatchObject({ code: "ERR_CLOSED" });
    expect(await client.disconnected).toMatchObject({ code: "ERR_CLOSED" });
    expect(it.transport.dials).toBe(1);
    expect(it.lazy.state).toBe("closed");
  });

  it("gives everyone who waits for a connection one and the same ClosedError", async () => {
    await using server = await SocketServer.start();
    server.hold("initialize");
    await using it = await lazyOn(server);
    const waits = [
      failureOf(it.lazy.get()),
      failureOf(it.lazy.get({ signal: new AbortController().signal })),
      failureOf(it.lazy.get()),
    ];
    await (await server.connection(1)).request("initialize");
    await it.lazy.close();
    const reasons = await Promise.all(waits);
    expect(new Set(reasons).size).toBe(1);
    expect(reasons[0]).toMatchObject({ code: "ERR_CLOSED" });
  });

  it("closes a connection that arrives late, from a transport that ignores its signal", async () => {
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

  it("settles within two seconds when the peer answers nothing", async () => {
    await using server = await SocketServer.start();
    await using it = await lazyOn(server);
    await it.lazy.get();
    // Stops reading: the closing handshake is never answered.
    (await server.connection(1)).freeze();
    const started = performance.now();
    await it.lazy.close();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it("is done by `await using`", async () => {
    const it = watched();
    {
      await using lazy = it.lazy;
      await lazy.get();
    }
    expect(it.lazy.state).toBe("closed");
  });

  it("may be called any number of times, and by `await using`", async () => {
    await using server = await SocketServer.start();
    const lazy = new LazyExecServerClient({ transport: webSocket(server.url) });
    await lazy.get();
    await Promise.all([lazy.close(), lazy.close(), lazy[Symbol.asyncDispose]()]);
  });
});

describe("onStateChange()", () => {
  async function watch(server: SocketServer) {
    const it = await lazyOn(server);
    const changes: StateChange[] = [];
    it.lazy.onStateChange((change) => changes.push(change));
    const path = (): ClientState[] => changes.map(({ state }) => state);
    return { ...it, changes, path };
  }

  it("tells each change with its session and error", async () => {
    await using server = await SocketServer.start();
    await using it = await watch(server);
    const client = await it.lazy.get();
    (await server.connection(1)).drop();
    const error = await client.disconnected;
    await it.lazy.get();
    await it.lazy.close();
    expect(it.changes).toEqual([
      { previous: "idle", state: "connecting" },
      { previous: "connecting", state: "connected", sessionId: "session-1" },
      { previous: "connected", state: "disconnected", sessionId: "session-1", error },
      { previous: "disconnected", state: "connecting" },
      { previous: "connecting", state: "connected", sessionId: "session-2" },
      { previous: "connected", state: "closed", sessionId: "session-2" },
    ]);
  });

  it("goes back to where it came from when an attempt fails", async () => {
    await using server = await SocketServer.start();
    const recover = dropsHandshake(server);
    await using it = await watch(server);
    const error = await failureOf(it.lazy.get());
    expect(it.changes).toEqual([
      { previous: "idle", state: "connecting" },
      { previous: "connecting", state: "idle", error },
    ]);
    recover();
    const client = await it.lazy.get();
    (await server.connection(2)).drop();
    await client.disconnected;
    dropsHandshake(server);
    await failureOf(it.lazy.get());
    expect(it.path()).toEqual([
      "connecting",
      "idle",
      "connecting",
      "connected",
      "disconnected",
      "connecting",
      "disconnected",
    ]);
  });

  it("goes back at once when an attempt is abandoned, and a late end of it says nothing", async () => {
    await using server = await SocketServer.start();
    const answer = server.hold("initialize");
    await using it = await watch(server);
    const controller = new AbortController();
    const wait = failureOf(it.lazy.get({ signal: controller.signal }));
    await (await server.connection(1)).request("initialize");
    controller.abort();
    expect(it.lazy.state).toBe("idle");
    answer();
    await it.lazy.get();
    await wait;
    expect(it.path()).toEqual(["connecting", "idle", "connecting", "connected"]);
  });

  it.each([
    ["while the next one is on its way", false],
    ["when the next one is there", true],
  ])("says once that a connection is lost, also if its end is told %s", async (_, isThere) => {
    await using it = watched();
    const states: ClientState[] = [];
    const first = await it.lazy.get();
    it.lazy.onStateChange(({ state }) => states.push(state));
    it.setOpen(1, false);
    const next = it.lazy.get();
    if (isThere) await next;
    (await it.server.connection(1)).close();
    await first.disconnected;
    await next;
    expect(states).toEqual(["disconnected", "connecting", "connected"]);
  });

  it("is harmed neither by a listener that throws nor by one that leaves twice", async () => {
    await using server = await SocketServer.start();
    const lazy = new LazyExecServerClient({ transport: webSocket(server.url) });
    const seen: ClientState[] = [];
    lazy.onStateChange(() => {
      throw new Error("listener");
    });
    const stop = lazy.onStateChange(({ state }) => seen.push(state));
    await lazy.get();
    stop();
    stop();
    await lazy.close();
    expect(seen).toEqual(["connecting", "connected"]);
  });
});

describe("options", () => {
  it.each([
    ["no transport", {}],
    ["a deadline of zero", { transport: new TestServer().transport, connectTimeoutMs: 0 }],
    [
      "a deadline that is no number",
      { transport: new TestServer().transport, initializeTimeoutMs: Number.NaN },
    ],
  ])("%s is refused at once", async (_, options) => {
    const usage = expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" });
    expect(() => new LazyExecServerClient(options as never)).toThrow(usage);
    expect(await failureOf(ExecServerClient.connect(options as never))).toEqual(usage);
  });
});
