import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { errorText } from "../../src/gateway/command/log.ts";
import { CLOSE_CODES, type GatewayEvent } from "../../src/gateway.ts";
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

/** A page and its upstream, both plain WebSockets. */
async function startPlainPage(options: Parameters<typeof startGateway>[1] = {}) {
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
  test("has its own upstream connection and session, which end with the page", async () => {
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

  test("loses its upstream connection when its socket is reset", async () => {
    await using gateway = await startRealGateway();
    const socket = await openRawWebSocket(gateway.port);
    const upstream = await gateway.upstream.next();
    socket.resetAndDestroy();
    await expect.poll(() => upstream.isOpen).toBe(false);
  });

  test("can have its own upstream, chosen from its request", async () => {
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

  test("has the messages it sends during the dial passed on afterwards", async () => {
    await using server = await PlainWebSocketServer.start();
    const mayDial = deferred<void>();
    await using gateway = await startGateway(async () => {
      await mayDial.promise;
      return webSocket(server.url);
    });
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    await once(page, "open");
    // 3 MiB, more than the gateway reads during the dial.
    const frames = Array.from({ length: 48 }, (_, n) => `${n}`.padEnd(64 * 1024));
    for (const frame of frames) page.send(frame);
    mayDial.resolve();
    const upstream = await server.next();
    const received: string[] = [];
    while (received.length < frames.length) received.push(String((await once(upstream, "message"))[0]));
    expect(received.map((text) => text.trim())).toEqual(frames.map((text) => text.trim()));
  });
});

describe("frames are passed on", () => {
  test.each([
    ["text", "{}", "{}"],
    ["text that is not JSON", "no JSON at all \u{1f600}\0", "no JSON at all \u{1f600}\0"],
    ["an empty frame", "", ""],
    ["bytes, as text", Buffer.from('{"a":"ü"}'), '{"a":"ü"}'],
    ["a byte order mark", Buffer.from("\ufeff{}"), "\ufeff{}"],
    ["12 MiB", "x".repeat(12 * 1024 * 1024), "x".repeat(12 * 1024 * 1024)],
  ])("unparsed: %s", async (_, sent, expected) => {
    await using plain = await startPlainPage();
    const { page, upstream } = plain;
    for (const [from, to] of [
      [page, upstream],
      [upstream, page],
    ] as const) {
      const received = once(to, "message");
      from.send(sent);
      const [data, isBinary] = await received;
      expect(isBinary).toBe(false);
      expect(String(data) === expected).toBe(true);
    }
  });
});

describe("the gateway closes a page", () => {
  test("with 4002 when the upstream refuses the connection, and passes the error to onEvent", async () => {
    const events = new AsyncQueue<GatewayEvent>();
    const port = await unusedPort();
    await using gateway = await startGateway(`ws://127.0.0.1:${port}`, {
      onEvent: (event) => events.push(event),
    });
    const { code } = CLOSE_CODES.upstreamUnreachable;
    const error = await failureOf(gateway.connect());
    expect(error).toMatchObject({ code: "ERR_CONNECT", closeCode: code });
    expect(await events.next()).toMatchObject({ type: "connected", origin: ORIGIN });
    expect(await events.next()).toMatchObject({
      type: "closed",
      reason: "upstream-unreachable",
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
    ["returns no transport", () => undefined as never],
  ])("with 4002 when the upstream function %s, without revealing the error", async (_, upstream) => {
    await using gateway = await startGateway(upstream);
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    const [code, reason] = await once(page, "close");
    expect([code, String(reason)]).toEqual([4002, CLOSE_CODES.upstreamUnreachable.reason]);
  });

  test.each([
    ["undefined", undefined],
    ["a string", "ws://127.0.0.1:1"],
    ["an object", {}],
  ])("with 4002 when the upstream function returns %s, which the event says", async (received, result) => {
    const errors: unknown[] = [];
    await using gateway = await startGateway(() => result as never, {
      onEvent: ({ error }) => errors.push(error),
    });
    await failureOf(gateway.connect());
    await expect.poll(() => errors).toHaveLength(2);
    expect(errorText(errors[1])).toBe(`upstream must return a transport, got ${received}`);
  });

  test("with 4002 when the server is silent, before the page's own handshake times out", async () => {
    await using silent = await RawServer.silent();
    const errors: unknown[] = [];
    await using gateway = await startGateway(silent.url, { onEvent: ({ error }) => errors.push(error) });
    expect(await failureOf(gateway.connect())).toMatchObject({ code: "ERR_CONNECT", closeCode: 4002 });
    await expect.poll(() => errors).toHaveLength(2);
    expect(errorText(errors[1])).toBe("Timed out after 8000 ms while connecting to the exec-server");
  });

  test("with 4001 when the server closes its connection, whatever the server's code", async () => {
    await using plain = await startPlainPage();
    const { page, upstream } = plain;
    upstream.close(1000, "done");
    expect((await once(page, "close"))[0]).toBe(4001);
  });

  test("with 4003 when a message of the server is too long, and drops that message", async () => {
    await using plain = await startPlainPage({ maxUpstreamMessageBytes: 1_000 });
    const { page, upstream } = plain;
    const received: string[] = [];
    page.on("message", (data) => received.push(String(data)));
    upstream.send("x".repeat(1_000));
    upstream.send("y".repeat(1_001));
    upstream.send("z");
    expect((await once(page, "close"))[0]).toBe(4003);
    expect(received).toEqual(["x".repeat(1_000)]);
  });

  test("with 4001 when the server is killed during a stream, after passing on everything received", async () => {
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

  test("only after a slow page has received everything", async () => {
    await using plain = await startPlainPage();
    const { page, upstream } = plain;
    page.pause();
    const frames = 64;
    for (let n = 0; n < frames; n++) upstream.send(String(n).padEnd(128 * 1024));
    upstream.close();
    const received: number[] = [];
    page.on("message", (data) => received.push(Number(String(data))));
    page.resume();
    expect((await once(page, "close"))[0]).toBe(4001);
    expect(received).toEqual(Array.from({ length: frames }, (_, n) => n));
  });
});

describe("when a page closes", () => {
  test("passes on everything it sent, even to a slow server", async () => {
    await using plain = await startPlainPage();
    const { page, upstream } = plain;
    upstream.pause();
    const frames = 64;
    for (let n = 0; n < frames; n++) page.send(String(n).padEnd(128 * 1024));
    page.close();
    const received: number[] = [];
    upstream.on("message", (data) => received.push(Number(String(data))));
    upstream.resume();
    await once(upstream, "close");
    expect(received).toEqual(Array.from({ length: frames }, (_, n) => n));
  });

  test("closes the upstream connection only after its last message has been sent", async () => {
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
    page.end(clientFrame(0x81, "last message"));
    await closed.promise;
    expect(log).toEqual(["last message", "drained", "closed"]);
  });

  test("aborts the dial of the upstream", async () => {
    await using silent = await RawServer.silent();
    await using gateway = await startGateway(silent.url);
    const page = await openRawWebSocket(gateway.port);
    const dial = await silent.next();
    page.destroy();
    await once(dial, "close");
  });

  test("closes the late connection of a custom transport that ignores the abort", async () => {
    await using server = await PlainWebSocketServer.start();
    const mayConnect = deferred<void>();
    const unabortable = new RecordingTransport({
      reconnectable: true,
      async connect() {
        await mayConnect.promise;
        return await webSocket(server.url).connect({ signal });
      },
    });
    const closed = new AsyncQueue<GatewayEvent>();
    await using gateway = await startGateway(unabortable, {
      onEvent: (event) => void (event.type === "closed" && closed.push(event)),
    });
    const page = await openRawWebSocket(gateway.port);
    page.destroy();
    expect(await closed.next()).not.toHaveProperty("error.message");
    mayConnect.resolve();
    await once(await server.next(), "close");
  });
});

describe("onEvent", () => {
  test.each<[string, () => void]>([
    [
      "throws",
      () => {
        throw new Error("the log is full");
      },
    ],
    ["is async and rejects", () => Promise.reject(new Error("the log is full"))],
  ])("that %s does not affect the page or the process", async (_, fail) => {
    const states = new AsyncQueue<string>();
    await using server = await PlainWebSocketServer.start();
    await using gateway = await startGateway(server.url, {
      onEvent({ type }) {
        states.push(type);
        return fail();
      },
    });
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", onUnhandled);
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    const upstream = await server.next();
    page.send("{}");
    expect(String((await once(upstream, "message"))[0])).toBe("{}");
    page.close();
    expect([await states.next(), await states.next(), await states.next()]).toEqual([
      "connected",
      "ready",
      "closed",
    ]);
    await setImmediate();
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([]);
  });
});
