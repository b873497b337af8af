import { describe, expect, it, vi } from "vitest";
import { ExecServerClient, webSocket } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { listen } from "../../src/testing-node.ts";
import type { Connection, ConnectionReceiver } from "../../src/transport/transport.ts";
import { failureOf } from "../support/failure.ts";
import { readAll } from "../support/read.ts";
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
