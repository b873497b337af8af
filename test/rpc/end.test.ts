import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DisconnectedError, ProtocolError } from "../../src/errors.ts";
import { ExecServerClient, webSocket } from "../../src/index.ts";
import type { Ending } from "../../src/rpc/peer.ts";
import { TestServer } from "../../src/testing.ts";
import { listen } from "../../src/testing-node.ts";
import type { Connection, ConnectionReceiver } from "../../src/transport/transport.ts";
import { failureOf } from "../support/failure.ts";
import { readAll } from "../support/read.ts";
import { scriptedPeer } from "../support/scripted-peer.ts";
import { scriptedProcess } from "../support/scripted-process.ts";

/** A client on a connection whose every event the test brings about itself, in the turn it likes. */
async function played() {
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
  it("says which code the WebSocket closed with when the server gives no reason", async () => {
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

  it("by a frame that is no JSON fails processes too, after their output", async () => {
    await using it = await scriptedProcess();
    it.output(1, "before");
    it.connection.send("}{");
    const { pieces, error } = await readAll(it.process);
    expect(pieces).toEqual(["stdout:before"]);
    expect(error).toMatchObject({ code: "ERR_DISCONNECTED", cause: { code: "ERR_PROTOCOL" } });
    expect(await failureOf(it.process.exited)).toBe(error);
  });

  it("that shows before it is told fails a call made in between as soon as it is, and nothing is sent", async () => {
    const { client, connection, sent, receiver } = await played();
    const before = sent.length;
    connection.isOpen = false;
    expect(client.isDisconnected).toBe(true);
    const call = failureOf(client.status());
    receiver.onEnd({ reason: "cable cut" });
    expect(await call).toMatchObject({ code: "ERR_DISCONNECTED", reason: "cable cut", delivery: "not-sent" });
    expect(sent).toHaveLength(before);
  });
});

describe("a call made after the end", () => {
  // One fewer than there is room for, all the room, and so many that some wait for room.
  it.each([127, 128, 300])("fails at once, also if %i others had no answer", async (unanswered) => {
    const { client, connection, sent, receiver } = await played();
    const calls = Array.from({ length: unanswered }, () => failureOf(client.status()));
    connection.isOpen = false;
    const between = failureOf(client.status());
    receiver.onEnd({ reason: "cable cut" });
    await Promise.all(calls);
    const before = sent.length;
    const late = { code: "ERR_DISCONNECTED", reason: "cable cut", delivery: "not-sent" };
    for (const call of [
      between,
      failureOf(client.status()),
      failureOf(client.fs.readFile("/a")),
      failureOf(client.fetch("http://a/")),
    ])
      expect(await call).toMatchObject(late);
    expect(sent).toHaveLength(before);
  });
});

describe("several ends at once", () => {
  type Played = Awaited<ReturnType<typeof played>>;
  const ends: Readonly<Record<string, (it: Played) => unknown>> = {
    "a broken frame": ({ receiver }) => receiver.onFrame("}{"),
    "a lost connection": ({ receiver }) => receiver.onEnd({ reason: "cable cut", closeCode: 1006 }),
    "our own close": ({ client }) => client.close(),
  };
  const said: Readonly<Record<string, string>> = {
    "a broken frame": "not JSON",
    "a lost connection": "cable cut",
    "our own close": "was closed",
  };
  const names = Object.keys(ends);
  const orders = names.flatMap((first) =>
    names
      .filter((second) => second !== first)
      .map((second) => [first, second, names.find((name) => name !== first && name !== second) as string]),
  );

  it.each(orders)("are told as the first to everyone: %s, then %s, then %s", async (...order) => {
    const it = await played();
    const process = await it.client.start(["program"], { cwd: "/", processId: "p" });
    const calls = [failureOf(it.client.status()), failureOf(process.terminate())];
    for (const name of order) void ends[name]?.(it);
    calls.push(failureOf(it.client.status()), failureOf(process.closed), failureOf(process.exited));
    const { message } = await it.client.disconnected;
    expect(message).toContain(said[order[0] as string]);
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ message });
  });
});

describe("a call that nobody limits", () => {
  it("waits for its answer however long that takes, with no timer running", async () => {
    const { client, sent, answer } = await played();
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

describe("the record of an end", () => {
  const ended = (end: (it: ReturnType<typeof scriptedPeer>) => unknown) => {
    const endings: Ending[] = [];
    const it = scriptedPeer();
    it.rpc.onEnd((_, ending) => void endings.push(ending));
    it.rpc.call(STATUS, null).catch(() => {});
    it.rpc.call("environment/info", null).catch(() => {});
    it.receive({ id: 1, result: { status: "ready" } });
    end(it);
    return endings;
  };

  it.each([
    ["server", "says goodbye", { closeCode: 1000 }],
    ["server", "ends without a code", {}],
    ["network", "breaks without a goodbye", { closeCode: 1006 }],
  ])("says %s when the connection %s, and which calls had no answer", (closedBy, _, end) => {
    expect(ended(({ receiver }) => receiver.onEnd(end))).toEqual([
      { closedBy, unanswered: ["environment/info"] },
    ]);
  });

  it("says client when it is closed from here, once, however often", () => {
    expect(
      ended(({ rpc, receiver }) => {
        void rpc.close();
        void rpc.close();
        receiver.onEnd({ closeCode: 1006 });
      }),
    ).toEqual([{ closedBy: "client", unanswered: ["environment/info"] }]);
  });

  it("is made when every call has been told, and nothing is left that waits", async () => {
    const order: string[] = [];
    const it = scriptedPeer();
    it.rpc.onEnd(() => void order.push(`end with ${it.rpc.unanswered.size} pending`));
    const call = it.rpc.call(STATUS, null).catch(() => order.push("call"));
    it.receiver.onEnd({});
    await call;
    expect(order).toEqual(["end with 0 pending", "call"]);
    expect(await it.rpc.ended).toBe(it.rpc.failure);
    expect(it.rpc.failure).toMatchObject({ reason: "the connection was lost", sessionId: "session-1" });
  });

  it("comes to the calls first, also to those that were waiting for their turn", async () => {
    const order: string[] = [];
    const it = scriptedPeer();
    void it.rpc.ended.then(() => order.push("others"));
    const calls = Array.from({ length: 129 }, () =>
      it.rpc.request("x", {}, undefined).catch(() => order.push("call")),
    );
    it.receiver.onEnd({});
    await Promise.all(calls);
    await it.rpc.ended;
    expect(order).toEqual([...Array(129).fill("call"), "others"]);
  });

  it("says why in the words, with the code and the cause of the channel", () => {
    const it = scriptedPeer();
    it.receiver.onEnd({ reason: "cable cut", closeCode: 1006, cause: new ProtocolError("nonsense") });
    expect(it.rpc.failure).toMatchObject({
      reason: "cable cut",
      closeCode: 1006,
      cause: { code: "ERR_PROTOCOL" },
    });
  });
});

describe("a connection that has closed without telling its end", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("counts as disconnected, sends nothing, and is closed from here after a second", async () => {
    const it = scriptedPeer();
    expect(it.rpc.isDisconnected).toBe(false);
    it.connection.isOpen = false;
    expect(it.rpc.isDisconnected).toBe(true);
    it.rpc.notify("x", {});
    const call = failureOf(it.rpc.call(STATUS, null));
    expect(it.sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(999);
    expect(it.connection.closes).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(it.connection.closes).toBe(1);
    it.receiver.onEnd({ reason: "cable cut" });
    expect(await call).toMatchObject({ reason: "cable cut", delivery: "not-sent" });
    expect(it.rpc.isDisconnected).toBe(true);
  });

  it("is not waited for when its end has been told", async () => {
    const it = scriptedPeer();
    it.receiver.onEnd({ reason: "cable cut" });
    expect(await it.rpc.lost()).toBe(it.rpc.failure);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(it.connection.closes).toBe(0);
  });
});

describe("close()", () => {
  it("ends the connection with the failure given, and waits for the channel", async () => {
    let settle!: () => void;
    const closing = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const it = scriptedPeer({}, { close: () => closing });
    const failure = new DisconnectedError("no sign of life");
    let isClosed = false;
    const closed = it.rpc.close(failure).then(() => {
      isClosed = true;
    });
    expect(it.rpc.failure).toBe(failure);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    settle();
    await closed;
  });

  it("says by itself who closed what", async () => {
    const it = scriptedPeer();
    await it.rpc.close();
    expect(it.rpc.failure).toMatchObject({ code: "ERR_CLOSED", sessionId: "session-1" });
  });
});
