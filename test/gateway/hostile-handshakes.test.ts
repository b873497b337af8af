import { once } from "node:events";
import { describe, expect, test } from "vitest";
import type { GatewayOptions } from "../../src/gateway.ts";
import { RecordingTransport, startGateway, startRealGateway } from "../support/gateway.ts";
import { closed, rawSocket, requestText, requestUpgrade } from "../support/upgrade-request.ts";

/** One that nobody shall get through. */
async function closedGateway(options: Partial<GatewayOptions> = {}) {
  const upstream = new RecordingTransport({
    reconnectable: true,
    connect: () => Promise.reject(new Error("not here")),
  });
  return { ...(await startGateway(upstream, options)), upstream };
}

const SHORT = { handshakeTimeoutMs: 300 };

async function untilClosed(port: number, ...pieces: string[]): Promise<string> {
  const socket = await rawSocket(port);
  let text = "";
  socket.setEncoding("latin1").on("data", (piece: string) => {
    text += piece;
  });
  for (const piece of pieces) socket.write(piece);
  await closed(socket);
  return text;
}

describe("the gateway hangs up on", () => {
  test("somebody who says nothing", async () => {
    await using gateway = await closedGateway(SHORT);
    expect(await untilClosed(gateway.port)).not.toContain("101");
  });

  test("a request that never ends", async () => {
    await using gateway = await closedGateway(SHORT);
    const unfinished = requestText(gateway.port).slice(0, -2);
    expect(await untilClosed(gateway.port, unfinished)).toContain("408");
  });

  test("a request that comes byte by byte", async () => {
    await using gateway = await closedGateway(SHORT);
    const socket = await rawSocket(gateway.port);
    socket.resume().write(requestText(gateway.port).slice(0, -2));
    const drip = setInterval(() => socket.write("x"), 20);
    await closed(socket);
    clearInterval(drip);
  });

  test.each([
    ["one header of 64 KiB", `X-Big: ${"x".repeat(64 * 1024)}\r\n\r\n`],
    ["10,000 headers", `${"X-Many: 1\r\n".repeat(10_000)}\r\n`],
  ])("%s", async (_, more) => {
    await using gateway = await closedGateway();
    const text = await untilClosed(gateway.port, requestText(gateway.port).slice(0, -2) + more);
    expect(text).toContain("431");
    expect(gateway.upstream.dials).toBe(0);
  });

  test("a token of 15 KiB", async () => {
    await using gateway = await closedGateway();
    const headers = { "Sec-WebSocket-Protocol": `exec-server-gateway, ${"x".repeat(15_000)}` };
    expect((await requestUpgrade(gateway.port, { headers })).status).toBe(401);
  });

  test.each([
    ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n"],
    ["bytes that mean nothing", "\0\x01\x02\xff\r\n\r\n"],
    ["a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ])("%s", async (_, bytes) => {
    await using gateway = await closedGateway(SHORT);
    expect(await untilClosed(gateway.port, bytes)).not.toContain("101");
  });

  test("a refused page that keeps its end of the socket open", async () => {
    await using gateway = await closedGateway();
    const socket = await rawSocket(gateway.port);
    socket.allowHalfOpen = true;
    socket.resume().write(requestText(gateway.port, { headers: { Origin: "https://evil.example" } }));
    await once(socket, "end");
    // Written until the other end is seen to be gone, which a half-closed one never is.
    const drip = setInterval(() => socket.write("x"), 5);
    await closed(socket);
    clearInterval(drip);
  });
});

test("1,000 connections at once, of every kind, disturb nobody", async () => {
  await using gateway = await startRealGateway({ handshakeTimeoutMs: 1_000 });
  await using otherClient = await gateway.connect();
  const evil = { headers: { Origin: "https://evil.example" } };
  const silent = await Promise.all(Array.from({ length: 400 }, () => rawSocket(gateway.port)));
  const ends = silent.map((socket) => closed(socket.resume()));
  const answers = Promise.all(Array.from({ length: 600 }, () => requestUpgrade(gateway.port, evil)));
  expect((await otherClient.run(["echo", "me too"])).stdout).toBe("me too\n");
  expect(new Set((await answers).map(({ status }) => status))).toEqual(new Set([403]));
  await using late = await gateway.connect();
  expect(await late.status()).toEqual({ status: "ready" });
  await Promise.all(ends);
  expect(gateway.upstream.dials).toBe(2);
  expect(otherClient.isDisconnected).toBe(false);
});
