import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DisconnectedError } from "../../src/errors.ts";
import { KeepAlive } from "../../src/rpc/keep-alive.ts";
import { RpcPeer } from "../../src/rpc/peer.ts";
import type { Connection } from "../../src/transport/transport.ts";
import { IdleDay, type WatchConnection } from "../support/idle-day.ts";
import { memoryTransport } from "../support/memory-transport.ts";
import { announceSeed, seeded } from "../support/seed.ts";

const INTERVAL = 30_000;
const TIMEOUT = 10_000;
/** How late a judgement may come: silence is measured in quarters of the shorter of the two. */
const SLACK = TIMEOUT;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

interface Request {
  readonly id: number;
  readonly method: string;
}

async function watched(ping?: () => Promise<void>, flow?: Connection["flow"]) {
  const requests: Request[] = [];
  let server!: Connection;
  const transport = memoryTransport((connection) => {
    server = connection;
    connection.start({ onFrame: (frame) => requests.push(JSON.parse(String(frame))), onEnd: () => {} });
  });
  const client = await transport.connect({ signal: new AbortController().signal });
  const connection: Connection = ping
    ? {
        start: (to) => client.start(to),
        send: (f) => client.send(f),
        close: () => client.close(),
        isOpen: true,
        ping,
        flow,
      }
    : client;
  const rpc = new RpcPeer(connection, { onRequest: () => undefined });
  KeepAlive.watch(rpc, { intervalMs: INTERVAL, timeoutMs: TIMEOUT });
  const answer = ({ id }: Request): void => server.send(JSON.stringify({ id, result: { status: "ready" } }));
  return { rpc, requests, server, answer, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

describe("keepAlive", () => {
  it("asks nothing while frames arrive", async () => {
    const { requests, server, pass } = await watched();
    for (let i = 0; i < 20; i++) {
      server.send('{"method":"x","params":{}}');
      await pass(INTERVAL / 2);
    }
    expect(requests).toEqual([]);
  });

  it("asks for the status after the stated silence, and is content with any answer", async () => {
    const { rpc, requests, server, pass } = await watched();
    await pass(INTERVAL - 1);
    expect(requests).toEqual([]);
    await pass(1);
    expect(requests.map(({ method }) => method)).toEqual(["environment/status"]);
    server.send(JSON.stringify({ id: requests[0]?.id, error: { code: -32601, message: "unknown" } }));
    await pass(INTERVAL - 1);
    expect(rpc.failure).toBeUndefined();
    await pass(INTERVAL);
    expect(requests).toHaveLength(2);
  });

  it("ends a connection that stays silent for the stated time, with one clear error", async () => {
    const { rpc, pass } = await watched();
    rpc.sessionId = "s-1";
    await pass(INTERVAL + TIMEOUT - 1);
    expect(rpc.failure).toBeUndefined();
    await pass(1);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
    expect(rpc.failure).toMatchObject({
      code: "ERR_DISCONNECTED",
      sessionId: "s-1",
      reason: "the server gave no sign of life within 10000 ms",
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes a frame that is no answer for a sign of life, too", async () => {
    const { rpc, server, pass } = await watched();
    await pass(INTERVAL + TIMEOUT - 1);
    server.send('{"method":"x","params":{}}');
    await pass(TIMEOUT - 1);
    expect(rpc.failure).toBeUndefined();
  });

  it("pings where the channel can, and sends no request", async () => {
    const pongs: (() => void)[] = [];
    const { rpc, requests, pass } = await watched(() => new Promise((resolve) => pongs.push(resolve)));
    await pass(INTERVAL);
    expect([pongs.length, requests.length]).toEqual([1, 0]);
    pongs[0]?.();
    await pass(INTERVAL);
    expect(pongs).toHaveLength(2);
    expect(rpc.failure).toBeUndefined();
    await pass(TIMEOUT);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
  });

  it("judges behind waiting requests where it can ping: a ping is not one of them", async () => {
    const { rpc, pass } = await watched(() => new Promise(() => {}));
    const waiting = Array.from({ length: 200 }, () => rpc.call("environment/info", null).catch(() => {}));
    await pass(INTERVAL + TIMEOUT);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
    await Promise.all(waiting);
  });

  it("does not judge behind more requests than the server takes in, though it can ping", async () => {
    const { rpc, pass } = await watched(() => new Promise(() => {}));
    const urgent = { urgent: true };
    for (let n = 0; n < 129; n++) rpc.call("environment/info", null, urgent).catch(() => {});
    await pass(100 * TIMEOUT);
    expect(rpc.failure).toBeUndefined();
    await rpc.close();
  });

  it("gives what is still to be sent the time of a slow line, since a probe comes behind it", async () => {
    const queued = { pause() {}, resume() {}, drained: async () => {}, queuedBytes: 6_400_000 };
    const { rpc, pass } = await watched(() => new Promise(() => {}), queued);
    rpc.call("environment/info", null).catch(() => {});
    await pass(INTERVAL + TIMEOUT + 99_000);
    expect(rpc.failure).toBeUndefined();
    await pass(1_000 + SLACK);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
  });

  it("does not wait longer than that for what has left in the meantime", async () => {
    const queued = { pause() {}, resume() {}, drained: async () => {}, queuedBytes: 6_400_000 };
    const { rpc, pass } = await watched(() => new Promise(() => {}), queued);
    await pass(INTERVAL + 2 * TIMEOUT);
    expect(rpc.failure).toBeUndefined();
    queued.queuedBytes = 0;
    await pass(SLACK);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
  });

  it("does not judge behind a request that the server may still be working on", async () => {
    const { rpc, requests, answer, pass } = await watched();
    const slow = rpc.call("environment/info", null);
    await pass(INTERVAL + 100 * TIMEOUT);
    expect(rpc.failure).toBeUndefined();
    for (const request of requests) answer(request);
    await slow;
    await pass(INTERVAL + TIMEOUT + SLACK);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
  });

  it("judges behind as many requests as it has seen the server work on at once", async () => {
    const { rpc, requests, answer, pass } = await watched();
    const slow = rpc.call("environment/info", null).catch((error: unknown) => error);
    await pass(INTERVAL);
    answer(requests[1] as Request);
    await pass(INTERVAL + TIMEOUT + SLACK);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
    expect(await slow).toMatchObject({ code: "ERR_DISCONNECTED", delivery: "unknown" });
  });

  it("finds out while frames still arrive what a waiting request means", async () => {
    const { rpc, requests, server, answer, pass } = await watched();
    const slow = rpc.call("environment/info", null).catch((error: unknown) => error);
    for (let i = 0; i < 2; i++) {
      await pass(INTERVAL / 2);
      server.send('{"method":"x","params":{}}');
    }
    expect(requests.map(({ method }) => method)).toEqual(["environment/info", "environment/status"]);
    answer(requests[1] as Request);
    await pass(INTERVAL + TIMEOUT + SLACK);
    expect(await slow).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  it("keeps one probe under way, however long it takes", async () => {
    const { rpc, requests, server, pass } = await watched();
    const slow = rpc.call("environment/info", null);
    for (let i = 0; i < 10; i++) {
      await pass(INTERVAL * 2);
      server.send('{"method":"x","params":{}}');
    }
    expect(requests.map(({ method }) => method)).toEqual(["environment/info", "environment/status"]);
    await rpc.close();
    await expect(slow).rejects.toMatchObject({ code: "ERR_CLOSED" });
  });

  it("asks when the program wakes, and then waits the whole time again", async () => {
    const { rpc, requests, pass } = await watched();
    vi.setSystemTime(Date.now() + 3_600_000);
    await pass(TIMEOUT / 4);
    expect(requests).toHaveLength(1);
    await pass(TIMEOUT - 1);
    expect(rpc.failure).toBeUndefined();
    await pass(1);
    expect(rpc.failure).toBeInstanceOf(DisconnectedError);
  });

  it.each([
    ["the page is shown again", "visibilitychange"],
    ["the network is back", "online"],
  ])("asks when %s", async (_, type) => {
    const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
    vi.stubGlobal("document", page);
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    const { rpc, requests, pass } = await watched();
    page.dispatchEvent(new Event(type));
    await pass(0);
    expect(requests).toHaveLength(1);
    await rpc.close();
    page.dispatchEvent(new Event(type));
    await pass(0);
    expect(requests).toHaveLength(1);
  });

  it("does not judge a hidden page", async () => {
    const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
    vi.stubGlobal("document", page);
    const { rpc, pass } = await watched();
    await pass(100 * INTERVAL);
    expect(rpc.failure).toBeUndefined();
  });

  it("stops with the connection", async () => {
    const { rpc, requests, pass } = await watched();
    await rpc.close();
    await pass(10 * INTERVAL);
    expect(requests).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

announceSeed("keepAlive");

const HOURS = 8;
const real: WatchConnection = (rpc) => KeepAlive.watch(rpc, { intervalMs: INTERVAL, timeoutMs: TIMEOUT });

describe(`${HOURS} hours of idle, with sleep, clocks that are set, hidden tabs and slow requests`, () => {
  const days = Array.from({ length: 10 }, (_, day) => day);

  it.each(days)("end no connection that lives (day %i)", async (day) => {
    const outcome = await new IdleDay(seeded("keep-alive", day)).run(real, HOURS, undefined);
    expect(outcome.endedAt).toBeUndefined();
  });

  it.each(days)("end a connection whose server is silently gone (day %i)", async (day) => {
    const random = seeded("keep-alive", 100 + day);
    const outcome = await new IdleDay(random).run(real, HOURS, random() * (HOURS - 2));
    expect(outcome.endedAt).toBeGreaterThan(outcome.diedAt as number);
    // What came before a pause counts for nothing after it, so a restless day takes a few rounds.
    expect(outcome.awakeSinceDeathMs).toBeLessThan(15 * 60_000);
  });

  /** Ends whatever is silent for the stated time, as most clients do. */
  const hasty: WatchConnection = (rpc) => {
    let answeredAt = Date.now();
    const timer = setInterval(() => {
      if (Date.now() - answeredAt > INTERVAL + TIMEOUT) {
        clearInterval(timer);
        void rpc.close(new DisconnectedError("silent"));
      } else
        void rpc.probe().then(
          () => {
            answeredAt = Date.now();
          },
          () => {},
        );
    }, TIMEOUT);
  };

  it("catch a watch that ends living connections", async () => {
    const outcomes = [];
    for (const day of days) {
      outcomes.push(await new IdleDay(seeded("keep-alive", day)).run(hasty, HOURS, undefined));
    }
    expect(outcomes.filter(({ endedAt }) => endedAt !== undefined)).not.toEqual([]);
  });

  it("catch a watch that finds nothing", async () => {
    const outcome = await new IdleDay(seeded("keep-alive", 100)).run(() => {}, HOURS, 1);
    expect(outcome.endedAt).toBeUndefined();
  });
});
