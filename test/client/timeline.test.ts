import { describe, expect, it } from "vitest";
import type { TimelineEntry } from "../../src/client/connection-status.ts";
import { LazyExecServerClient } from "../../src/client/lazy-client.ts";
import { ConnectError } from "../../src/errors.ts";
import { silence, TestServer } from "../../src/testing.ts";
import type { Connection, ConnectionEnd } from "../../src/transport/transport.ts";
import { webSocket } from "../../src/transport/websocket/websocket.ts";
import { ExecServer } from "../support/exec-server.ts";
import { memoryTransport } from "../support/memory-transport.ts";

type Ended = Connection & { end(end: ConnectionEnd): void };

/** A server that answers the handshake and nothing else. */
function shakesHands() {
  const connections: Ended[] = [];
  const transport = memoryTransport((server) => {
    const sessionId = `s-${connections.push(server)}`;
    server.start({
      onFrame(frame) {
        const { id, method } = JSON.parse(String(frame));
        if (method === "initialize") server.send(JSON.stringify({ id, result: { sessionId } }));
      },
      onEnd() {},
    });
  });
  const client = new LazyExecServerClient({ transport });
  return { connections, transport, client };
}

/** The same, on channels of which the test says whether they are open. */
function shakesHandsOn(channel: { isOpen: boolean }) {
  const { connections, transport } = shakesHands();
  const client = new LazyExecServerClient({
    transport: {
      reconnectable: true,
      async connect(context) {
        const inner = await transport.connect(context);
        return {
          start: (receiver) => inner.start(receiver),
          send: (frame) => inner.send(frame),
          close: () => inner.close(),
          get isOpen() {
            return channel.isOpen;
          },
        };
      },
    },
  });
  return { connections, client };
}

const outline = (entries: readonly TimelineEntry[]) =>
  entries.map(({ state, cause, sessionId }) => [state, cause, sessionId].filter(Boolean).join(" "));

describe("the timeline", () => {
  it("is empty before the first use", () => {
    expect(shakesHands().client.timeline).toEqual([]);
  });

  it("tells what was dialled and why, how long it took, who ended it and what was pending, on a real server", async () => {
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

  it("counts the requests that had no answer by their method", async () => {
    const { client, connections } = shakesHands();
    await client.get();
    const calls = [client.status(), client.status(), client.info()];
    for (const call of calls) call.catch(() => {});
    await Promise.resolve();
    connections[0]?.end({ reason: "goodbye" });
    await Promise.allSettled(calls);
    expect(client.timeline.at(-1)).toMatchObject({
      closedBy: "server",
      pending: { requests: { "environment/status": 2, "environment/info": 1 } },
      error: { message: "The exec-server connection ended: goodbye" },
    });
  });

  it("completes the entry of a loss that was noticed before its end was told", async () => {
    const channel = { isOpen: true };
    const { client, connections } = shakesHandsOn(channel);
    const first = await client.get();
    channel.isOpen = false;
    const again = client.get();
    channel.isOpen = true;
    expect(client.timeline.at(-2)).toMatchObject({ state: "disconnected", sessionId: "s-1" });
    expect(client.timeline.at(-2)).not.toHaveProperty("error");
    connections[0]?.end({ reason: "late" });
    await first.disconnected;
    await again;
    expect(client.timeline.find(({ state }) => state === "disconnected")).toMatchObject({
      closedBy: "server",
      error: { code: "ERR_DISCONNECTED" },
    });
  });

  it("tells who ended a session that was over together with its handshake", async () => {
    await using server = new TestServer();
    server.handle("initialize", (request, connection) => {
      connection.answer(request, { sessionId: "s-1" });
      connection.send("no JSON");
      return silence;
    });
    const client = new LazyExecServerClient({ transport: server.transport });
    const { disconnected } = await client.get();
    await disconnected;
    expect(outline(client.timeline)).toEqual(["connecting first-use", "connected s-1", "disconnected s-1"]);
    expect(client.timeline.at(-1)).toMatchObject({
      closedBy: "client",
      pending: { requests: {}, processes: 0, bodies: 0 },
      error: { code: "ERR_DISCONNECTED" },
    });
  });

  it("keeps the newest 100 entries, and is the caller's own copy", async () => {
    const { client, connections } = shakesHands();
    for (let round = 0; round < 50; round++) {
      const live = await client.get();
      connections[round]?.end({});
      await live.disconnected;
    }
    const { timeline } = client;
    expect(timeline).toHaveLength(100);
    expect(timeline.at(-1)).toMatchObject({ state: "disconnected", sessionId: "s-50" });
    (timeline as TimelineEntry[]).length = 0;
    expect(client.timeline).toHaveLength(100);
  });
});
