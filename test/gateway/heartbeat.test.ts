import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { errorText } from "../../src/gateway/command/log.ts";
import type { GatewayEvent } from "../../src/gateway.ts";
import { deferred } from "../../src/internal/deferred.ts";
import type { Connection } from "../../src/transport/transport.ts";
import { ORIGIN, PROTOCOLS, startGateway, startRealGateway } from "../support/gateway.ts";
import { clientFrame, closed as closedSocket, openRawWebSocket } from "../support/upgrade-request.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

const OPTIONS = { heartbeatMs: 50 };

test("pings a page that answers for as long as it is connected", async () => {
  await using server = await PlainWebSocketServer.start();
  await using gateway = await startGateway(server.url, OPTIONS);
  const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
  for (let n = 0; n < 10; n++) await once(page, "ping");
  expect(page.readyState).toBe(WebSocket.OPEN);
});

test("disconnects a page that answers no ping, and closes its upstream connection", async () => {
  await using gateway = await startRealGateway(OPTIONS);
  const unresponsive = await openRawWebSocket(gateway.port);
  const upstream = await gateway.upstream.next();
  await closedSocket(unresponsive.resume());
  await expect.poll(() => upstream.isOpen).toBe(false);
});

test("detects that a page has left while reading from it is paused by a slow server", async () => {
  const paused = deferred<void>();
  const closed = deferred<void>();
  const flow = {
    queuedBytes: Number.POSITIVE_INFINITY,
    pause() {},
    resume() {},
    // The first call is for the page's frame and stays pending. The next one is for the close.
    drained(): Promise<void> {
      flow.drained = () => Promise.resolve();
      paused.resolve();
      return new Promise(() => {});
    },
  };
  const connection: Connection = {
    isOpen: true,
    flow,
    start() {},
    send() {},
    close: async () => closed.resolve(),
  };
  const upstream = { reconnectable: true, connect: async () => connection };
  await using gateway = await startGateway(upstream, OPTIONS);
  const page = await openRawWebSocket(gateway.port);
  page.write(clientFrame(0x81, "{}"));
  await paused.promise;
  page.destroy();
  await closed.promise;
});

test("closes a page with 4001 when the exec-server answers no ping", async () => {
  await using server = await PlainWebSocketServer.start();
  const events: GatewayEvent[] = [];
  const onEvent = (event: GatewayEvent) => events.push(event);
  await using gateway = await startGateway(server.url, { ...OPTIONS, onEvent });
  const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
  const upstream = await server.next();
  // Reads nothing, so that no pong is sent: like a network that is silent.
  upstream.pause();
  expect((await once(page, "close"))[0]).toBe(4001);
  await expect.poll(() => events.at(-1)?.type).toBe("closed");
  expect(errorText(events.at(-1)?.error)).toBe(
    "The exec-server connection ended: it left 4 pings unanswered",
  );
});

test.each([
  ["messages", clientFrame(0x81, "{}")],
  ["a long message, slowly", clientFrame(0x81, "{", 1024 * 1024)],
])("a page that sends %s, but answers no ping, is not silent", async (_, frame) => {
  await using server = await PlainWebSocketServer.start();
  await using gateway = await startGateway(server.url, OPTIONS);
  const page = await openRawWebSocket(gateway.port);
  let pings = 0;
  page.on("data", (bytes: Buffer) => {
    pings += bytes.length / 2;
  });
  page.write(frame);
  const sending = setInterval(() => page.write(frame.length === 16 ? frame : "x"), 20);
  await expect.poll(() => pings, { timeout: 5_000 }).toBeGreaterThan(12);
  clearInterval(sending);
  expect(page.readyState).toBe("open");
  page.destroy();
});

test("an exec-server that sends, but answers no ping, is not silent", async () => {
  await using server = await PlainWebSocketServer.start();
  await using gateway = await startGateway(server.url, OPTIONS);
  const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
  const upstream = await server.next();
  upstream.pause();
  const sending = setInterval(() => upstream.send("{}"), 20);
  for (let n = 0; n < 40; n++) await once(page, "message");
  clearInterval(sending);
  expect(page.readyState).toBe(WebSocket.OPEN);
});
