import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createGateway, type GatewayEvent } from "../../src/gateway.ts";
import { deferred } from "../../src/internal/deferred.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { AsyncQueue } from "../support/async-queue.ts";
import { failureOf } from "../support/failure.ts";
import {
  ORIGIN,
  PROTOCOLS,
  RecordingTransport,
  startGateway,
  startRealGateway,
  TOKEN,
  UNREACHABLE,
} from "../support/gateway.ts";
import { unusedPort } from "../support/tcp-server.ts";
import {
  closed,
  openRawWebSocket,
  rawSocket,
  requestText,
  requestUpgrade,
} from "../support/upgrade-request.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

const neverConnecting: Transport = { reconnectable: true, connect: () => new Promise(() => {}) };
const createUnused = () =>
  createGateway({ upstream: UNREACHABLE, allowedOrigins: [ORIGIN], authorize: { token: TOKEN } });

describe("close()", () => {
  test("ends every page with 1001 and every upstream connection", async () => {
    await using gateway = await startRealGateway();
    const pages = [await gateway.connect(), await gateway.connect()];
    await gateway.gateway.close();
    for (const page of pages) expect(await page.disconnected).toMatchObject({ closeCode: 1001 });
    expect(gateway.upstream.open).toBe(0);
  });

  test("with graceMs lets pages finish, refuses new ones, and settles when the last has closed", async () => {
    await using gateway = await startRealGateway();
    const page = await gateway.connect();
    const running = page.run(["sh", "-c", "sleep 0.2; echo finished"]);
    const closing = gateway.gateway.close({ graceMs: 60_000 });
    expect(await failureOf(gateway.connect())).toMatchObject({ code: "ERR_CONNECT", phase: "dial" });
    expect((await running).stdout).toBe("finished\n");
    await page.close();
    await closing;
  });

  test("with graceMs answers 503 on a connection that was open before, and asks nothing about its page", async () => {
    const events = new AsyncQueue<GatewayEvent>();
    let checks = 0;
    await using server = await PlainWebSocketServer.start();
    await using gateway = await startGateway(server.url, {
      authorize: () => ++checks > 0,
      onEvent: (event) => events.push(event),
    });
    const early = await rawSocket(gateway.port);
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    await server.next();
    for (const type of ["connected", "ready"]) expect(await events.next()).toMatchObject({ type });
    const closing = gateway.gateway.close({ graceMs: 60_000 });
    early.write(requestText(gateway.port));
    expect(String((await once(early, "data"))[0])).toMatch(/^HTTP\/1\.1 503 /);
    expect(await events.next()).toMatchObject({ type: "refused", reason: "closing", status: 503 });
    expect(checks).toBe(1);
    page.close();
    await closing;
  });

  test("ends the pages that are still connected after graceMs", async () => {
    await using gateway = await startRealGateway();
    const page = await gateway.connect();
    await gateway.gateway.close({ graceMs: 50 });
    expect(await page.disconnected).toMatchObject({ closeCode: 1001 });
  });

  test("without graceMs ends the grace period of an earlier call", async () => {
    await using gateway = await startRealGateway();
    const page = await gateway.connect();
    const earlier = gateway.gateway.close({ graceMs: Number.POSITIVE_INFINITY });
    await gateway.gateway.close();
    await earlier;
    expect(await page.disconnected).toMatchObject({ closeCode: 1001 });
  });

  test("settles with a page that ignores the close, one whose authorization is pending, and a silent socket", async () => {
    const authorizing = deferred<void>();
    await using server = await PlainWebSocketServer.start();
    await using gateway = await startGateway(server.url, {
      authorize: ({ headers }) => {
        if (headers.cookie !== "slow") return true;
        authorizing.resolve();
        return new Promise<boolean>(() => {});
      },
    });
    const unresponsive = await openRawWebSocket(gateway.port);
    const silent = await rawSocket(gateway.port);
    const pending = requestUpgrade(gateway.port, requestText(gateway.port, { headers: { Cookie: "slow" } }));
    await authorizing.promise;
    await gateway.gateway.close();
    expect((await pending).status).toBe(503);
    await Promise.all([closed(unresponsive.resume()), closed(silent.resume())]);
  });

  test("closes a page with 1001 while its upstream is dialled", async () => {
    await using gateway = await startGateway(neverConnecting);
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    await once(page, "open");
    const end = once(page, "close");
    await gateway.gateway.close();
    expect((await end)[0]).toBe(1001);
  });

  test("ends a page that is admitted in the same turn", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const leftOpen: number[] = [];
    for (let turns = 0; turns <= 12; turns++) {
      const authorizing = deferred<void>();
      const authorized = deferred<boolean>();
      const states = new Set<string>();
      const gateway = createGateway({
        upstream: neverConnecting,
        allowedOrigins: [ORIGIN],
        allowedHosts: ["localhost"],
        authorize() {
          authorizing.resolve();
          return authorized.promise;
        },
        onEvent: ({ type }) => states.add(type),
      });
      gateway.attach(server);
      const page = requestUpgrade(port, {});
      await authorizing.promise;
      authorized.resolve(true);
      for (let turn = 0; turn < turns; turn++) await undefined;
      await gateway.close();
      const expectedStatus = states.has("closed") ? 101 : 503;
      if ((await page).status !== expectedStatus) leftOpen.push(turns);
    }
    server.close();
    expect(leftOpen).toEqual([]);
  });

  test("called inside the upstream function ends the page that it was called for", async () => {
    await using gateway = await startGateway(() => {
      void gateway.gateway.close();
      return neverConnecting;
    });
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    expect((await once(page, "close"))[0]).toBe(1001);
  });

  test("settles with a custom transport whose close() never settles", async () => {
    const upstream = new RecordingTransport({
      reconnectable: true,
      connect: async () => ({
        isOpen: true,
        start() {},
        send() {},
        close: () => new Promise(() => {}),
      }),
    });
    await using gateway = await startGateway(upstream);
    await openRawWebSocket(gateway.port);
    await upstream.next();
    await gateway.gateway.close();
  });

  test("settles when the gateway was never used, and when called again", async () => {
    const gateway = createUnused();
    await gateway.close();
    await gateway.close({ graceMs: 1_000 });
  });

  test("during listen() leaves no port open", async () => {
    const inTicks = (ticks: number, then: () => void): void =>
      ticks === 0 ? then() : process.nextTick(inTicks, ticks - 1, then);
    for (let ticks = 0; ticks <= 4; ticks++) {
      const port = await unusedPort();
      const gateway = createUnused();
      const listening = failureOf(gateway.listen({ port }));
      const isClosed = deferred<void>();
      inTicks(ticks, () => isClosed.resolve(gateway.close()));
      expect(await listening).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
      await isClosed.promise;
      const next = createUnused();
      await next.listen({ port });
      await next.close();
    }
  });

  test("frees the port", async () => {
    const first = await startGateway(UNREACHABLE);
    await first.gateway.close();
    const second = createUnused();
    await second.listen({ port: first.port });
    await second.close();
  });
});

describe("listen()", () => {
  test("rejects when the gateway already listens or is closed", async () => {
    await using gateway = await startGateway(UNREACHABLE);
    expect(await failureOf(gateway.gateway.listen())).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    await gateway.gateway.close();
    expect(await failureOf(gateway.gateway.listen())).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
  });

  test("rejects for a port in use, and can be called again", async () => {
    await using other = await startGateway(UNREACHABLE);
    const gateway = createUnused();
    expect(await failureOf(gateway.listen({ port: other.port }))).toMatchObject({ code: "EADDRINUSE" });
    const { url } = await gateway.listen();
    expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/$/);
    await gateway.close();
  });
});
