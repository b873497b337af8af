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

/** A server that reads nothing, and is closed when asked to. */
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
  const it = bridge(client.other, transport, livenessMs === undefined ? {} : { livenessMs });
  client.say("hello", { attempt: 1 });
  await client.until("opened");
  client.say("accepted", { attempt: 1 });
  client.say("flush");
  await client.until("flushed");
  return { client, bridge: it };
}

describe("a bridge", () => {
  test("whose client was silent for the stated time ends, and with it its connection to the server", async () => {
    const { transport, calls } = stuckServer();
    const { client, bridge: it } = await bridgedTo(transport);
    vi.advanceTimersByTime(SLICE);
    await client.until("ping");
    vi.advanceTimersByTime(LIVENESS_MS);
    // What it has said has no one to reach any more.
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await it.ended).toMatchObject({
      side: "client",
      reason: "the other side of the message port was silent for 30000 ms",
    });
    expect(calls).toContain("close");
    await client.gone;
    expect(vi.getTimerCount()).toBe(0);
  });

  test("keeps a client that answers, for however long nothing else happens", async () => {
    const { transport, calls } = stuckServer();
    const { client, bridge: it } = await bridgedTo(transport);
    for (let n = 0; n < 100; n++) {
      vi.advanceTimersByTime(SLICE);
      await client.until("ping");
      client.say("pong");
      client.say("flush");
      await client.until("flushed");
    }
    expect(calls).toEqual([]);
    await it.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("minds silence while it dials, and none before and between", async () => {
    const client = new PortPeer();
    let isAborted = false;
    bridge(client.other, {
      reconnectable: true,
      connect: ({ signal: abandoned }) => {
        abandoned.addEventListener("abort", () => {
          isAborted = true;
        });
        return new Promise(() => {});
      },
    });
    vi.advanceTimersByTime(100 * LIVENESS_MS);
    client.say("hello", { attempt: 1 });
    client.say("withdrawn", { attempt: 1 });
    client.say("flush");
    await client.until("flushed");
    expect(isAborted).toBe(true);
    isAborted = false;
    vi.advanceTimersByTime(100 * LIVENESS_MS);
    expect(client.types).toEqual(["flushed"]);
    client.say("hello", { attempt: 2 });
    client.say("flush");
    await client.until("flushed");
    vi.advanceTimersByTime(LIVENESS_MS + SLICE);
    await client.gone;
    expect(isAborted).toBe(true);
  });

  test("takes its own time", async () => {
    const { client } = await bridgedTo(stuckServer().transport, 500);
    vi.advanceTimersByTime(500);
    client.say("flush");
    await client.until("flushed");
    vi.advanceTimersByTime(600);
    await client.gone;
  });

  test("whose client leaves while a stuck server holds it up frees both within five seconds", async () => {
    const { transport, calls } = stuckServer();
    const { client, bridge: it } = await bridgedTo(transport);
    client.port.postMessage("1");
    client.port.postMessage("2");
    client.say("goodbye");
    await client.gone;
    expect(calls).toContain("drained");
    expect(calls).not.toContain("close");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await it.ended).toMatchObject({ side: "client" });
    expect(calls).toContain("close");
  });
});

describe("a client", () => {
  async function connected() {
    const peer = new PortPeer();
    const connecting = messagePort(peer.other).connect({ signal });
    peer.say("opened", { attempt: (await peer.until("hello")).attempt });
    return { peer, recorder: new Recorder(await connecting) };
  }

  test("whose bridge was silent for the stated time is disconnected, and says goodbye", async () => {
    const { peer, recorder } = await connected();
    vi.advanceTimersByTime(LIVENESS_MS + SLICE);
    expect(await recorder.ended).toEqual({
      reason: "the other side of the message port was silent for 30000 ms",
    });
    await peer.gone;
    expect(peer.types.slice(-2)).toEqual(["ping", "goodbye"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is not disconnected by a night's sleep, nor by a page that is hidden", async () => {
    const { peer, recorder } = await connected();
    for (let n = 0; n < 100; n++) {
      vi.setSystemTime(Date.now() + 60_000 - SLICE);
      vi.advanceTimersByTime(SLICE);
    }
    peer.say("pong");
    peer.port.postMessage("still here");
    expect(await recorder.entries(1)).toEqual(["still here"]);
  });

  test("gives up a dial that nobody answers", async () => {
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

test("a page that is left says so, on whichever side it is", async () => {
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  try {
    const { transport, calls } = stuckServer();
    const { client, bridge: it } = await bridgedTo(transport);
    page.dispatchEvent(new Event("pagehide"));
    expect(await client.until("goodbye")).toMatchObject({
      reason: "the page on one side of the message port was left",
    });
    await vi.advanceTimersByTimeAsync(5_000);
    await it.ended;
    expect(calls).toContain("close");
    // Nothing is left to be told.
    page.dispatchEvent(new Event("pagehide"));
  } finally {
    vi.unstubAllGlobals();
  }
});
