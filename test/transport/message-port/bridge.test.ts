import { describe, expect, test } from "vitest";
import { bridge, ConnectError, type Transport } from "../../../src/index.ts";
import { deferred } from "../../../src/internal/deferred.ts";
import type { Connection, ConnectionEnd } from "../../../src/transport/transport.ts";
import { AsyncQueue } from "../../support/async-queue.ts";
import { expectNoneShown } from "../../support/leaks.ts";
import { memoryTransport } from "../../support/memory-transport.ts";
import { PlayedPort } from "../../support/played-port.ts";
import { PortPeer } from "../../support/port-peer.ts";
import { Recorder } from "../../support/recorder.ts";

type ServerSide = Connection & { end(end: ConnectionEnd): void };

/** A server's side of connections, to be played by a test. */
function playedServer() {
  const connections = new AsyncQueue<ServerSide>();
  const dials: AbortSignal[] = [];
  const { connect } = memoryTransport((connection) => connections.push(connection));
  const transport: Transport = {
    reconnectable: true,
    connect(context) {
      dials.push(context.signal);
      return connect(context);
    },
  };
  return { transport, connections, dials };
}

/** A client played by hand, its bridge, and the server behind it. */
async function bridged() {
  const client = new PortPeer();
  const server = playedServer();
  const it = bridge(client.other, server.transport);
  client.say("hello", { attempt: 1 });
  await client.until("opened");
  client.say("accepted", { attempt: 1 });
  const connection = await server.connections.next();
  return { client, bridge: it, connection, recorder: new Recorder(connection), dials: server.dials };
}

/** A transport whose dials end as the test says. */
function stubbornTransport() {
  const signals = new AsyncQueue<AbortSignal>();
  const outcome = deferred<Connection>();
  const transport: Transport = {
    reconnectable: true,
    connect({ signal }) {
      signals.push(signal);
      return outcome.promise;
    },
  };
  return { transport, signals, outcome };
}

function closable() {
  const closed = deferred<void>();
  const connection: Connection = {
    isOpen: true,
    start() {},
    send() {},
    close: async () => closed.resolve(),
  };
  return { connection, closed: closed.promise };
}

describe("a dial", () => {
  test("begins with the client's wish, and not before", async () => {
    const client = new PortPeer();
    const { transport, dials, connections } = playedServer();
    const it = bridge(client.other, transport);
    client.say("ping");
    await client.until("pong");
    expect(dials).toHaveLength(0);
    client.say("hello", { attempt: 7 });
    expect(await client.until("opened")).toMatchObject({ attempt: 7 });
    expect(dials).toHaveLength(1);
    void (await connections.next());
    await it.close();
  });

  test("that fails is refused with its reason, and the client may wish again", async () => {
    const client = new PortPeer();
    const { transport, connections } = playedServer();
    const failures: unknown[] = [
      new ConnectError("the server answered HTTP 401", { phase: "dial", status: 401, closeCode: 4002 }),
      Object.assign(new Error("connect wss://user:s3cret@host/p?token=s3cret"), { code: "ECONNREFUSED" }),
    ];
    const it = bridge(client.other, {
      reconnectable: true,
      connect(context) {
        if (failures.length > 0) throw failures.shift();
        return transport.connect(context);
      },
    });
    client.say("hello", { attempt: 1 });
    expect(await client.until("refused")).toMatchObject({
      attempt: 1,
      reason: "the server answered HTTP 401",
      status: 401,
      closeCode: 4002,
    });
    client.say("hello", { attempt: 2 });
    expect(await client.until("refused")).toMatchObject({
      attempt: 2,
      reason: "Could not connect to the exec-server",
      error: { name: "Error", code: "ECONNREFUSED", message: "connect wss://host/p" },
    });
    client.say("hello", { attempt: 3 });
    await client.until("opened");
    await connections.next();
    client.say("goodbye");
    expect(await it.ended).toMatchObject({ side: "client", error: undefined });
  });

  test("that failed last is told with the bridge's end, without anything secret", async () => {
    const client = new PortPeer();
    const it = bridge(client.other, {
      reconnectable: true,
      connect: () => Promise.reject(new Error("connect wss://user:s3cret@host/p?token=s3cret")),
    });
    client.say("hello", { attempt: 1 });
    await client.until("refused");
    client.say("goodbye", { reason: "enough of wss://user:s3cret@host/" });
    const end = await it.ended;
    expect(end).toMatchObject({
      side: "client",
      reason: "enough of wss://host/",
      error: { code: "ERR_CONNECT", cause: { message: "connect wss://host/p" } },
    });
    for (const shown of [end, end.error, ...client.received]) expectNoneShown(shown, ["s3cret"]);
  });

  test.each([
    ["withdraws", (client: PortPeer) => client.say("withdrawn", { attempt: 1 })],
    ["says goodbye", (client: PortPeer) => client.say("goodbye")],
    ["goes without a word", (client: PortPeer) => client.port.close()],
  ])("is aborted when the client %s, and what comes late is closed", async (_, leave) => {
    const client = new PortPeer();
    const { transport, signals, outcome } = stubbornTransport();
    const late = closable();
    const it = bridge(client.other, transport);
    client.say("hello", { attempt: 1 });
    const signal = await signals.next();
    leave(client);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    outcome.resolve(late.connection);
    await late.closed;
    await it.close();
    expect(client.types).not.toContain("opened");
  });

  test("is aborted when the bridge is closed", async () => {
    const client = new PortPeer();
    const { transport, signals } = stubbornTransport();
    const it = bridge(client.other, transport);
    client.say("hello", { attempt: 1 });
    const signal = await signals.next();
    await it.close();
    expect(signal.aborted).toBe(true);
    expect(await it.ended).toMatchObject({ side: "bridge", reason: "the bridge was closed" });
    expect(await client.until("goodbye")).toMatchObject({ reason: "the bridge was closed" });
    await client.gone;
  });

  test("that succeeds in the very moment in which the bridge is closed leaves no connection", async () => {
    for (let turns = -12; turns <= 12; turns++) {
      const client = new PortPeer();
      const { transport, signals, outcome } = stubbornTransport();
      const { connection, closed } = closable();
      const it = bridge(client.other, transport);
      client.say("hello", { attempt: 1 });
      await signals.next();
      const steps = [() => it.close(), async () => outcome.resolve(connection)];
      const [first, second] = turns < 0 ? steps : steps.reverse();
      const begun = first?.();
      for (let turn = 0; turn < Math.abs(turns); turn++) await undefined;
      await Promise.all([begun, second?.(), closed]);
    }
  });

  test.each(["hello", "withdrawn", "accepted"])(
    "whose %s crosses with the closing of the bridge leaves no connection, and nobody is blamed",
    async (type) => {
      for (let turns = 0; turns <= 8; turns++) {
        const opened = deferred<void>();
        const port = new PlayedPort((message) => message.type === "opened" && opened.resolve());
        const { connection, closed } = closable();
        const it = bridge(port, { reconnectable: true, connect: async () => connection });
        if (type !== "hello") {
          port.deliver("hello", { attempt: 1 });
          await opened.promise;
        }
        const closing = it.close();
        for (let turn = 0; turn < turns; turn++) await undefined;
        port.deliver(type, { attempt: 1 });
        await closing;
        if (type !== "hello") await closed;
        expect(await it.ended).toMatchObject({ side: "bridge" });
        expect(port.said.at(-1)).toMatchObject({ type: "goodbye", reason: "the bridge was closed" });
      }
    },
  );

  test("that is withdrawn once it is opened leaves no connection, and the next wish gets a new one", async () => {
    const client = new PortPeer();
    const { transport, connections } = playedServer();
    const it = bridge(client.other, transport);
    client.say("hello", { attempt: 1 });
    await client.until("opened");
    const first = new Recorder(await connections.next());
    client.say("withdrawn", { attempt: 1 });
    client.say("hello", { attempt: 2 });
    await first.ended;
    expect(await client.until("opened")).toMatchObject({ attempt: 2 });
    client.say("accepted", { attempt: 2 });
    client.port.postMessage("frame");
    const second = new Recorder(await connections.next());
    expect(await second.entries(1)).toEqual(["frame"]);
    await it.close();
  });
});

describe("a connection", () => {
  test("carries what the server says before the client has taken it", async () => {
    const client = new PortPeer();
    const { transport, connections } = playedServer();
    const it = bridge(client.other, transport);
    client.say("hello", { attempt: 1 });
    (await connections.next()).send("early");
    await client.until("opened");
    client.say("ping");
    await client.until("pong");
    expect(client.received).not.toContain("early");
    client.say("accepted", { attempt: 1 });
    expect(await client.next()).toBe("early");
    await it.close();
  });

  test("is closed when the client says goodbye, after everything it has said", async () => {
    const it = await bridged();
    for (let n = 0; n < 100; n++) it.client.port.postMessage(`${n}`);
    it.client.say("goodbye", { reason: "done" });
    await it.recorder.ended;
    expect(it.recorder.log).toHaveLength(101);
    expect(await it.bridge.ended).toEqual({
      side: "client",
      reason: "done",
      closeCode: undefined,
      error: undefined,
    });
    await it.client.gone;
  });

  test("is closed when the client's port is gone", async () => {
    const it = await bridged();
    it.client.port.close();
    await it.recorder.ended;
    expect(await it.bridge.ended).toMatchObject({ side: "client" });
  });

  test("tells the client how the server's ended, after everything the server has said", async () => {
    const it = await bridged();
    for (let n = 0; n < 100; n++) it.connection.send(`${n}`);
    it.connection.end({
      reason: "broke at wss://user:s3cret@host/",
      closeCode: 1006,
      cause: Object.assign(new Error("at wss://user:s3cret@host/"), { code: "ECONNRESET" }),
    });
    await it.client.gone;
    expect(it.client.received.slice(-101, -1)).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`));
    expect(it.client.received.at(-1)).toMatchObject({
      type: "goodbye",
      reason: "broke at wss://host/",
      closeCode: 1006,
      error: { code: "ECONNRESET", message: "at wss://host/" },
    });
    expect(await it.bridge.ended).toMatchObject({
      side: "server",
      reason: "broke at wss://host/",
      closeCode: 1006,
    });
  });

  test("is ended on both sides by close(), which may be called twice and as a disposal", async () => {
    const it = await bridged();
    await Promise.all([it.bridge.close(), it.bridge.close(), it.bridge[Symbol.asyncDispose]()]);
    await it.recorder.ended;
    await it.client.gone;
    expect(await it.bridge.ended).toMatchObject({ side: "bridge" });
  });

  test.each([
    ["posts what is no message", (client: PortPeer) => client.port.postMessage({ foo: 1 })],
    ["wishes for another", (client: PortPeer) => client.say("hello", { attempt: 2 })],
    ["takes it twice", (client: PortPeer) => client.say("accepted", { attempt: 1 })],
    ["answers itself", (client: PortPeer) => client.say("opened", { attempt: 1 })],
  ])("is ended by a client that %s", async (_, misbehave) => {
    const it = await bridged();
    it.client.port.postMessage("before");
    misbehave(it.client);
    it.client.port.postMessage("behind");
    await it.recorder.ended;
    expect(it.recorder.log).toEqual(["before", "<end>"]);
    await it.client.gone;
    expect(it.client.received.at(-1)).toMatchObject({ type: "goodbye", error: { name: "ProtocolError" } });
    expect(it.dials).toHaveLength(1);
  });

  test("is ended by a message that is too long, which is not passed on", async () => {
    const it = await bridged();
    it.client.port.postMessage("x".repeat(16 * 1024 * 1024 + 1));
    await it.recorder.ended;
    expect(it.recorder.log).toEqual(["<end>"]);
    expect(await it.bridge.ended).toMatchObject({
      side: "client",
      reason: "the client's message is too long",
    });
  });

  test("holds the server up while the client reads nothing, and lets it go on", async () => {
    const client = new PortPeer();
    const calls: string[] = [];
    let receive!: (frame: string) => void;
    const server: Connection = {
      ...closable().connection,
      start: ({ onFrame }) => {
        receive = onFrame;
      },
      flow: {
        pause: () => void calls.push("pause"),
        resume: () => void calls.push("resume"),
        queuedBytes: 0,
        drained: () => Promise.resolve(),
      },
    };
    const it = bridge(client.other, { reconnectable: true, connect: async () => server });
    client.say("hello", { attempt: 1 });
    await client.until("opened");
    client.say("accepted", { attempt: 1 });
    client.say("ping");
    await client.until("pong");
    receive("x".repeat(1024 * 1024));
    expect(calls).toEqual([]);
    receive("x");
    expect(calls).toEqual(["pause"]);
    await client.until("flush");
    client.say("received", { length: 1024 * 1024 + 1 });
    client.say("flushed");
    await expect.poll(() => calls).toEqual(["pause", "resume"]);
    await it.close();
  });
});

test.each([
  ["no port", undefined, playedServer().transport],
  ["no transport", new MessageChannel().port1, undefined],
  ["an address for a transport", new MessageChannel().port1, "ws://127.0.0.1"],
])("%s is refused at once", (_, port, transport) => {
  expect(() => bridge(port as never, transport as never)).toThrow(
    expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
  );
});
