import { describe, expect, test } from "vitest";
import { bridge, ConnectError, type Transport } from "../../../src/index.ts";
import { deferred } from "../../../src/internal/deferred.ts";
import type { Connection, ConnectionEnd } from "../../../src/transport/transport.ts";
import { AsyncQueue } from "../../support/async-queue.ts";
import { expectNoneShown } from "../../support/leaks.ts";
import { memoryTransport } from "../../support/memory-transport.ts";
import { PortPeer } from "../../support/port-peer.ts";
import { Recorder } from "../../support/recorder.ts";
import { ScriptedPort } from "../../support/scripted-port.ts";

type ServerSide = Connection & { end(end: ConnectionEnd): void };

/** A transport whose connections are controlled by the test on the server's side. */
function scriptedServer() {
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

/** A client port, its running bridge, and the server's side of the connection. */
async function bridged() {
  const client = new PortPeer();
  const server = scriptedServer();
  const running = bridge(client.other, server.transport);
  client.post("hello", { attempt: 1 });
  await client.until("opened");
  client.post("accepted", { attempt: 1 });
  const connection = await server.connections.next();
  return { client, running, connection, recorder: new Recorder(connection), dials: server.dials };
}

/** A transport whose dials settle with `outcome` and ignore their signal. */
function deferredTransport() {
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

describe("a dial of bridge()", () => {
  test("begins when the client requests a connection", async () => {
    const client = new PortPeer();
    const { transport, dials, connections } = scriptedServer();
    const running = bridge(client.other, transport);
    client.post("ping");
    await client.until("pong");
    expect(dials).toHaveLength(0);
    client.post("hello", { attempt: 7 });
    expect(await client.until("opened")).toMatchObject({ attempt: 7 });
    expect(dials).toHaveLength(1);
    void (await connections.next());
    await running.close();
  });

  test("is refused with the reason of its failure, and the client can request another", async () => {
    const client = new PortPeer();
    const { transport, connections } = scriptedServer();
    const failures: unknown[] = [
      new ConnectError("the server answered HTTP 401", { phase: "dial", status: 401, closeCode: 4002 }),
      Object.assign(new Error("connect wss://user:s3cret@host/p?token=s3cret"), { code: "ECONNREFUSED" }),
    ];
    const running = bridge(client.other, {
      reconnectable: true,
      connect(context) {
        if (failures.length > 0) throw failures.shift();
        return transport.connect(context);
      },
    });
    client.post("hello", { attempt: 1 });
    expect(await client.until("refused")).toMatchObject({
      attempt: 1,
      reason: "the server answered HTTP 401",
      status: 401,
      closeCode: 4002,
    });
    client.post("hello", { attempt: 2 });
    expect(await client.until("refused")).toMatchObject({
      attempt: 2,
      reason: "Could not connect to the exec-server",
      error: { name: "Error", code: "ECONNREFUSED", message: "connect wss://host/p" },
    });
    client.post("hello", { attempt: 3 });
    await client.until("opened");
    await connections.next();
    client.post("goodbye");
    expect(await running.ended).toMatchObject({ side: "client", error: undefined });
  });

  test("is reported as the error of the bridge's end if it was the last and failed, without credentials", async () => {
    const client = new PortPeer();
    const running = bridge(client.other, {
      reconnectable: true,
      connect: () => Promise.reject(new Error("connect wss://user:s3cret@host/p?token=s3cret")),
    });
    client.post("hello", { attempt: 1 });
    await client.until("refused");
    client.post("goodbye", { reason: "closed by wss://user:s3cret@host/" });
    const end = await running.ended;
    expect(end).toMatchObject({
      side: "client",
      reason: "closed by wss://host/",
      error: { code: "ERR_CONNECT", cause: { message: "connect wss://host/p" } },
    });
    for (const shown of [end, end.error, ...client.received]) expectNoneShown(shown, ["s3cret"]);
  });

  test.each([
    ["withdraws the request", (client: PortPeer) => client.post("withdrawn", { attempt: 1 })],
    ["posts a close message", (client: PortPeer) => client.post("goodbye")],
    ["closes its port", (client: PortPeer) => client.port.close()],
  ])("is aborted when the client %s, and a late connection is closed", async (_, abandon) => {
    const client = new PortPeer();
    const { transport, signals, outcome } = deferredTransport();
    const late = closable();
    const running = bridge(client.other, transport);
    client.post("hello", { attempt: 1 });
    const signal = await signals.next();
    abandon(client);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    outcome.resolve(late.connection);
    await late.closed;
    await running.close();
    expect(client.types).not.toContain("opened");
  });

  test("is aborted when the bridge is closed", async () => {
    const client = new PortPeer();
    const { transport, signals } = deferredTransport();
    const running = bridge(client.other, transport);
    client.post("hello", { attempt: 1 });
    const signal = await signals.next();
    await running.close();
    expect(signal.aborted).toBe(true);
    expect(await running.ended).toMatchObject({ side: "bridge", reason: "the bridge was closed" });
    expect(await client.until("goodbye")).toMatchObject({ reason: "the bridge was closed" });
    await client.gone;
  });

  test("leaves no connection if it succeeds in any turn around close()", async () => {
    for (let turns = -12; turns <= 12; turns++) {
      const client = new PortPeer();
      const { transport, signals, outcome } = deferredTransport();
      const { connection, closed } = closable();
      const running = bridge(client.other, transport);
      client.post("hello", { attempt: 1 });
      await signals.next();
      const steps = [() => running.close(), async () => outcome.resolve(connection)];
      const [first, second] = turns < 0 ? steps : steps.reverse();
      const begun = first?.();
      for (let turn = 0; turn < Math.abs(turns); turn++) await undefined;
      await Promise.all([begun, second?.(), closed]);
    }
  });

  test.each(["hello", "withdrawn", "accepted"])(
    "leaves no connection and reports no error if the client's %s crosses with close()",
    async (type) => {
      for (let turns = 0; turns <= 8; turns++) {
        const opened = deferred<void>();
        const port = new ScriptedPort((message) => message.type === "opened" && opened.resolve());
        const { connection, closed } = closable();
        const running = bridge(port, { reconnectable: true, connect: async () => connection });
        if (type !== "hello") {
          port.deliver("hello", { attempt: 1 });
          await opened.promise;
        }
        const closing = running.close();
        for (let turn = 0; turn < turns; turn++) await undefined;
        port.deliver(type, { attempt: 1 });
        await closing;
        if (type !== "hello") await closed;
        expect(await running.ended).toMatchObject({ side: "bridge" });
        expect(port.posted.at(-1)).toMatchObject({ type: "goodbye", reason: "the bridge was closed" });
      }
    },
  );

  test("leaves no connection if it is withdrawn once opened, and the next request gets a new one", async () => {
    const client = new PortPeer();
    const { transport, connections } = scriptedServer();
    const running = bridge(client.other, transport);
    client.post("hello", { attempt: 1 });
    await client.until("opened");
    const first = new Recorder(await connections.next());
    client.post("withdrawn", { attempt: 1 });
    client.post("hello", { attempt: 2 });
    await first.ended;
    expect(await client.until("opened")).toMatchObject({ attempt: 2 });
    client.post("accepted", { attempt: 2 });
    client.port.postMessage("frame");
    const second = new Recorder(await connections.next());
    expect(await second.entries(1)).toEqual(["frame"]);
    await running.close();
  });
});

describe("a connection of bridge()", () => {
  test("delivers frames that the server sent before the client accepted it", async () => {
    const client = new PortPeer();
    const { transport, connections } = scriptedServer();
    const running = bridge(client.other, transport);
    client.post("hello", { attempt: 1 });
    (await connections.next()).send("early");
    await client.until("opened");
    client.post("ping");
    await client.until("pong");
    expect(client.received).not.toContain("early");
    client.post("accepted", { attempt: 1 });
    expect(await client.next()).toBe("early");
    await running.close();
  });

  test("closes after all frames of the client when the client posts a close message", async () => {
    const { client, running, recorder } = await bridged();
    for (let n = 0; n < 100; n++) client.port.postMessage(`${n}`);
    client.post("goodbye", { reason: "done" });
    await recorder.ended;
    expect(recorder.log).toHaveLength(101);
    expect(await running.ended).toEqual({
      side: "client",
      reason: "done",
      closeCode: undefined,
      error: undefined,
    });
    await client.gone;
  });

  test("closes when the client's port is closed", async () => {
    const { client, running, recorder } = await bridged();
    client.port.close();
    await recorder.ended;
    expect(await running.ended).toMatchObject({ side: "client" });
  });

  test("reports the end of the server to the client after all frames of the server", async () => {
    const { client, running, connection } = await bridged();
    for (let n = 0; n < 100; n++) connection.send(`${n}`);
    connection.end({
      reason: "broke at wss://user:s3cret@host/",
      closeCode: 1006,
      cause: Object.assign(new Error("at wss://user:s3cret@host/"), { code: "ECONNRESET" }),
    });
    await client.gone;
    expect(client.received.slice(-101, -1)).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`));
    expect(client.received.at(-1)).toMatchObject({
      type: "goodbye",
      reason: "broke at wss://host/",
      closeCode: 1006,
      error: { code: "ECONNRESET", message: "at wss://host/" },
    });
    expect(await running.ended).toMatchObject({
      side: "server",
      reason: "broke at wss://host/",
      closeCode: 1006,
    });
  });

  test("closes on both sides by close(), also if called twice and by disposal", async () => {
    const { client, running, recorder } = await bridged();
    await Promise.all([running.close(), running.close(), running[Symbol.asyncDispose]()]);
    await recorder.ended;
    await client.gone;
    expect(await running.ended).toMatchObject({ side: "bridge" });
  });

  test.each([
    ["posts an invalid message", (client: PortPeer) => client.port.postMessage({ foo: 1 })],
    ["requests another connection", (client: PortPeer) => client.post("hello", { attempt: 2 })],
    ["accepts it twice", (client: PortPeer) => client.post("accepted", { attempt: 1 })],
    ["posts an answer", (client: PortPeer) => client.post("opened", { attempt: 1 })],
  ])("closes on a client that %s", async (_, misbehave) => {
    const { client, recorder, dials } = await bridged();
    client.port.postMessage("before");
    misbehave(client);
    client.port.postMessage("behind");
    await recorder.ended;
    expect(recorder.log).toEqual(["before", "<end>"]);
    await client.gone;
    expect(client.received.at(-1)).toMatchObject({ type: "goodbye", error: { name: "ProtocolError" } });
    expect(dials).toHaveLength(1);
  });

  test("closes on a message that is too long, and does not forward it", async () => {
    const { client, running, recorder } = await bridged();
    client.port.postMessage("x".repeat(16 * 1024 * 1024 + 1));
    await recorder.ended;
    expect(recorder.log).toEqual(["<end>"]);
    expect(await running.ended).toMatchObject({
      side: "client",
      reason: "the client's message is too long",
    });
  });

  test("pauses the server while the client does not read, and resumes it afterwards", async () => {
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
    const running = bridge(client.other, { reconnectable: true, connect: async () => server });
    client.post("hello", { attempt: 1 });
    await client.until("opened");
    client.post("accepted", { attempt: 1 });
    client.post("ping");
    await client.until("pong");
    receive("x".repeat(1024 * 1024));
    expect(calls).toEqual([]);
    receive("x");
    expect(calls).toEqual(["pause"]);
    await client.until("flush");
    client.post("received", { length: 1024 * 1024 + 1 });
    client.post("flushed");
    await expect.poll(() => calls).toEqual(["pause", "resume"]);
    await running.close();
  });
});

test.each([
  ["a missing port", undefined, scriptedServer().transport],
  ["a missing transport", new MessageChannel().port1, undefined],
  ["a URL instead of a transport", new MessageChannel().port1, "ws://127.0.0.1"],
])("bridge() throws for %s", (_, port, transport) => {
  expect(() => bridge(port as never, transport as never)).toThrow(
    expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
  );
});
