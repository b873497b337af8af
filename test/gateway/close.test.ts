import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createGateway } from "../../src/gateway.ts";
import { deferred } from "../../src/internal/deferred.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { failureOf } from "../support/failure.ts";
import {
  ORIGIN,
  PROTOCOLS,
  RecordingTransport,
  startGateway,
  startRealGateway,
  TOKEN,
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

const nowhere: Transport = { reconnectable: true, connect: () => Promise.reject(new Error("not here")) };
const deaf: Transport = { reconnectable: true, connect: () => new Promise(() => {}) };
const bare = () =>
  createGateway({ upstream: nowhere, allowedOrigins: [ORIGIN], authorize: { token: TOKEN } });

describe("close()", () => {
  test("ends every page with 1001 and every upstream connection", async () => {
    await using gateway = await startRealGateway();
    const pages = [await gateway.connect(), await gateway.connect()];
    await gateway.gateway.close();
    for (const page of pages) expect(await page.disconnected).toMatchObject({ closeCode: 1001 });
    expect(gateway.upstream.open).toBe(0);
  });

  test("with a grace lets pages finish, takes no new ones, and settles when the last has left", async () => {
    await using gateway = await startRealGateway();
    const page = await gateway.connect();
    const running = page.run(["sh", "-c", "sleep 0.2; echo finished"]);
    const closing = gateway.gateway.close({ graceMs: 60_000 });
    expect(await failureOf(gateway.connect())).toMatchObject({ code: "ERR_CONNECT", phase: "dial" });
    expect((await running).stdout).toBe("finished\n");
    await page.close();
    await closing;
  });

  test("ends the pages that are still there when the grace is over", async () => {
    await using gateway = await startRealGateway();
    const page = await gateway.connect();
    await gateway.gateway.close({ graceMs: 50 });
    expect(await page.disconnected).toMatchObject({ closeCode: 1001 });
  });

  test("without a grace cuts a longer one short", async () => {
    await using gateway = await startRealGateway();
    const page = await gateway.connect();
    const patient = gateway.gateway.close({ graceMs: Number.POSITIVE_INFINITY });
    await gateway.gateway.close();
    await patient;
    expect(await page.disconnected).toMatchObject({ closeCode: 1001 });
  });

  test("settles with a page that answers nothing, one in the middle of its handshake, and one that says nothing", async () => {
    let asked!: () => void;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    await using server = await PlainWebSocketServer.start();
    await using gateway = await startGateway(server.url, {
      authorize: ({ headers }) => {
        if (headers.cookie !== "slow") return true;
        asked();
        return new Promise<boolean>(() => {});
      },
    });
    const mute = await openRawWebSocket(gateway.port);
    const silent = await rawSocket(gateway.port);
    const slow = requestUpgrade(gateway.port, requestText(gateway.port, { headers: { Cookie: "slow" } }));
    await isAsked;
    await gateway.gateway.close();
    expect((await slow).status).toBe(503);
    await Promise.all([closed(mute.resume()), closed(silent.resume())]);
  });

  test("settles while an upstream is dialled that never answers, and tells the page", async () => {
    await using gateway = await startGateway(deaf);
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    await once(page, "open");
    const end = once(page, "close");
    await gateway.gateway.close();
    expect((await end)[0]).toBe(1001);
  });

  test("ends a page that is let in at that very moment", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const stillThere: number[] = [];
    for (let turns = 0; turns <= 12; turns++) {
      const asked = deferred<void>();
      const authorized = deferred<boolean>();
      const pages = new Set<string>();
      const gateway = createGateway({
        upstream: deaf,
        allowedOrigins: [ORIGIN],
        allowedHosts: ["localhost"],
        authorize() {
          asked.resolve();
          return authorized.promise;
        },
        onPage: ({ state }) => pages.add(state),
      });
      gateway.attach(server);
      const page = requestUpgrade(port, {});
      await asked.promise;
      authorized.resolve(true);
      for (let turn = 0; turn < turns; turn++) await undefined;
      await gateway.close();
      const endedPages = pages.has("closed") ? 101 : 503;
      if ((await page).status !== endedPages) stillThere.push(turns);
    }
    server.close();
    expect(stillThere).toEqual([]);
  });

  test("inside the function that gives the upstream ends the page it was asked for", async () => {
    await using gateway = await startGateway(() => {
      void gateway.gateway.close();
      return deaf;
    });
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    expect((await once(page, "close"))[0]).toBe(1001);
  });

  test("settles with a transport that breaks its promise to close", async () => {
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

  test("settles when nothing was ever served, and again", async () => {
    const gateway = bare();
    await gateway.close();
    await gateway.close({ graceMs: 1_000 });
  });

  test("while listen() is under way leaves nothing listening", async () => {
    const inTicks = (ticks: number, then: () => void): void =>
      ticks === 0 ? then() : process.nextTick(inTicks, ticks - 1, then);
    for (let ticks = 0; ticks <= 4; ticks++) {
      const port = await unusedPort();
      const gateway = bare();
      const listening = failureOf(gateway.listen({ port }));
      const isClosed = deferred<void>();
      inTicks(ticks, () => isClosed.resolve(gateway.close()));
      expect(await listening).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
      await isClosed.promise;
      const next = bare();
      await next.listen({ port });
      await next.close();
    }
  });

  test("leaves the port free", async () => {
    const first = await startGateway(nowhere);
    await first.gateway.close();
    const second = bare();
    await second.listen({ port: first.port });
    await second.close();
  });
});

describe("listen()", () => {
  test("is for once", async () => {
    await using gateway = await startGateway(nowhere);
    expect(await failureOf(gateway.gateway.listen())).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    await gateway.gateway.close();
    expect(await failureOf(gateway.gateway.listen())).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
  });

  test("on a port that is taken rejects, and may be tried again", async () => {
    await using taken = await startGateway(nowhere);
    const gateway = bare();
    expect(await failureOf(gateway.listen({ port: taken.port }))).toMatchObject({ code: "EADDRINUSE" });
    const { url } = await gateway.listen();
    expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/$/);
    await gateway.close();
  });
});
