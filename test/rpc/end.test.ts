import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DisconnectedError, ProtocolError } from "../../src/errors/connection.ts";
import { ExecServerClient, webSocket } from "../../src/index.ts";
import { inOperation } from "../../src/internal/operation.ts";
import type { Ending } from "../../src/rpc/end-latch.ts";
import { TestServer } from "../../src/testing.ts";
import { listen } from "../../src/testing-node.ts";
import type { Connection, ConnectionReceiver } from "../../src/transport/transport.ts";
import { failureOf } from "../support/failure.ts";
import { readAll } from "../support/read.ts";
import { scriptedPeer } from "../support/scripted-peer.ts";
import { scriptedProcess } from "../support/scripted-process.ts";

/** A client on a fake connection. The test decides which events it has, and when. */
async function clientOnFakeConnection() {
  let receiver!: ConnectionReceiver;
  const sent: { id?: number; method?: string; params?: { processId?: string } }[] = [];
  const answer = (id: number | undefined, result: unknown): void =>
    receiver.onFrame(JSON.stringify({ id, result }));
  const connection: Connection & { isOpen: boolean } = {
    isOpen: true,
    start(to: ConnectionReceiver) {
      receiver = to;
    },
    send(frame: string) {
      const message = JSON.parse(frame);
      sent.push(message);
      if (message.method === "initialize") answer(message.id, { sessionId: "s" });
      if (message.method === "process/start") answer(message.id, message.params);
    },
    async close() {
      this.isOpen = false;
    },
  };
  const client = await ExecServerClient.connect({
    transport: { reconnectable: true, connect: async () => connection },
  });
  return { client, connection, sent, answer, receiver };
}

const STATUS = "environment/status";

describe("the end of a connection", () => {
  it("names no operation in the failure that everything on it shares", async () => {
    const t = scriptedPeer();
    t.receiver.onEnd({ reason: "maintenance" });
    const failure = await t.rpc.ended;
    const { message } = failure;
    const read = () => inOperation({ operation: "whenAppears" }, undefined, () => Promise.reject(failure));
    expect(await failureOf(read())).toBe(failure);
    expect({ operation: failure.operation, message: failure.message }).toEqual({
      operation: undefined,
      message,
    });
  });

  it("is notified at once to a listener that is added later", async () => {
    const t = scriptedPeer();
    const call = failureOf(t.rpc.call(STATUS, null));
    t.receiver.onEnd({ reason: "maintenance" });
    await call;
    const endings: [unknown, Ending][] = [];
    t.rpc.onEnd((...end) => endings.push(end));
    expect(endings).toEqual([[t.rpc.failure, { closedBy: "server", unanswered: [STATUS] }]]);
  });

  it("names the WebSocket close code if the server sends no reason", async () => {
    await using server = new TestServer();
    await using listening = await listen(server);
    for (const transport of [webSocket(listening.url), server.transport]) {
      await using client = await ExecServerClient.connect({ transport });
      (await server.connection(server.connections.length)).close(4001);
      expect(await client.disconnected).toMatchObject({
        code: "ERR_DISCONNECTED",
        closeCode: 4001,
        message: "The exec-server connection ended: the WebSocket closed with code 4001",
      });
    }
  });

  it("after a frame that is not JSON fails processes too, after their output", async () => {
    await using t = await scriptedProcess();
    t.output(1, "before");
    t.connection.send("}{");
    const { pieces, error } = await readAll(t.process);
    expect(pieces).toEqual(["stdout:before"]);
    expect(error).toMatchObject({ code: "ERR_DISCONNECTED", cause: { code: "ERR_PROTOCOL" } });
    expect(await failureOf(t.process.exited)).toBe(error);
  });

  it("rejects a call made after the socket closed but before its close event, unsent", async () => {
    const { client, connection, sent, receiver } = await clientOnFakeConnection();
    const before = sent.length;
    connection.isOpen = false;
    expect(client.isDisconnected).toBe(true);
    const call = failureOf(client.status());
    receiver.onEnd({ reason: "network down" });
    expect(await call).toMatchObject({
      code: "ERR_DISCONNECTED",
      reason: "network down",
      delivery: "not-sent",
    });
    expect(sent).toHaveLength(before);
  });
});

describe("a call made after the end", () => {
  // One below the limit of requests in flight, the limit, and more, so that some are queued.
  it.each([127, 128, 300])("rejects at once, unsent, even if %i others were pending", async (pending) => {
    const { client, connection, sent, receiver } = await clientOnFakeConnection();
    const calls = Array.from({ length: pending }, () => failureOf(client.status()));
    connection.isOpen = false;
    const beforeCloseEvent = failureOf(client.status());
    receiver.onEnd({ reason: "network down" });
    await Promise.all(calls);
    const before = sent.length;
    const late = { code: "ERR_DISCONNECTED", reason: "network down", delivery: "not-sent" };
    for (const call of [
      beforeCloseEvent,
      failureOf(client.status()),
      failureOf(client.fs.readFile("/a")),
      failureOf(client.fetch("http://a/")),
    ])
      expect(await call).toMatchObject(late);
    expect(sent).toHaveLength(before);
  });
});

describe("several ends at once", () => {
  type Setup = Awaited<ReturnType<typeof clientOnFakeConnection>>;
  const ends: Readonly<Record<string, (t: Setup) => unknown>> = {
    "a broken frame": ({ receiver }) => receiver.onFrame("}{"),
    "a lost connection": ({ receiver }) => receiver.onEnd({ reason: "network down", closeCode: 1006 }),
    "a close from this side": ({ client }) => client.close(),
  };
  const messages: Readonly<Record<string, string>> = {
    "a broken frame": "not JSON",
    "a lost connection": "network down",
    "a close from this side": "was closed",
  };
  const names = Object.keys(ends);
  const orders = names.flatMap((first) =>
    names
      .filter((second) => second !== first)
      .map((second) => [first, second, names.find((name) => name !== first && name !== second) as string]),
  );

  it.each(orders)("reject everything with the first: %s, then %s, then %s", async (...order) => {
    const t = await clientOnFakeConnection();
    const process = await t.client.start(["program"], { cwd: "/", processId: "p" });
    const calls = [failureOf(t.client.status()), failureOf(process.terminate())];
    for (const name of order) void ends[name]?.(t);
    calls.push(failureOf(t.client.status()), failureOf(process.closed), failureOf(process.exited));
    const { message } = await t.client.disconnected;
    expect(message).toContain(messages[order[0] as string]);
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ message: expect.stringContaining(message) });
    }
  });
});

describe("a call without signal and timeout", () => {
  it("waits for its response for any time, without a timer", async () => {
    const { client, sent, answer } = await clientOnFakeConnection();
    vi.useFakeTimers();
    try {
      let settled = false;
      const call = client.status().finally(() => {
        settled = true;
      });
      expect(vi.getTimerCount()).toBe(0);
      await vi.advanceTimersByTimeAsync(24 * 60 * 60 * 1_000);
      expect(settled).toBe(false);
      answer(sent.at(-1)?.id, { status: "ready" });
      expect(await call).toEqual({ status: "ready" });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("the ending that onEnd() reports", () => {
  const endingsAfter = (end: (t: ReturnType<typeof scriptedPeer>) => unknown) => {
    const endings: Ending[] = [];
    const t = scriptedPeer();
    t.rpc.onEnd((_, ending) => void endings.push(ending));
    t.rpc.call(STATUS, null).catch(() => {});
    t.rpc.call("environment/info", null).catch(() => {});
    t.receive({ id: 1, result: { status: "ready" } });
    end(t);
    return endings;
  };

  it.each([
    ["server", "closes with code 1000", { closeCode: 1000 }],
    ["server", "closes without a code", {}],
    ["network", "breaks without a close frame", { closeCode: 1006 }],
  ])("names %s when the connection %s, and the calls without a response", (closedBy, _, end) => {
    expect(endingsAfter(({ receiver }) => receiver.onEnd(end))).toEqual([
      { closedBy, unanswered: ["environment/info"] },
    ]);
  });

  it("names client when this side closes it, once, however often it closes", () => {
    expect(
      endingsAfter(({ rpc, receiver }) => {
        void rpc.close();
        void rpc.close();
        receiver.onEnd({ closeCode: 1006 });
      }),
    ).toEqual([{ closedBy: "client", unanswered: ["environment/info"] }]);
  });

  it("is made after every call has rejected and none is pending", async () => {
    const order: string[] = [];
    const t = scriptedPeer();
    t.rpc.onEnd(() => void order.push(`end with ${t.rpc.unanswered.size} pending`));
    const call = t.rpc.call(STATUS, null).catch(() => order.push("call"));
    t.receiver.onEnd({});
    await call;
    expect(order).toEqual(["end with 0 pending", "call"]);
    expect(await t.rpc.ended).toBe(t.rpc.failure);
    expect(t.rpc.failure).toMatchObject({ reason: "the connection was lost", sessionId: "session-1" });
  });

  it("reaches pending and queued calls before other listeners of `ended`", async () => {
    const order: string[] = [];
    const t = scriptedPeer();
    void t.rpc.ended.then(() => order.push("ended"));
    const calls = Array.from({ length: 129 }, () =>
      t.rpc.request("x", {}, undefined).catch(() => order.push("call")),
    );
    t.receiver.onEnd({});
    await Promise.all(calls);
    await t.rpc.ended;
    expect(order).toEqual([...Array(129).fill("call"), "ended"]);
  });

  it("has the reason, the close code and the cause of the transport", () => {
    const t = scriptedPeer();
    t.receiver.onEnd({ reason: "network down", closeCode: 1006, cause: new ProtocolError("invalid frame") });
    expect(t.rpc.failure).toMatchObject({
      reason: "network down",
      closeCode: 1006,
      cause: { code: "ERR_PROTOCOL" },
    });
  });
});

describe("a connection that has closed before its close event", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("counts as disconnected, sends nothing, and is closed by this side after one second", async () => {
    const t = scriptedPeer();
    expect(t.rpc.isDisconnected).toBe(false);
    t.connection.isOpen = false;
    expect(t.rpc.isDisconnected).toBe(true);
    t.rpc.notify("x", {});
    const call = failureOf(t.rpc.call(STATUS, null));
    expect(t.sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(999);
    expect(t.connection.closes).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(t.connection.closes).toBe(1);
    t.receiver.onEnd({ reason: "network down" });
    expect(await call).toMatchObject({ reason: "network down", delivery: "not-sent" });
    expect(t.rpc.isDisconnected).toBe(true);
  });

  it("is not closed again after its close event", async () => {
    const t = scriptedPeer();
    t.receiver.onEnd({ reason: "network down" });
    expect(await t.rpc.forceEnd()).toBe(t.rpc.failure);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(t.connection.closes).toBe(0);
  });
});

describe("disconnect()", () => {
  it("ends the connection with the given failure, and waits until the transport has closed", async () => {
    let settle!: () => void;
    const closing = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const t = scriptedPeer({}, { close: () => closing });
    const failure = new DisconnectedError("no sign of life");
    let isClosed = false;
    const closed = t.rpc.disconnect(failure).then(() => {
      isClosed = true;
    });
    expect(t.rpc.failure).toBe(failure);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    settle();
    await closed;
  });
});

describe("close()", () => {
  it("ends the connection with a ClosedError that has the session's id", async () => {
    const t = scriptedPeer();
    await t.rpc.close();
    expect(t.rpc.failure).toMatchObject({ code: "ERR_CLOSED", sessionId: "session-1" });
  });
});
