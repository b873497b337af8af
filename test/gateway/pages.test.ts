import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { GatewayEvent } from "../../src/gateway.ts";
import { AsyncQueue } from "../support/async-queue.ts";
import {
  ORIGIN,
  PROTOCOLS,
  RecordingTransport,
  startGateway,
  startRealGateway,
  TOKEN,
} from "../support/gateway.ts";
import { clientFrame, closed, openRawWebSocket, rawSocket, requestText } from "../support/upgrade-request.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

const byCookie = ({ headers }: IncomingMessage) => ({ user: headers.cookie ?? "" });

/** A gateway whose pages name their user in a cookie. */
async function startWithUsers(options: Parameters<typeof startGateway>[1] = {}) {
  const closedEvents = new AsyncQueue<GatewayEvent>();
  const server = await PlainWebSocketServer.start();
  const gateway = await startGateway(server.url, {
    authorize: byCookie,
    onEvent: (event) => void (event.type === "closed" && closedEvents.push(event)),
    ...options,
  });
  return {
    ...gateway,
    closedEvents,
    pages: () => [...gateway.gateway.pages],
    async open(user: string) {
      const page = new WebSocket(gateway.url, { origin: ORIGIN, headers: { cookie: user } });
      await once(page, "open");
      return page;
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("gateway.pages", () => {
  test("lists the connected pages, the oldest first, and can be iterated while they change", async () => {
    await using gateway = await startWithUsers();
    const before = Date.now();
    await gateway.open("ada");
    await gateway.open("bob");
    const [ada, bob] = gateway.pages();
    expect(ada).toMatchObject({ user: "ada", origin: ORIGIN, address: "127.0.0.1" });
    expect(bob).toMatchObject({ user: "bob" });
    expect(ada?.id).not.toBe(bob?.id);
    expect(ada?.since).toBeGreaterThanOrEqual(before);
    const { pages } = gateway.gateway;
    for (const page of pages) void page.end();
    expect([...pages]).toEqual([]);
  });

  test("ends a page with 4409 and its exec-server's connection with it", async () => {
    await using gateway = await startRealGateway({ authorize: { tokens: { ada: TOKEN } } });
    const [client, other] = [await gateway.connect(), await gateway.connect()];
    const [page] = gateway.gateway.pages;
    await page?.end();
    expect(await client.disconnected).toMatchObject({
      closeCode: 4409,
      reason: "the gateway ended the session",
    });
    expect(gateway.upstream.open).toBe(1);
    expect(await other.status()).toEqual({ status: "ready" });
    await other.close();
  });

  test("ends a page with a code of the application, once", async () => {
    await using gateway = await startWithUsers();
    const page = await gateway.open("ada");
    const end = once(page, "close");
    const [handle] = gateway.pages();
    await Promise.all([handle?.end(3001), handle?.end(3002)]);
    expect((await end)[0]).toBe(3001);
    expect(await gateway.closedEvents.next()).toMatchObject({ reason: "ended", closeCode: 3001 });
  });

  test.each([999, 1001, 1006, 2999, 5000, 3000.5, Number.NaN, "4000"])(
    "does not end with %s",
    async (code) => {
      await using gateway = await startWithUsers();
      await gateway.open("ada");
      const [handle] = gateway.pages();
      expect(() => handle?.end(code as number)).toThrow(
        expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
      );
      expect(gateway.pages()).toHaveLength(1);
    },
  );

  test("ends a page that does not answer within the closing handshake's limit", async () => {
    await using gateway = await startWithUsers({ authorize: () => true });
    const socket = await openRawWebSocket(gateway.port);
    const [handle] = gateway.pages();
    await handle?.end();
    await closed(socket.resume());
  }, 20_000);
});

describe("maxPagesPerUser", () => {
  test("ends the user's oldest page with 4409, and no other user's", async () => {
    await using gateway = await startWithUsers({ maxPagesPerUser: 2 });
    const [first, second, bob] = [
      await gateway.open("ada"),
      await gateway.open("ada"),
      await gateway.open("bob"),
    ];
    const end = once(first, "close");
    const third = await gateway.open("ada");
    expect((await end)[0]).toBe(4409);
    expect(await gateway.closedEvents.next()).toMatchObject({ user: "ada", reason: "displaced" });
    for (const page of [second, bob, third]) expect(page.readyState).toBe(WebSocket.OPEN);
    expect(gateway.pages().map(({ user }) => user)).toEqual(["ada", "bob", "ada"]);
  });

  test("ends a page that has missed its last ping before an older one", async () => {
    await using gateway = await startWithUsers({
      maxPagesPerUser: 2,
      heartbeatMs: 100,
      authorize: () => ({ user: "ada" }),
    });
    const older = await gateway.open("ada");
    const halfOpen = await openRawWebSocket(gateway.port);
    const [, half] = gateway.pages();
    await once(older, "ping");
    await once(older, "ping");
    await gateway.open("ada");
    expect(gateway.pages().map(({ id }) => id)).not.toContain(half?.id);
    expect(older.readyState).toBe(WebSocket.OPEN);
    halfOpen.destroy();
  });

  test("makes room in a full gateway", async () => {
    await using gateway = await startWithUsers({ maxPagesPerUser: 1, maxConnections: 1 });
    const first = await gateway.open("ada");
    const end = once(first, "close");
    const reloaded = await gateway.open("ada");
    expect((await end)[0]).toBe(4409);
    expect(gateway.pages()).toHaveLength(1);
    expect(reloaded.readyState).toBe(WebSocket.OPEN);
  });

  test("does not let a user fill the gateway with pages that are ended, but answer no close", async () => {
    const refused: GatewayEvent[] = [];
    await using gateway = await startWithUsers({
      maxConnections: 10,
      maxPagesPerUser: 1,
      onEvent: (event) => event.type === "refused" && refused.push(event),
    });
    for (let n = 0; n < 40; n++) {
      const socket = await rawSocket(gateway.port);
      socket.write(requestText(gateway.port, { headers: { Cookie: "ada" } }));
      await once(socket, "data");
    }
    await gateway.open("bob");
    expect(gateway.pages().map(({ user }) => user)).toEqual(["ada", "bob"]);
    expect(new Set(refused.map(({ user, reason }) => `${user} ${reason}`))).toEqual(new Set(["ada full"]));
  });

  test("displaces pages that come in a burst, too", async () => {
    const reasons: unknown[] = [];
    await using gateway = await startWithUsers({
      maxPagesPerUser: 1,
      onEvent: (event) => void ("reason" in event && reasons.push(event.reason)),
    });
    await Promise.all(Array.from({ length: 12 }, () => gateway.open("ada")));
    await vi.waitUntil(() => reasons.length === 11);
    expect(new Set(reasons)).toEqual(new Set(["displaced"]));
    expect(gateway.pages()).toHaveLength(1);
  });

  test("is replaced by the maxPages of a user", async () => {
    await using gateway = await startWithUsers({
      maxPagesPerUser: 1,
      authorize: (request) => ({ ...byCookie(request), maxPages: 3 }),
    });
    for (let n = 0; n < 5; n++) await gateway.open("ada");
    expect(gateway.pages()).toHaveLength(3);
  });

  test("does not hold for pages without a user", async () => {
    await using gateway = await startWithUsers({ maxPagesPerUser: 1, authorize: () => true });
    for (let n = 0; n < 3; n++) await gateway.open("");
    expect(gateway.pages()).toHaveLength(3);
  });
});

describe("a page is closed with 4408", () => {
  test.each<[string, string, Parameters<typeof startGateway>[1]]>([
    ["when it sends nothing within idleTimeoutMs", "idle", { idleTimeoutMs: 200 }],
    ["after maxDurationMs", "max-duration", { maxDurationMs: 200 }],
    ["at a Date", "expired", { authorize: () => ({ user: "ada", expiresAt: new Date(Date.now() + 200) }) }],
    ["at a time", "expired", { authorize: () => ({ user: "ada", expiresAt: Date.now() + 200 }) }],
  ])("%s", async (_, reason, options) => {
    await using gateway = await startWithUsers(options);
    const page = await gateway.open("ada");
    expect((await once(page, "close"))[0]).toBe(4408);
    expect(await gateway.closedEvents.next()).toMatchObject({ reason, closeCode: 4408 });
    expect(await gateway.closedEvents.length).toBe(0);
  });

  test("only if it was idle for that long: each message counts, answers and pongs do not", async () => {
    await using gateway = await startWithUsers({ idleTimeoutMs: 400, heartbeatMs: 50 });
    const page = await gateway.open("ada");
    const started = performance.now();
    const beat = setInterval(() => page.send("{}"), 100);
    const end = once(page, "close");
    await expect.poll(() => performance.now() - started, { timeout: 5_000 }).toBeGreaterThan(1_200);
    expect(page.readyState).toBe(WebSocket.OPEN);
    clearInterval(beat);
    expect((await end)[0]).toBe(4408);
  });

  test.each([
    ["long", 1024 * 1024],
    ["short", 1_000],
  ])("but is not idle in the middle of a %s message that arrives slowly", async (_, length) => {
    await using gateway = await startWithUsers({ authorize: () => true, idleTimeoutMs: 400 });
    const page = await openRawWebSocket(gateway.port);
    page.resume().write(clientFrame(0x81, "x", length));
    const started = performance.now();
    const drip = setInterval(() => page.write("x"), 50);
    await expect.poll(() => performance.now() - started, { timeout: 5_000 }).toBeGreaterThan(1_200);
    expect(gateway.pages()).toHaveLength(1);
    clearInterval(drip);
    expect(await gateway.closedEvents.next()).toMatchObject({ reason: "idle", closeCode: 4408 });
  });
});

test("limits further away than a timer can reach do not fire at once", async () => {
  await using gateway = await startWithUsers({
    idleTimeoutMs: 2 ** 40,
    maxDurationMs: Number.POSITIVE_INFINITY,
    authorize: () => ({ user: "ada", expiresAt: 8.64e15 }),
  });
  const page = await gateway.open("ada");
  const pong = once(page, "pong");
  page.ping();
  await pong;
  expect(page.readyState).toBe(WebSocket.OPEN);
});

test("the upstream function gets the id and the user of the page", async () => {
  const contexts: unknown[] = [];
  const upstream = new RecordingTransport({
    reconnectable: true,
    connect: () => Promise.reject(new Error("no")),
  });
  await using gateway = await startGateway(
    (_, page) => {
      contexts.push(page);
      return upstream;
    },
    { authorize: { tokens: { ada: TOKEN } } },
  );
  const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
  await once(page, "close");
  expect(contexts).toEqual([{ id: expect.any(String), user: "ada" }]);
});
