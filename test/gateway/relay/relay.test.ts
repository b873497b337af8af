import { once } from "node:events";
import type { Socket } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ExecServerClient } from "../../../src/index.ts";
import { cut, decodedByWs, encode } from "../../support/frame-stream.ts";
import { ORIGIN, PROTOCOLS, pageTransport, startGateway, startRealGateway } from "../../support/gateway.ts";
import { SocketServer } from "../../support/scripted-server.ts";
import { frame, frameHead, RawServer, TEXT } from "../../support/tcp-server.ts";
import { clientFrame, openRawWebSocket } from "../../support/upgrade-request.ts";
import { PlainWebSocketServer } from "../../support/websocket-server.ts";

const MiB = 1024 * 1024;
const KEY = Buffer.from([0x5a, 0, 0xff, 0x13]);

/** A page on `ws`, or on a raw socket, and the raw socket of its upstream connection. */
async function startRawUpstream(options: Parameters<typeof startGateway>[1] = {}) {
  const server = await RawServer.upgraded();
  const gateway = await startGateway(server.url, options);
  return {
    gateway,
    async page() {
      const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
      await once(page, "open");
      return { page, upstream: await server.next() };
    },
    async rawPage() {
      const page = await openRawWebSocket(gateway.port);
      return { page, upstream: await server.next() };
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Everything that a socket receives, up to now. */
function received(socket: Socket): { bytes: Buffer } {
  const all = { bytes: Buffer.alloc(0) };
  socket.on("data", (chunk: Buffer) => {
    all.bytes = Buffer.concat([all.bytes, chunk]);
  });
  return all;
}

describe("a frame of a page", () => {
  test("reaches the exec-server with the page's own mask", async () => {
    await using t = await startRawUpstream();
    const { page, upstream } = await t.rawPage();
    const bytes = encode({ firstByte: 0x81, payload: Buffer.from("{}"), key: KEY, isLong: false });
    page.write(bytes);
    expect((await once(upstream, "data"))[0]).toEqual(bytes);
  });

  test("that a page breaks off anywhere reaches the exec-server never, and its end as a close frame", async () => {
    await using t = await startRawUpstream();
    const whole = encode({ firstByte: 0x81, payload: Buffer.from("whole"), key: KEY, isLong: false });
    const broken = encode({ firstByte: 0x01, payload: Buffer.alloc(140), key: KEY, isLong: false });
    const last = encode({ firstByte: 0x80, payload: Buffer.alloc(3), key: KEY, isLong: false });
    const bytes = Buffer.concat([whole, broken, last]);
    const lengths = Array.from({ length: 60 }, (_, n) => (n < 30 ? n : n + bytes.length - 60));
    const pages = [];
    for (const length of lengths) pages.push({ ...(await t.rawPage()), length });
    await Promise.all(
      pages.map(async ({ page, upstream, length }) => {
        const all = received(upstream);
        page.end(bytes.subarray(0, length));
        await once(upstream, "end");
        upstream.end();
        const messages = length < whole.length ? [] : ["whole"];
        expect(await decodedByWs(all.bytes, true)).toMatchObject({
          messages,
          closeCode: 1000,
          error: undefined,
        });
      }),
    );
  });

  test("that is long reaches the exec-server in fragments, behind which its pings are answered", async () => {
    await using t = await startRawUpstream();
    const { page, upstream } = await t.rawPage();
    const all = received(upstream);
    const payload = Buffer.alloc(2 * MiB, "long ");
    const bytes = encode({ firstByte: 0x81, payload, key: KEY, isLong: true });
    page.write(bytes.subarray(0, MiB));
    await expect.poll(() => all.bytes.length).toBeGreaterThan(MiB / 2);
    upstream.write(frame(9, "still there?"));
    await expect.poll(() => all.bytes.subarray(-18, -16).toString("hex")).toBe("8a8c");
    page.write(bytes.subarray(MiB));
    await expect.poll(() => all.bytes.length).toBeGreaterThan(2 * MiB);
    const { messages } = await decodedByWs(all.bytes, true);
    expect(messages.map((text) => text === payload.toString())).toEqual([true]);
  });
});

describe("an upstream", () => {
  test("that dies inside a frame of 45 MiB closes the page with 4001, and the page gets nothing of the frame", async () => {
    await using t = await startRawUpstream();
    const { page, upstream } = await t.page();
    const messages: string[] = [];
    page.on("message", (data) => messages.push(String(data)));
    upstream.write(frame(TEXT, "before"));
    upstream.write(frameHead(TEXT, 45 * MiB));
    upstream.write(Buffer.alloc(20 * MiB, "x"), () => upstream.resetAndDestroy());
    expect((await once(page, "close"))[0]).toBe(4001);
    expect(messages).toEqual(["before"]);
  });

  test("in the middle of a frame leaves the page's pings answered, and the gateway's close code", async () => {
    await using t = await startRawUpstream();
    const { page, upstream } = await t.page();
    upstream.write(frameHead(TEXT, 45 * MiB));
    upstream.write(Buffer.alloc(MiB, "x"));
    page.ping("p");
    expect(String((await once(page, "pong"))[0])).toBe("p");
    const end = once(page, "close");
    await t.gateway.gateway.close();
    expect((await end)[0]).toBe(1001);
  });

  test("has its pings answered, masked and with their payload", async () => {
    await using server = await PlainWebSocketServer.start();
    await using gateway = await startGateway(server.url);
    await openRawWebSocket(gateway.port);
    const upstream = await server.next();
    upstream.ping("are you there?");
    expect(String((await once(upstream, "pong"))[0])).toBe("are you there?");
  });

  test("that answers pings stays connected", async () => {
    await using server = await PlainWebSocketServer.start();
    await using gateway = await startGateway(server.url, { heartbeatMs: 20 });
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    const upstream = await server.next();
    for (let n = 0; n < 10; n++) await once(upstream, "ping");
    expect([upstream.readyState, page.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
  });

  test("that is a real exec-server answers pings, also while it works", async () => {
    await using gateway = await startRealGateway({ heartbeatMs: 10 });
    const client = await gateway.connect();
    for (let n = 0; n < 10; n++) await client.run(["sleep", "0.05"]);
    expect(client.isDisconnected).toBe(false);
  });

  test("that answers no ping any more closes the page with 4001", async () => {
    await using t = await startRawUpstream({ heartbeatMs: 20 });
    const { page } = await t.page();
    expect((await once(page, "close"))[0]).toBe(4001);
  });

  test("has its close frame answered", async () => {
    await using t = await startRawUpstream();
    const { page, upstream } = await t.page();
    const all = received(upstream);
    upstream.write(frame(8, Buffer.from([0x0f, 0xa5])));
    expect((await once(page, "close"))[0]).toBe(4001);
    expect(await decodedByWs(all.bytes, true)).toMatchObject({ closeCode: 4005, error: undefined });
  });

  test.each([
    ["a masked frame", 1002, clientFrame(0x81, "x")],
    ["a compressed frame", 1002, Buffer.from([0xc1, 0])],
    ["an unknown opcode", 1002, Buffer.from([0x83, 0])],
    ["a control frame in fragments", 1002, Buffer.from([0x09, 0])],
    ["a long control frame", 1002, Buffer.from([0x89, 126, 0, 126])],
    ["a continuation of nothing", 1002, Buffer.from([0x80, 0])],
    ["a message inside another", 1002, Buffer.from([0x01, 0, 0x81, 0])],
    ["a length of 2 ** 63", 1009, Buffer.from([0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0])],
    ["a close frame of one byte", 1002, Buffer.from([0x88, 1, 0])],
  ])("that sends %s is closed with %i, and the page with its code", async (_, code, bytes) => {
    await using t = await startRawUpstream();
    const { page, upstream } = await t.page();
    const all = received(upstream);
    upstream.write(Buffer.concat([frame(TEXT, "before"), bytes]));
    const message = once(page, "message");
    expect((await once(page, "close"))[0]).toBe(code === 1009 ? 4003 : 4001);
    expect(String((await message)[0])).toBe("before");
    expect(await decodedByWs(all.bytes, true)).toMatchObject({ closeCode: code, error: undefined });
  });
});

describe("what arrives before the other side is open", () => {
  test("is passed on: a frame of the page in the packet of its request, one of the server in that of its response", async () => {
    await using server = await RawServer.upgraded({ first: frame(TEXT, "from the server") });
    await using gateway = await startGateway(server.url);
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    page.on("open", () => page.send("from the page"));
    const upstream = await server.next();
    const all = received(upstream);
    expect(String((await once(page, "message"))[0])).toBe("from the server");
    await expect.poll(async () => (await decodedByWs(all.bytes, true)).messages).toEqual(["from the page"]);
  });
});

test("any split of the bytes of both sides gives both the same messages", async () => {
  await using t = await startRawUpstream();
  const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });
  const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 300 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(texts, places, async (messages, cuts) => {
      const { page, upstream } = await t.rawPage();
      for (const [from, to, isMasked] of [
        [page, upstream, true],
        [upstream, page, false],
      ] as const) {
        const all = received(to);
        const bytes = Buffer.concat(
          messages.map((text) =>
            encode({
              firstByte: 0x81,
              payload: Buffer.from(text),
              key: isMasked ? KEY : undefined,
              isLong: false,
            }),
          ),
        );
        for (const piece of cut(bytes, cuts))
          await new Promise<void>((resolve) => from.write(piece, () => resolve()));
        await expect.poll(async () => (await decodedByWs(all.bytes, isMasked)).messages).toEqual(messages);
        to.removeAllListeners("data").resume();
      }
      page.destroy();
    }),
    { numRuns: 20 },
  );
});

describe("a small frame of the exec-server", () => {
  test("is acknowledged by a pong, unless each of the page's frames is answered by one", async () => {
    await using server = await PlainWebSocketServer.start();
    await using gateway = await startGateway(server.url);
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    const upstream = await server.next();
    let pongs = 0;
    upstream.on("pong", () => pongs++);
    const exchange = async (): Promise<void> => {
      page.send("request");
      await once(upstream, "message");
      upstream.send("response");
      await once(page, "message");
    };
    await exchange();
    await expect.poll(() => pongs).toBe(1);
    for (let n = 0; n < 10; n++) await exchange();
    pongs = 0;
    for (let n = 0; n < 10; n++) await exchange();
    expect(pongs).toBe(0);
    // The second frame in a row: the system of an exec-server may have held it back.
    upstream.send("event");
    await expect.poll(() => pongs).toBe(1);
  });
});

test("a client of a scripted server sees its pages' end as without a gateway", async () => {
  await using server = await SocketServer.start();
  await using gateway = await startGateway(server.url);
  const client = await ExecServerClient.connect({ transport: pageTransport(gateway.url) });
  const connection = await server.connection();
  connection.drop();
  expect(await client.disconnected).toMatchObject({ code: "ERR_DISCONNECTED", closeCode: 4001 });
});
