import { describe, expect, it } from "vitest";
import {
  type ClientState,
  ConnectionStatus,
  type StateChange,
  Timeline,
  type TimelineEntry,
} from "../../src/client/connection-status.ts";
import { LazyExecServerClient } from "../../src/client/lazy-client.ts";
import type { Session } from "../../src/client/session.ts";
import { ConnectError, DisconnectedError } from "../../src/errors/connection.ts";
import { silence, TestServer } from "../../src/testing.ts";
import type { Connection, ConnectionEnd } from "../../src/transport/transport.ts";
import { webSocket } from "../../src/transport/websocket/isomorphic.ts";
import { CODEX_VERSION, ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { memoryTransport } from "../support/memory-transport.ts";
import { dropsHandshake, SocketServer } from "../support/scripted-server.ts";

type ServerSide = Connection & { end(end: ConnectionEnd): void };

/** A lazy client of a server that answers only the handshake. The test controls both sides of each connection. */
function setUpInMemory() {
  const serverSides: ServerSide[] = [];
  const clientSides: { isOpen: boolean }[] = [];
  const transport = memoryTransport((server) => {
    const sessionId = `session-${serverSides.push(server)}`;
    server.start({
      onFrame(frame) {
        const { id, method } = JSON.parse(String(frame));
        if (method === "initialize") server.send(JSON.stringify({ id, result: { sessionId } }));
      },
      onEnd() {},
    });
  });
  const client = new LazyExecServerClient({
    transport: {
      reconnectable: true,
      async connect(context) {
        const inner = await transport.connect(context);
        const connection: Connection & { isOpen: boolean } = {
          isOpen: true,
          start: (receiver) => inner.start(receiver),
          send: (frame) => inner.send(frame),
          close: () => inner.close(),
        };
        clientSides.push(connection);
        return connection;
      },
    },
  });
  return {
    client,
    serverSides,
    /** Marks the client's side of the first connection as closed, before its close event. */
    closeFirst: () => void Object.assign(clientSides[0] as object, { isOpen: false }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** A lazy client of this server, and its changes of state. */
function setUp(server: SocketServer) {
  const client = new LazyExecServerClient({ transport: webSocket(server.url) });
  const changes: StateChange[] = [];
  client.onStateChange((change) => changes.push(change));
  const states = (): ClientState[] => changes.map(({ state }) => state);
  return { client, changes, states, [Symbol.asyncDispose]: () => client.close() };
}

/** State, cause and session of each entry. */
const outline = (entries: readonly TimelineEntry[]) =>
  entries.map(({ state, cause, sessionId }) => [state, cause, sessionId].filter(Boolean).join(" "));

describe("timeline", () => {
  it("is empty before the first use", () => {
    expect(setUpInMemory().client.timeline).toEqual([]);
  });

  it("records causes, durations, ends and pending work of each connection to the real server, without credentials", async () => {
    await using server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
    await using client = new LazyExecServerClient({ transport: webSocket(`${server.url}/?token=secret`) });
    const before = Date.now();
    const process = await client.start(["sleep", "60"], { env: { PASSWORD: "secret" } });
    const call = client.fetch("http://127.0.0.1:1/", { headers: { authorization: "secret" } });
    await expect(call).rejects.toThrow();
    await server.kill("SIGKILL");
    await expect(process.exited).rejects.toThrow();
    await expect(client.get()).rejects.toBeInstanceOf(ConnectError);
    await server.restart();
    await client.get();
    await client.close();

    expect(outline(client.timeline)).toEqual([
      "connecting first-use",
      `connected ${process.sessionId}`,
      `disconnected ${process.sessionId}`,
      "connecting reconnect",
      "disconnected",
      "connecting retry",
      expect.stringMatching(/^connected ./),
      expect.stringMatching(/^closed ./),
    ]);
    const [, connected, lost, , failed, , , closed] = client.timeline;
    expect(connected).toEqual({
      at: expect.any(Number),
      state: "connected",
      previous: "connecting",
      sessionId: process.sessionId,
      dialMs: expect.any(Number),
      serverVersion: CODEX_VERSION,
      handshakeMs: expect.any(Number),
    });
    expect(connected?.at).toBeGreaterThanOrEqual(before);
    expect(connected?.dialMs).toBeGreaterThan(0);
    expect(lost).toMatchObject({
      closedBy: "network",
      pending: { requests: {}, processes: 1, bodies: 0 },
      error: { name: "DisconnectedError", code: "ERR_DISCONNECTED", closeCode: 1006 },
    });
    expect(failed).toMatchObject({ error: { name: "ConnectError", code: "ERR_CONNECT" } });
    expect(failed).not.toHaveProperty("closedBy");
    expect(closed).toMatchObject({ closedBy: "client", error: { code: "ERR_CLOSED" } });

    expect(JSON.parse(JSON.stringify(client.timeline))).toEqual(client.timeline);
    expect(JSON.stringify(client.timeline)).not.toContain("secret");
  });

  it("counts the pending requests by method", async () => {
    const { client, serverSides } = setUpInMemory();
    await client.get();
    const calls = [client.status(), client.status(), client.info()];
    for (const call of calls) call.catch(() => {});
    await Promise.resolve();
    serverSides[0]?.end({ reason: "maintenance" });
    await Promise.allSettled(calls);
    expect(client.timeline.at(-1)).toMatchObject({
      closedBy: "server",
      pending: { requests: { "environment/status": 2, "environment/info": 1 } },
      error: { message: "The exec-server connection ended: maintenance" },
    });
  });

  it("completes the entry of a loss that was noticed before its close event", async () => {
    const { client, serverSides, closeFirst } = setUpInMemory();
    const first = await client.get();
    closeFirst();
    const again = client.get();
    expect(client.timeline.at(-2)).toMatchObject({ state: "disconnected", sessionId: "session-1" });
    expect(client.timeline.at(-2)).not.toHaveProperty("error");
    serverSides[0]?.end({ reason: "late" });
    await first.disconnected;
    await again;
    expect(client.timeline.find(({ state }) => state === "disconnected")).toMatchObject({
      closedBy: "server",
      error: { code: "ERR_DISCONNECTED" },
    });
  });

  it("has the error of a loss that a pending call reports before the client does", async () => {
    const { client, serverSides } = setUpInMemory();
    const first = await client.get();
    const changes: unknown[] = [];
    client.onStateChange(({ state, error }) => changes.push([state, error?.code]));
    // Calls get() in the first turn after the end.
    const { rpc } = first.openSession();
    const again = rpc.request("x", {}, undefined).catch(() => client.get());
    serverSides[0]?.end({ reason: "maintenance" });
    await again;
    expect(changes[0]).toEqual(["disconnected", "ERR_DISCONNECTED"]);
    expect(client.timeline.find(({ state }) => state === "disconnected")).toMatchObject({
      closedBy: "server",
      error: { code: "ERR_DISCONNECTED" },
    });
  });

  it("names the side that ended a session whose connection ended with its handshake", async () => {
    await using server = new TestServer();
    server.handle("initialize", (request, connection) => {
      connection.answer(request, { sessionId: "session-1" });
      connection.send("not JSON");
      return silence;
    });
    const client = new LazyExecServerClient({ transport: server.transport });
    const { disconnected } = await client.get();
    await disconnected;
    expect(outline(client.timeline)).toEqual([
      "connecting first-use",
      "connected session-1",
      "disconnected session-1",
    ]);
    expect(client.timeline.at(-1)).toMatchObject({
      closedBy: "client",
      pending: { requests: {}, processes: 0, bodies: 0 },
      error: { code: "ERR_DISCONNECTED" },
    });
  });

  it("keeps the newest 100 entries, and returns a copy", async () => {
    const { client, serverSides } = setUpInMemory();
    for (let round = 0; round < 50; round++) {
      const { disconnected } = await client.get();
      serverSides[round]?.end({});
      await disconnected;
    }
    const { timeline } = client;
    expect(timeline).toHaveLength(100);
    expect(timeline.at(-1)).toMatchObject({ state: "disconnected", sessionId: "session-50" });
    (timeline as TimelineEntry[]).length = 0;
    expect(client.timeline).toHaveLength(100);
  });
});

describe("onStateChange()", () => {
  it("reports each change with its session and its error", async () => {
    await using server = await SocketServer.start();
    await using t = setUp(server);
    const first = await t.client.get();
    (await server.connection(1)).drop();
    const error = await first.disconnected;
    await t.client.get();
    await t.client.close();
    expect(t.changes).toEqual([
      { previous: "idle", state: "connecting" },
      { previous: "connecting", state: "connected", sessionId: "session-1" },
      { previous: "connected", state: "disconnected", sessionId: "session-1", error },
      { previous: "disconnected", state: "connecting" },
      { previous: "connecting", state: "connected", sessionId: "session-2" },
      { previous: "connected", state: "closed", sessionId: "session-2" },
    ]);
  });

  it("reports the previous state again after a failed attempt", async () => {
    await using server = await SocketServer.start();
    const recover = dropsHandshake(server);
    await using t = setUp(server);
    const error = await failureOf(t.client.get());
    expect(t.changes).toEqual([
      { previous: "idle", state: "connecting" },
      { previous: "connecting", state: "idle", error },
    ]);
    recover();
    const first = await t.client.get();
    (await server.connection(2)).drop();
    await first.disconnected;
    dropsHandshake(server);
    await failureOf(t.client.get());
    expect(t.states()).toEqual([
      "connecting",
      "idle",
      "connecting",
      "connected",
      "disconnected",
      "connecting",
      "disconnected",
    ]);
  });

  it("reports the previous state at once when an attempt is abandoned, and nothing when it settles later", async () => {
    await using server = await SocketServer.start();
    const answer = server.hold("initialize");
    await using t = setUp(server);
    const controller = new AbortController();
    const wait = failureOf(t.client.get({ signal: controller.signal }));
    await (await server.connection(1)).request("initialize");
    controller.abort();
    expect(t.client.state).toBe("idle");
    answer();
    await t.client.get();
    await wait;
    expect(t.states()).toEqual(["connecting", "idle", "connecting", "connected"]);
  });

  it.each([
    ["while the next one is connecting", false],
    ["after the next one has connected", true],
  ])("reports a lost connection once, even if its close event arrives %s", async (_, isConnected) => {
    await using t = setUpInMemory();
    const { client, serverSides } = t;
    const states: ClientState[] = [];
    const first = await client.get();
    client.onStateChange(({ state }) => states.push(state));
    t.closeFirst();
    const next = client.get();
    if (isConnected) await next;
    serverSides[0]?.end({});
    await first.disconnected;
    await next;
    expect(states).toEqual(["disconnected", "connecting", "connected"]);
  });

  it.each([undefined, "disconnected", {}])("throws for a listener that is no function: %j", (listener) => {
    const { client } = setUpInMemory();
    expect(() => client.onStateChange(listener as never)).toThrow(
      expect.objectContaining({
        code: "ERR_INVALID_ARGUMENT",
        message: expect.stringMatching(/^onStateChange\(\): listener must be a function, got /),
      }),
    );
  });

  it("survives a listener that throws, and a listener that is removed twice", async () => {
    await using server = await SocketServer.start();
    const client = new LazyExecServerClient({ transport: webSocket(server.url) });
    const seen: ClientState[] = [];
    client.onStateChange(() => {
      throw new Error("listener");
    });
    const stop = client.onStateChange(({ state }) => seen.push(state));
    await client.get();
    stop();
    stop();
    await client.close();
    expect(seen).toEqual(["connecting", "connected"]);
  });
});

describe("an entry of the timeline", () => {
  const at = expect.any(Number);
  const timings = { dialMs: 1, handshakeMs: 2 };
  const ending = { closedBy: "server", pending: { requests: {}, processes: 0, bodies: 0 } } as const;
  const session = { id: "session-1", timings, ending } as Session;

  it("has the members of its state, and no others", () => {
    const recorded = new Timeline();
    const status = new ConnectionStatus(recorded);
    const refused = new ConnectError("refused", { phase: "dial", status: 403 });
    const lost = new DisconnectedError("maintenance", { closeCode: 1012 });
    status.change("connecting");
    status.change("idle", undefined, refused);
    status.change("connecting");
    status.change("connected", session);
    status.change("disconnected", session, lost);
    status.change("connecting");
    status.change("disconnected", undefined, new ConnectError("failed", { phase: "dial" }));
    const error = { name: "ConnectError", code: "ERR_CONNECT" };
    expect(recorded.entries).toStrictEqual([
      { at, state: "connecting", previous: "idle", cause: "first-use" },
      { at, state: "idle", previous: "connecting", error: { ...error, message: "refused", status: 403 } },
      { at, state: "connecting", previous: "idle", cause: "retry" },
      { at, state: "connected", previous: "connecting", sessionId: "session-1", ...timings },
      {
        at,
        state: "disconnected",
        previous: "connected",
        sessionId: "session-1",
        ...ending,
        error: {
          name: "DisconnectedError",
          code: "ERR_DISCONNECTED",
          message: "The exec-server connection ended: maintenance",
          closeCode: 1012,
        },
      },
      { at, state: "connecting", previous: "disconnected", cause: "reconnect" },
      { at, state: "disconnected", previous: "connecting", error: { ...error, message: "failed" } },
    ]);
  });

  it("of a loss keeps the error with which it was complete", () => {
    const recorded = new Timeline();
    const status = new ConnectionStatus(recorded);
    status.change("connecting");
    status.change("connected", session);
    status.change("disconnected", session, new DisconnectedError("first"));
    const { entries } = recorded;
    status.completeLoss(session, new DisconnectedError("second"));
    expect(recorded.entries).toEqual(entries);
  });
});
