import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { deferred } from "../../src/internal/deferred.ts";
import type { Connection } from "../../src/transport/transport.ts";
import { ORIGIN, PROTOCOLS, startGateway, startRealGateway } from "../support/gateway.ts";
import { clientFrame, closed as closedSocket, openRawWebSocket } from "../support/upgrade-request.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

const BEAT = { heartbeatMs: 50 };

test("a page that answers is pinged for as long as it is there", async () => {
  await using server = await PlainWebSocketServer.start();
  await using gateway = await startGateway(server.url, BEAT);
  const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
  for (let n = 0; n < 10; n++) await once(page, "ping");
  expect(page.readyState).toBe(WebSocket.OPEN);
});

test("a page that answers no ping is gone, and its upstream connection with it", async () => {
  await using gateway = await startRealGateway(BEAT);
  const silent = await openRawWebSocket(gateway.port);
  const upstream = await gateway.upstream.next();
  await closedSocket(silent.resume());
  await expect.poll(() => upstream.isOpen).toBe(false);
});

test("a page that leaves while a server that stopped reading holds it up is noticed", async () => {
  const held = deferred<void>();
  const closed = deferred<void>();
  const flow = {
    queuedBytes: Number.POSITIVE_INFINITY,
    pause() {},
    resume() {},
    // Once for the page's first frame; then for its end.
    drained(): Promise<void> {
      flow.drained = () => Promise.resolve();
      held.resolve();
      return new Promise(() => {});
    },
  };
  const stuck: Connection = {
    isOpen: true,
    flow,
    start() {},
    send() {},
    close: async () => closed.resolve(),
  };
  const upstream = { reconnectable: true, connect: async () => stuck };
  await using gateway = await startGateway(upstream, BEAT);
  const page = await openRawWebSocket(gateway.port);
  page.write(clientFrame(0x81, "{}"));
  await held.promise;
  page.destroy();
  await closed.promise;
});
