import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { CLOSE_CODES, type PageEvent } from "../../src/gateway.ts";
import { ExecServerClient } from "../../src/index.ts";
import { deferred } from "../../src/internal/deferred.ts";
import { webSocket } from "../../src/node.ts";
import type { Connection } from "../../src/transport/transport.ts";
import { AsyncQueue } from "../support/async-queue.ts";
import { failureOf } from "../support/failure.ts";
import {
  ORIGIN,
  PROTOCOLS,
  pageTransport,
  RecordingTransport,
  startGateway,
  startRealGateway,
} from "../support/gateway.ts";
import { Recorder } from "../support/recorder.ts";
import { RawServer, unusedPort } from "../support/tcp-server.ts";
import { clientFrame, openRawWebSocket } from "../support/upgrade-request.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

const { signal } = new AbortController();

/** A page below the level of the protocol, and the upstream's side of its connection. */
async function plainPage(options: Parameters<typeof startGateway>[1] = {}) {
  const server = await PlainWebSocketServer.start();
  const gateway = await startGateway(server.url, options);
  const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
  await once(page, "open");
  return {
    gateway,
    page,
    upstream: await server.next(),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("each page", () => {
  test("has one upstream connection and session of its own, which ends with it", async () => {
    await using gateway = await startRealGateway();
    const pages = await Promise.all([gateway.connect(), gateway.connect(), gateway.connect()]);
    expect(gateway.upstream.dials).toBe(3);
    expect(new Set(pages.map(({ sessionId }) => sessionId)).size).toBe(3);
    await pages[0]?.close();
    await expect.poll(() => gateway.upstream.open).toBe(2);
    expect(await pages[1]?.status()).toEqual({ status: "ready" });
    for (const page of pages) await page.close();
    await expect.poll(() => gateway.upstream.open).toBe(0);
  });

  test("is cut from the upstream when it vanishes without a goodbye", async () => {
    await using gateway = await startRealGateway();
    const socket = await openRawWebSocket(gateway.port);
    const upstream = await gateway.upstream.next();
    socket.resetAndDestroy();
    await expect.poll(() => upstream.isOpen).toBe(false);
  });

  test("may get an upstream of its own choice, from its request", async () => {
    await using real = await startRealGateway();
    const urls: unknown[] = [];
    await using gateway = await startGateway(async ({ url }) => {
      urls.push(url);
      return webSocket(real.server.url);
    });
    const client = await ExecServerClient.connect({ transport: pageTransport(`${gateway.url}?project=7`) });
    expect(await client.status()).toEqual({ status: "ready" });
    expect(urls).toEqual(["/?project=7"]);
    await client.close();
  });

  test("that speaks before the upstream is there is heard once it is", async () => {
    await using server = await PlainWebSocketServer.start();
    let open!: () => void;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    await using gateway = await startGateway(async () => {
      await opened;
      return webSocket(server.url);
    });
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    await once(page, "open");
    // More than is kept while nobody is there to hear it.
    const frames = Array.from({ length: 48 }, (_, n) => `${n}`.padEnd(64 * 1024));
    for (const frame of frames) page.send(frame);
    open();
    const upstream = await server.next();
    const heard: string[] = [];
    while (heard.length < frames.length) heard.push(String((await once(upstream, "message"))[0]));
    expect(heard.map((text) => text.trim())).toEqual(frames.map((text) => text.trim()));
  });
});

describe("frames pass", () => {
  test.each([
    ["text", "{}", "{}"],
    ["what is no message", "no JSON at all \u{1f600}\0", "no JSON at all \u{1f600}\0"],
    ["an empty frame", "", ""],
    ["bytes, as text", Buffer.from('{"a":"ü"}'), '{"a":"ü"}'],
    ["a byte order mark", Buffer.from("\ufeff{}"), "\ufeff{}"],
    ["12 MiB", "x".repeat(12 * 1024 * 1024), "x".repeat(12 * 1024 * 1024)],
  ])("unparsed: %s", async (_, sent, expected) => {
    await using it = await plainPage();
    for (const [from, to] of [
      [it.page, it.upstream],
      [it.upstream, it.page],
    ] as const) {
      const heard = once(to, "message");
      from.send(sent);
      const [data, isBinary] = await heard;
      expect(isBinary).toBe(false);
      expect(String(data) === expected).toBe(true);
    }
  });
});

describe("the page's socket is closed", () => {
  test("with 4002 when nobody listens at the upstream, and the log is told why", async () => {
    const events = new AsyncQueue<PageEvent>();
    const port = await unusedPort();
    await using gateway = await startGateway(`ws://127.0.0.1:${port}`, {
      onPage: (event) => events.push(event),
    });
    const { code } = CLOSE_CODES.upstreamUnreachable;
    const error = await failureOf(gateway.connect());
    expect(error).toMatchObject({ code: "ERR_CONNECT", closeCode: code });
    expect(await events.next()).toEqual({ state: "connected", origin: ORIGIN });
    expect(await events.next()).toMatchObject({
      state: "closed",
      origin: ORIGIN,
      closeCode: code,
      error: { code: "ERR_CONNECT" },
    });
  });

  test.each<[string, Parameters<typeof startGateway>[0]]>([
    ["rejects", () => Promise.reject(new Error("no such project"))],
    [
      "throws",
      () => {
        throw new Error("no such project");
      },
    ],
    ["gives no transport", () => undefined as never],
  ])("with 4002 when the upstream function %s, and tells no more", async (_, upstream) => {
    await using gateway = await startGateway(upstream);
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    const [code, reason] = await once(page, "close");
    expect([code, String(reason)]).toEqual([4002, CLOSE_CODES.upstreamUnreachable.reason]);
  });

  test("with 4001 when the server says goodbye, and with nobody else's code", async () => {
    await using it = await plainPage();
    it.upstream.close(1000, "done");
    expect((await once(it.page, "close"))[0]).toBe(4001);
  });

  test("with 4003 when the server's message is too long, which is not passed on", async () => {
    await using it = await plainPage({ maxUpstreamMessageBytes: 1_000 });
    const heard: string[] = [];
    it.page.on("message", (data) => heard.push(String(data)));
    it.upstream.send("x".repeat(1_000));
    it.upstream.send("y".repeat(1_001));
    it.upstream.send("z");
    expect((await once(it.page, "close"))[0]).toBe(4003);
    expect(heard).toEqual(["x".repeat(1_000)]);
  });

  test("with 4001 when the server is killed in the middle of a stream, after all that had arrived", async () => {
    await using gateway = await startRealGateway();
    const connection = await pageTransport(gateway.url).connect({ signal });
    const recorder = new Recorder(connection);
    connection.send(`{"id":1,"method":"initialize","params":{"clientName":"t","resumeSessionId":null}}`);
    await recorder.entries(1);
    connection.send(`{"method":"initialized","params":{}}`);
    const argv = ["sh", "-c", "seq 1 20000; echo the end; sleep 60"];
    const params = { processId: "p", argv, cwd: "file:///", env: {}, tty: false };
    connection.send(JSON.stringify({ id: 2, method: "process/start", params }));
    const output = (): string =>
      recorder.log
        .map((frame) => (JSON.parse(frame) as { params?: { chunk?: string } }).params?.chunk ?? "")
        .map((chunk) => Buffer.from(chunk, "base64").toString())
        .join("");
    while (!output().endsWith("the end\n")) await recorder.entries(recorder.log.length + 1);
    await gateway.server.kill();
    expect(await recorder.ended).toMatchObject({ closeCode: 4001 });
    await expect.poll(() => gateway.upstream.open).toBe(0);
  });

  test("only after a page that reads late has read everything", async () => {
    await using it = await plainPage();
    it.page.pause();
    const frames = 64;
    for (let n = 0; n < frames; n++) it.upstream.send(String(n).padEnd(128 * 1024));
    it.upstream.close();
    const heard: number[] = [];
    it.page.on("message", (data) => heard.push(Number(String(data))));
    it.page.resume();
    expect((await once(it.page, "close"))[0]).toBe(4001);
    expect(heard).toEqual(Array.from({ length: frames }, (_, n) => n));
  });
});

describe("a page that leaves", () => {
  test("has everything passed on that it said, also to a server that reads late", async () => {
    await using it = await plainPage();
    it.upstream.pause();
    const frames = 64;
    for (let n = 0; n < frames; n++) it.page.send(String(n).padEnd(128 * 1024));
    it.page.close();
    const heard: number[] = [];
    it.upstream.on("message", (data) => heard.push(Number(String(data))));
    it.upstream.resume();
    await once(it.upstream, "close");
    expect(heard).toEqual(Array.from({ length: frames }, (_, n) => n));
  });

  test("has its upstream connection closed only after its last words have left", async () => {
    const log: string[] = [];
    const closed = deferred<void>();
    const connection: Connection = {
      isOpen: true,
      flow: {
        queuedBytes: 0,
        pause() {},
        resume() {},
        async drained() {
          log.push("drained");
        },
      },
      start() {},
      send: (frame) => void log.push(frame),
      async close() {
        log.push("closed");
        closed.resolve();
      },
    };
    const upstream = new RecordingTransport({ reconnectable: true, connect: async () => connection });
    await using gateway = await startGateway(upstream);
    const page = await openRawWebSocket(gateway.port);
    page.end(clientFrame(0x81, "last words"));
    await closed.promise;
    expect(log).toEqual(["last words", "drained", "closed"]);
  });

  test("while the upstream is dialled ends the dial", async () => {
    await using silent = await RawServer.silent();
    await using gateway = await startGateway(silent.url);
    const page = await openRawWebSocket(gateway.port);
    const dial = await silent.next();
    page.destroy();
    await once(dial, "close");
  });

  test("while a transport that knows no end is at work has its late connection closed", async () => {
    await using server = await PlainWebSocketServer.start();
    let open!: () => void;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const stubborn = new RecordingTransport({
      reconnectable: true,
      async connect() {
        await opened;
        return await webSocket(server.url).connect({ signal });
      },
    });
    const closed = new AsyncQueue<PageEvent>();
    await using gateway = await startGateway(stubborn, {
      onPage: (event) => void (event.state === "closed" && closed.push(event)),
    });
    const page = await openRawWebSocket(gateway.port);
    page.destroy();
    expect(await closed.next()).not.toHaveProperty("error.message");
    open();
    await once(await server.next(), "close");
  });
});
