import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExecServerClient } from "../../src/index.ts";
import { startRealGateway } from "../support/gateway.ts";
import { clientFrame, closed, rawSocket, requestText } from "../support/upgrade-request.ts";

const TEXT = 0x81;
const CLOSE = 0x88;

let gateway: Awaited<ReturnType<typeof startRealGateway>>;
let otherClient: ExecServerClient;

beforeAll(async () => {
  gateway = await startRealGateway();
  otherClient = await gateway.connect();
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe("a page that closes during its upgrade", () => {
  test.each<[string, (socket: Socket) => void]>([
    ["resets the socket right after its request", (socket) => socket.resetAndDestroy()],
    ["ends the socket right after its request", (socket) => socket.end()],
    ["sends a close frame with its request", (socket) => socket.end(clientFrame(CLOSE, ""))],
    [
      "sends two close frames",
      (socket) => socket.end(Buffer.concat([clientFrame(CLOSE, ""), clientFrame(CLOSE, "")])),
    ],
    [
      "sends a message after its close frame",
      (socket) => socket.end(Buffer.concat([clientFrame(CLOSE, ""), clientFrame(TEXT, "{}")])),
    ],
    ["ends in the middle of a frame", (socket) => socket.end(clientFrame(TEXT, "{", 1_000))],
    ["sends an invalid close code", (socket) => socket.end(clientFrame(CLOSE, Uint8Array.of(0, 1)))],
  ])("and %s leaves no connection open", async (_, closePage) => {
    const pages = await Promise.all(Array.from({ length: 20 }, () => rawSocket(gateway.port)));
    const ends = pages.map((socket) => closed(socket.resume()));
    for (const socket of pages) {
      socket.write(requestText(gateway.port));
      closePage(socket);
    }
    await Promise.all(ends);
    expect(await otherClient.status()).toEqual({ status: "ready" });
    await expect.poll(() => gateway.upstream.open).toBe(1);
  });
});
