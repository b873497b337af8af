import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { GatewayEvent } from "../../src/gateway.ts";
import { AsyncQueue } from "../support/async-queue.ts";
import { ORIGIN, PROTOCOLS, startGateway, startRealGateway, TOKEN, unreachable } from "../support/gateway.ts";
import { requestRefusal, requestUpgrade } from "../support/upgrade-request.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";
import { REFUSED_REQUESTS } from "./refused-requests.ts";

/** A gateway whose events are recorded. Its exec-server must not be dialled. */
async function startRecorded(options: Parameters<typeof startGateway>[1] = {}) {
  const events = new AsyncQueue<GatewayEvent>();
  const upstream = unreachable();
  const gateway = await startGateway(upstream, { onEvent: (event) => events.push(event), ...options });
  return { ...gateway, events, upstream };
}

test("a page's events tell when it was admitted, when its exec-server was reached, and why it ended", async () => {
  const events = new AsyncQueue<GatewayEvent>();
  await using server = await PlainWebSocketServer.start();
  await using gateway = await startGateway(server.url, {
    authorize: { tokens: { ada: TOKEN } },
    onEvent: (event) => events.push(event),
  });
  const before = Date.now();
  const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
  const upstream = await server.next();
  page.send("x".repeat(1_000));
  await once(upstream, "message");
  upstream.send("y".repeat(2_000));
  await once(page, "message");
  page.close(1000);
  const [connected, ready, closed] = [await events.next(), await events.next(), await events.next()];
  const common = { id: connected.id, address: "127.0.0.1", origin: ORIGIN, user: "ada" };
  expect(connected).toMatchObject({ ...common, type: "connected", bytes: 0 });
  expect(ready).toMatchObject({ ...common, type: "ready" });
  expect(closed).toMatchObject({ ...common, type: "closed", reason: "page", closeCode: 1000 });
  expect(connected.at).toBeGreaterThanOrEqual(before);
  expect(closed.durationMs).toBeGreaterThanOrEqual(ready.durationMs);
  expect(closed.bytesFromPage).toBeGreaterThan(1_000);
  expect(closed.bytes - closed.bytesFromPage).toBeGreaterThan(2_000);
  expect(closed.bytes).toBeLessThan(4_000);
});

test("admitted and reached are apart: a page whose exec-server is silent is connected, not ready", async () => {
  const types: string[] = [];
  await using gateway = await startGateway(
    { reconnectable: true, connect: () => new Promise(() => {}) },
    { onEvent: ({ type }) => types.push(type) },
  );
  const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
  await once(page, "open");
  page.terminate();
  await expect.poll(() => types).toEqual(["connected", "closed"]);
});

describe("each refusal has an event with its reason:", () => {
  test.each(REFUSED_REQUESTS)("%s", async (name, status, request) => {
    await using gateway = await startRecorded();
    await requestRefusal(gateway.port, request);
    const event = await gateway.events.next();
    const isCloseCode = status > 1000;
    expect(event).toMatchObject({
      type: "refused",
      bytes: 0,
      ...(isCloseCode ? { closeCode: status } : { status }),
    });
    expect(event.reason).toBe(reasonOf(name, status));
    expect(JSON.stringify(event)).not.toContain(TOKEN);
    expect(gateway.upstream.dials).toBe(0);
    expect(gateway.events.length).toBe(0);
  });
});

/** What the status says about the reason. */
function reasonOf(name: string, status: number): string {
  const byStatus: Record<number, string> = { 4401: "unauthorized", 405: "method", 426: "version" };
  if (status === 403) return name.includes("host") || name.includes("address") ? "host" : "origin";
  if (status === 404) return name === "no upgrade" ? "no-upgrade" : "path";
  if (status === 400) return /subprotocol|token/.test(name) ? "protocols" : "handshake";
  return byStatus[status] ?? "none";
}

test("a check that fails has its error in the event, and not in the answer", async () => {
  const error = new Error("the database is down");
  await using gateway = await startRecorded({ authorize: () => Promise.reject(error) });
  const { status, text } = await requestRefusal(gateway.port, {});
  expect(status).toBe(4500);
  expect(text).not.toContain("database");
  expect(await gateway.events.next()).toMatchObject({ type: "refused", reason: "check-failed", error });
});

test("the ends of pages have their reasons", async () => {
  const closed = new AsyncQueue<GatewayEvent>();
  await using gateway = await startRealGateway({
    maxMessageBytes: 1_000,
    onEvent: (event) => void (event.type === "closed" && closed.push(event)),
  });
  const open = async () => {
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    page.on("error", () => {});
    await once(page, "open");
    await gateway.upstream.next();
    return page;
  };
  (await open()).send("x".repeat(2_000));
  expect(await closed.next()).toMatchObject({ reason: "page-message-too-long", closeCode: 1009 });
  (await open()).terminate();
  expect(await closed.next()).toMatchObject({ reason: "page", closeCode: 1006 });
  await open();
  await gateway.server.kill();
  expect(await closed.next()).toMatchObject({ reason: "upstream-ended", closeCode: 4001 });
});

test("an attached gateway reports the path that it refuses", async () => {
  await using gateway = await startRecorded({ path: "/exec" });
  expect((await requestUpgrade(gateway.port, { path: "/other" })).status).toBe(404);
  expect(await gateway.events.next()).toMatchObject({ type: "refused", reason: "path", status: 404 });
});
