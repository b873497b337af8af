import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { ExecServerGateway } from "../../src/gateway/gateway.ts";
import { resolveOptions } from "../../src/gateway/resolve-options.ts";
import type { GatewayOptions } from "../../src/gateway.ts";
import { ORIGIN, startGateway, startRealGateway, unreachable } from "../support/gateway.ts";
import { selfSigned } from "../support/tls-server.ts";
import {
  closed,
  rawSocket,
  requestRefusal,
  requestText,
  requestUpgrade,
} from "../support/upgrade-request.ts";

/** A gateway that records dials of its unreachable upstream. */
async function startWithoutUpstream(options: Partial<GatewayOptions> = {}) {
  const upstream = unreachable();
  return { ...(await startGateway(upstream, options)), upstream };
}

/** The same behind TLS, which only the command offers. */
async function startBehindTls(options: Partial<GatewayOptions>) {
  const { cert, key } = selfSigned("localhost");
  const all = { upstream: unreachable(), allowedOrigins: [ORIGIN], authorize: () => true, ...options };
  const gateway = new ExecServerGateway(resolveOptions(all));
  const tls = { cert: Buffer.from(cert), key: Buffer.from(key) };
  const { server } = await gateway.listenOn({ port: 0, host: "127.0.0.1", tls });
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}

const SHORT_TIMEOUT = { handshakeTimeoutMs: 300 };

/** A record of the handshake, its length, and the first byte of a ClientHello. */
const TLS_HELLO_START = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01);

/** Sends a request and resolves with everything received until the gateway closes the socket. */
async function receivedUntilClosed(port: number, ...pieces: string[]): Promise<string> {
  const socket = await rawSocket(port);
  let text = "";
  socket.setEncoding("latin1").on("data", (piece: string) => {
    text += piece;
  });
  for (const piece of pieces) socket.write(piece);
  await closed(socket);
  return text;
}

describe("the gateway closes the socket of", () => {
  test("a client that sends nothing", async () => {
    await using gateway = await startWithoutUpstream(SHORT_TIMEOUT);
    expect(await receivedUntilClosed(gateway.port)).not.toContain("101");
  });

  test("a request that never ends", async () => {
    await using gateway = await startWithoutUpstream(SHORT_TIMEOUT);
    const unfinished = requestText(gateway.port).slice(0, -2);
    expect(await receivedUntilClosed(gateway.port, unfinished)).toContain("408");
  });

  test("a request that arrives byte by byte", async () => {
    await using gateway = await startWithoutUpstream(SHORT_TIMEOUT);
    const socket = await rawSocket(gateway.port);
    socket.resume().write(requestText(gateway.port).slice(0, -2));
    const drip = setInterval(() => socket.write("x"), 20);
    await closed(socket);
    clearInterval(drip);
  });

  test.each<[string, (socket: Socket) => void]>([
    ["sends no handshake of TLS", () => {}],
    ["begins a handshake of TLS", (socket) => socket.write(TLS_HELLO_START)],
  ])("a client that %s", async (_, begin) => {
    await using gateway = await startBehindTls(SHORT_TIMEOUT);
    const socket = await rawSocket(gateway.port);
    begin(socket.resume());
    await closed(socket);
  });

  test.each([
    ["a request with one header of 64 KiB", `X-Big: ${"x".repeat(64 * 1024)}\r\n\r\n`],
    ["a request with 10,000 headers", `${"X-Many: 1\r\n".repeat(10_000)}\r\n`],
  ])("%s", async (_, more) => {
    await using gateway = await startWithoutUpstream();
    const text = await receivedUntilClosed(gateway.port, requestText(gateway.port).slice(0, -2) + more);
    expect(text).toContain("431");
    expect(gateway.upstream.dials).toBe(0);
  });

  test("a request with a token of 15 KiB", async () => {
    await using gateway = await startWithoutUpstream();
    const headers = { "Sec-WebSocket-Protocol": `exec-server-gateway, ${"x".repeat(15_000)}` };
    expect((await requestRefusal(gateway.port, { headers })).status).toBe(4401);
  });

  test.each([
    ["a client of another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n"],
    ["a client that sends binary bytes", "\0\x01\x02\xff\r\n\r\n"],
    ["a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ])("%s", async (_, bytes) => {
    await using gateway = await startWithoutUpstream(SHORT_TIMEOUT);
    expect(await receivedUntilClosed(gateway.port, bytes)).not.toContain("101");
  });

  test("a refused page that keeps its half of the socket open", async () => {
    await using gateway = await startWithoutUpstream();
    const socket = await rawSocket(gateway.port);
    socket.allowHalfOpen = true;
    socket.resume().write(requestText(gateway.port, { headers: { Origin: "https://evil.example" } }));
    await once(socket, "end");
    // A write fails only when the gateway has closed both halves.
    const drip = setInterval(() => socket.write("x"), 5);
    await closed(socket);
    clearInterval(drip);
  });
});

test("1,000 silent and refused connections at once do not affect a connected page", async () => {
  await using gateway = await startRealGateway({ handshakeTimeoutMs: 1_000 });
  await using otherClient = await gateway.connect();
  const foreign = { headers: { Origin: "https://evil.example" } };
  const silent = await Promise.all(Array.from({ length: 400 }, () => rawSocket(gateway.port)));
  const ends = silent.map((socket) => closed(socket.resume()));
  const responses = Promise.all(Array.from({ length: 600 }, () => requestUpgrade(gateway.port, foreign)));
  expect((await otherClient.run(["echo", "hello"])).stdout).toBe("hello\n");
  expect(new Set((await responses).map(({ status }) => status))).toEqual(new Set([403]));
  await using late = await gateway.connect();
  expect(await late.status()).toEqual({ status: "ready" });
  await Promise.all(ends);
  expect(gateway.upstream.dials).toBe(2);
  expect(otherClient.isDisconnected).toBe(false);
});
