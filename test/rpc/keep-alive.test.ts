import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DisconnectedError } from "../../src/errors/connection.ts";
import { KeepAlive } from "../../src/rpc/keep-alive.ts";
import { RpcPeer } from "../../src/rpc/peer.ts";
import type { Connection } from "../../src/transport/transport.ts";
import { IdleDay, type WatchConnection } from "../support/idle-day.ts";
import { memoryTransport } from "../support/memory-transport.ts";
import { announceSeed, seeded } from "../support/seed.ts";

const INTERVAL = 30_000;
const TIMEOUT = 10_000;
/** How late a connection may end, in milliseconds: silence is checked every quarter of the shorter time. */
const TOLERANCE = TIMEOUT;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

interface Request {
  readonly id: number;
  readonly method: string;
}

/** A watched peer, and the server's side of its connection. */
async function setUp(ping?: () => Promise<void>, flow?: Connection["flow"]) {
  const requests: Request[] = [];
  let server!: Connection;
  const transport = memoryTransport((connection) => {
    server = connection;
    connection.start({ onFrame: (frame) => requests.push(JSON.parse(String(frame))), onEnd: () => {} });
  });
  const client = await transport.connect({ signal: new AbortController().signal });
  const connection: Connection = ping
    ? {
        start: (receiver) => client.start(receiver),
        send: (frame) => client.send(frame),
        close: () => client.close(),
        isOpen: true,
        ping,
        flow,
      }
    : client;
  const rpc = new RpcPeer(connection, { onRequest: () => undefined });
  KeepAlive.watch(rpc, { intervalMs: INTERVAL, timeoutMs: TIMEOUT });
  const answer = ({ id }: Request): void => server.send(JSON.stringify({ id, result: { status: "ready" } }));
  return { rpc, requests, server, answer, advance: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

describe("keepAlive", () => {
  it("does not judge a connection while this side pauses it, and judges it again afterwards", async () => {
    const flow = { pause() {}, resume() {}, queuedBytes: 0, drained: async () => {} };
    const { rpc, advance } = await setUp(() => new Promise(() => {}), flow);
    await advance(INTERVAL + TIMEOUT / 2);
    rpc.channel.setPaused(true);
    await advance(24 * 60 * 60_000);
    expect(rpc.failure).toBeUndefined();
    rpc.channel.setPaused(false);
    await advance(TIMEOUT + TOLERANCE);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
  });

  it("sends no probe while frames arrive", async () => {
    const { requests, server, advance } = await setUp();
    for (let i = 0; i < 20; i++) {
      server.send('{"method":"x","params":{}}');
      await advance(INTERVAL / 2);
    }
    expect(requests).toEqual([]);
  });

  it("requests the status after intervalMs of silence, and accepts any response", async () => {
    const { rpc, requests, server, advance } = await setUp();
    await advance(INTERVAL - 1);
    expect(requests).toEqual([]);
    await advance(1);
    expect(requests.map(({ method }) => method)).toEqual(["environment/status"]);
    server.send(JSON.stringify({ id: requests[0]?.id, error: { code: -32601, message: "unknown" } }));
    await advance(INTERVAL - 1);
    expect(rpc.failure).toBeUndefined();
    await advance(INTERVAL);
    expect(requests).toHaveLength(2);
  });

  it("ends a connection that stays silent for timeoutMs after that", async () => {
    const { rpc, advance } = await setUp();
    rpc.sessionId = "s-1";
    await advance(INTERVAL + TIMEOUT - 1);
    expect(rpc.failure).toBeUndefined();
    await advance(1);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
    expect(rpc.failure).toMatchObject({
      code: "ERR_DISCONNECTED",
      sessionId: "s-1",
      reason: "the server gave no sign of life within 10000 ms",
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("accepts any frame as a sign of life", async () => {
    const { rpc, server, advance } = await setUp();
    await advance(INTERVAL + TIMEOUT - 1);
    server.send('{"method":"x","params":{}}');
    await advance(TIMEOUT - 1);
    expect(rpc.failure).toBeUndefined();
  });

  it("pings if the transport can, and sends no request", async () => {
    const pongs: (() => void)[] = [];
    const { rpc, requests, advance } = await setUp(() => new Promise((resolve) => pongs.push(resolve)));
    await advance(INTERVAL);
    expect([pongs.length, requests.length]).toEqual([1, 0]);
    pongs[0]?.();
    await advance(INTERVAL);
    expect(pongs).toHaveLength(2);
    expect(rpc.failure).toBeUndefined();
    await advance(TIMEOUT);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
  });

  it("ends a silent connection with 128 pending requests if it can ping", async () => {
    const { rpc, advance } = await setUp(() => new Promise(() => {}));
    const calls = Array.from({ length: 200 }, () => rpc.call("environment/info", null).catch(() => {}));
    await advance(INTERVAL + TIMEOUT);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
    await Promise.all(calls);
  });

  it("does not end a silent connection with more than 128 pending requests, although it can ping", async () => {
    const { rpc, advance } = await setUp(() => new Promise(() => {}));
    const urgent = { urgent: true };
    for (let n = 0; n < 129; n++) rpc.call("environment/info", null, urgent).catch(() => {});
    await advance(100 * TIMEOUT);
    expect(rpc.failure).toBeUndefined();
    await rpc.close();
  });

  it("extends the timeout by queued bytes at 64 bytes per millisecond", async () => {
    const queued = { pause() {}, resume() {}, drained: async () => {}, queuedBytes: 6_400_000 };
    const { rpc, advance } = await setUp(() => new Promise(() => {}), queued);
    rpc.call("environment/info", null).catch(() => {});
    await advance(INTERVAL + TIMEOUT + 99_000);
    expect(rpc.failure).toBeUndefined();
    await advance(1_000 + TOLERANCE);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
  });

  it("does not extend the timeout by bytes that were sent in the meantime", async () => {
    const queued = { pause() {}, resume() {}, drained: async () => {}, queuedBytes: 6_400_000 };
    const { rpc, advance } = await setUp(() => new Promise(() => {}), queued);
    await advance(INTERVAL + 2 * TIMEOUT);
    expect(rpc.failure).toBeUndefined();
    queued.queuedBytes = 0;
    await advance(TOLERANCE);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
  });

  it("does not end a silent connection while a request is pending that the server may work on", async () => {
    const { rpc, requests, answer, advance } = await setUp();
    const slow = rpc.call("environment/info", null);
    await advance(INTERVAL + 100 * TIMEOUT);
    expect(rpc.failure).toBeUndefined();
    for (const request of requests) answer(request);
    await slow;
    await advance(INTERVAL + TIMEOUT + TOLERANCE);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
  });

  it("ends a silent connection with as many pending requests as a probe has overtaken", async () => {
    const { rpc, requests, answer, advance } = await setUp();
    const slow = rpc.call("environment/info", null).catch((error: unknown) => error);
    await advance(INTERVAL);
    answer(requests[1] as Request);
    await advance(INTERVAL + TIMEOUT + TOLERANCE);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
    expect(await slow).toMatchObject({ code: "ERR_DISCONNECTED", delivery: "unknown" });
  });

  it("sends a probe while frames arrive, if it is unknown whether a probe overtakes the pending request", async () => {
    const { rpc, requests, server, answer, advance } = await setUp();
    const slow = rpc.call("environment/info", null).catch((error: unknown) => error);
    for (let i = 0; i < 2; i++) {
      await advance(INTERVAL / 2);
      server.send('{"method":"x","params":{}}');
    }
    expect(requests.map(({ method }) => method)).toEqual(["environment/info", "environment/status"]);
    answer(requests[1] as Request);
    await advance(INTERVAL + TIMEOUT + TOLERANCE);
    expect(await slow).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  it("sends no second probe while one is in flight", async () => {
    const { rpc, requests, server, advance } = await setUp();
    const slow = rpc.call("environment/info", null);
    for (let i = 0; i < 10; i++) {
      await advance(INTERVAL * 2);
      server.send('{"method":"x","params":{}}');
    }
    expect(requests.map(({ method }) => method)).toEqual(["environment/info", "environment/status"]);
    await rpc.close();
    await expect(slow).rejects.toMatchObject({ code: "ERR_CLOSED" });
  });

  it("sends a probe when the program resumes, and restarts the timeout", async () => {
    const { rpc, requests, advance } = await setUp();
    vi.setSystemTime(Date.now() + 3_600_000);
    await advance(TIMEOUT / 4);
    expect(requests).toHaveLength(1);
    await advance(TIMEOUT - 1);
    expect(rpc.failure).toBeUndefined();
    await advance(1);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
  });

  it.each([
    ["the page becomes visible", "visibilitychange"],
    ["the network is back", "online"],
  ])("sends a probe when %s", async (_, type) => {
    const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
    vi.stubGlobal("document", page);
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    const { rpc, requests, advance } = await setUp();
    page.dispatchEvent(new Event(type));
    await advance(0);
    expect(requests).toHaveLength(1);
    await rpc.close();
    page.dispatchEvent(new Event(type));
    await advance(0);
    expect(requests).toHaveLength(1);
  });

  it("does not end a silent connection of a hidden page", async () => {
    const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
    vi.stubGlobal("document", page);
    const { rpc, advance } = await setUp();
    await advance(100 * INTERVAL);
    expect(rpc.failure).toBeUndefined();
  });

  it("stops when the connection ends", async () => {
    const { rpc, requests, advance } = await setUp();
    await rpc.close();
    await advance(10 * INTERVAL);
    expect(requests).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

announceSeed("keepAlive");

const HOURS = 8;
const keepAlive: WatchConnection = (rpc) =>
  KeepAlive.watch(rpc, { intervalMs: INTERVAL, timeoutMs: TIMEOUT });

describe(`${HOURS} idle hours with sleep, changed clocks, hidden tabs and slow requests`, () => {
  const days = Array.from({ length: 10 }, (_, day) => day);

  it.each(days)("never end a live connection (day %i)", async (day) => {
    const outcome = await new IdleDay(seeded("keep-alive", day)).run(keepAlive, HOURS, undefined);
    expect(outcome.endedAt).toBeUndefined();
  });

  it.each(days)("end a connection whose server has silently vanished (day %i)", async (day) => {
    const random = seeded("keep-alive", 100 + day);
    const outcome = await new IdleDay(random).run(keepAlive, HOURS, random() * (HOURS - 2));
    expect(outcome.endedAt).toBeGreaterThan(outcome.diedAt as number);
    // Silence before a pause does not count after it, so a day with many pauses takes several attempts.
    expect(outcome.awakeSinceDeathMs).toBeLessThan(15 * 60_000);
  });

  /** Ends every connection without an answer for a fixed time, as most clients do. */
  const naive: WatchConnection = (rpc) => {
    let answeredAt = Date.now();
    const timer = setInterval(() => {
      if (Date.now() - answeredAt > INTERVAL + TIMEOUT) {
        clearInterval(timer);
        void rpc.disconnect(new DisconnectedError("silent"));
      } else
        void rpc.probe().then(
          () => {
            answeredAt = Date.now();
          },
          () => {},
        );
    }, TIMEOUT);
  };

  it("catch a watch that ends live connections", async () => {
    const outcomes = [];
    for (const day of days) {
      outcomes.push(await new IdleDay(seeded("keep-alive", day)).run(naive, HOURS, undefined));
    }
    expect(outcomes.filter(({ endedAt }) => endedAt !== undefined)).not.toEqual([]);
  });

  it("catch a watch that detects nothing", async () => {
    const outcome = await new IdleDay(seeded("keep-alive", 100)).run(() => {}, HOURS, 1);
    expect(outcome.endedAt).toBeUndefined();
  });
});
