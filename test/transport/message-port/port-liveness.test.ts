import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bridge, messagePort } from "../../../src/index.ts";
import type { Connection } from "../../../src/transport/transport.ts";
import { failureOf } from "../../support/failure.ts";
import { PortPeer } from "../../support/port-peer.ts";
import { Recorder } from "../../support/recorder.ts";

const { signal } = new AbortController();
const LIVENESS_MS = 30_000;
const SLICE = LIVENESS_MS / 5;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A server that never drains, and records the calls of its connection. */
function stuckServer() {
  const calls: string[] = [];
  const server: Connection = {
    isOpen: true,
    start() {},
    send() {},
    close: async () => void calls.push("close"),
    flow: {
      pause() {},
      resume() {},
      queuedBytes: Number.POSITIVE_INFINITY,
      drained: () => {
        calls.push("drained");
        return new Promise(() => {});
      },
    },
  };
  return { transport: { reconnectable: true, connect: async () => server }, calls };
}

async function bridgedTo(transport: Parameters<typeof bridge>[1], livenessMs?: number) {
  const client = new PortPeer();
  const running = bridge(client.other, transport, livenessMs === undefined ? {} : { livenessMs });
  client.post("hello", { attempt: 1 });
  await client.until("opened");
  client.post("accepted", { attempt: 1 });
  client.post("flush");
  await client.until("flushed");
  return { client, running };
}

describe("a bridge", () => {
  test("ends and closes the server's connection when its client is silent for livenessMs", async () => {
    const { transport, calls } = stuckServer();
    const { client, running } = await bridgedTo(transport);
    vi.advanceTimersByTime(SLICE);
    await client.until("ping");
    vi.advanceTimersByTime(LIVENESS_MS);
    // The server never drains, so its connection is closed after five seconds.
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await running.ended).toMatchObject({
      side: "client",
      reason: "the other side of the message port was silent for 30000 ms",
    });
    expect(calls).toContain("close");
    await client.gone;
    expect(vi.getTimerCount()).toBe(0);
  });

  test("keeps a client that answers pings", async () => {
    const { transport, calls } = stuckServer();
    const { client, running } = await bridgedTo(transport);
    for (let n = 0; n < 100; n++) {
      vi.advanceTimersByTime(SLICE);
      await client.until("ping");
      client.post("pong");
      client.post("flush");
      await client.until("flushed");
    }
    expect(calls).toEqual([]);
    await running.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("counts silence while it dials, but not before and between attempts", async () => {
    const client = new PortPeer();
    let isAborted = false;
    bridge(client.other, {
      reconnectable: true,
      connect: (context) => {
        context.signal.addEventListener("abort", () => {
          isAborted = true;
        });
        return new Promise(() => {});
      },
    });
    vi.advanceTimersByTime(100 * LIVENESS_MS);
    client.post("hello", { attempt: 1 });
    client.post("withdrawn", { attempt: 1 });
    client.post("flush");
    await client.until("flushed");
    expect(isAborted).toBe(true);
    isAborted = false;
    vi.advanceTimersByTime(100 * LIVENESS_MS);
    expect(client.types).toEqual(["flushed"]);
    client.post("hello", { attempt: 2 });
    client.post("flush");
    await client.until("flushed");
    vi.advanceTimersByTime(LIVENESS_MS + SLICE);
    await client.gone;
    expect(isAborted).toBe(true);
  });

  test("uses the livenessMs option", async () => {
    const { client } = await bridgedTo(stuckServer().transport, 500);
    vi.advanceTimersByTime(500);
    client.post("flush");
    await client.until("flushed");
    vi.advanceTimersByTime(600);
    await client.gone;
  });

  test("closes both within five seconds when its client closes while the server never drains", async () => {
    const { transport, calls } = stuckServer();
    const { client, running } = await bridgedTo(transport);
    client.port.postMessage("1");
    client.port.postMessage("2");
    client.post("goodbye");
    await client.gone;
    expect(calls).toContain("drained");
    expect(calls).not.toContain("close");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await running.ended).toMatchObject({ side: "client" });
    expect(calls).toContain("close");
  });
});

describe("a client", () => {
  async function connected() {
    const peer = new PortPeer();
    const connecting = messagePort(peer.other).connect({ signal });
    peer.post("opened", { attempt: (await peer.until("hello")).attempt });
    return { peer, recorder: new Recorder(await connecting) };
  }

  test("is disconnected and posts a close message when its bridge is silent for livenessMs", async () => {
    const { peer, recorder } = await connected();
    vi.advanceTimersByTime(LIVENESS_MS + SLICE);
    expect(await recorder.ended).toEqual({
      reason: "the other side of the message port was silent for 30000 ms",
    });
    await peer.gone;
    expect(peer.types.slice(-2)).toEqual(["ping", "goodbye"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is not disconnected by time in which its timers did not run", async () => {
    const { peer, recorder } = await connected();
    for (let n = 0; n < 100; n++) {
      vi.setSystemTime(Date.now() + 60_000 - SLICE);
      vi.advanceTimersByTime(SLICE);
    }
    peer.post("pong");
    peer.port.postMessage("after the sleep");
    expect(await recorder.entries(1)).toEqual(["after the sleep"]);
  });

  test("fails a dial without an answer after livenessMs", async () => {
    const peer = new PortPeer();
    const connecting = failureOf(messagePort(peer.other).connect({ signal }));
    await peer.until("hello");
    vi.advanceTimersByTime(LIVENESS_MS + SLICE);
    expect(await connecting).toMatchObject({
      code: "ERR_CONNECT",
      message: expect.stringContaining("was silent"),
    });
    await peer.gone;
  });
});

test("a bridge in a page posts a close message when the page is unloaded", async () => {
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  try {
    const { transport, calls } = stuckServer();
    const { client, running } = await bridgedTo(transport);
    page.dispatchEvent(new Event("pagehide"));
    expect(await client.until("goodbye")).toMatchObject({
      reason: "the page on one side of the message port was left",
    });
    await vi.advanceTimersByTimeAsync(5_000);
    await running.ended;
    expect(calls).toContain("close");
    // A second event has no effect.
    page.dispatchEvent(new Event("pagehide"));
  } finally {
    vi.unstubAllGlobals();
  }
});
