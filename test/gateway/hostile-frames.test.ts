import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExecServerClient } from "../../src/index.ts";
import { isRelaying, startRealGateway } from "../support/gateway.ts";
import { clientFrame, closeCodeIn, closed, openRawWebSocket } from "../support/upgrade-request.ts";

const KiB = 1024;
const CONTINUED = 0x00;
const TEXT_FIRST = 0x01;
const TEXT = 0x81;
const PING = 0x89;

let gateway: Awaited<ReturnType<typeof startRealGateway>>;
let otherClient: ExecServerClient;

beforeAll(async () => {
  gateway = await startRealGateway({ maxMessageBytes: 64 * KiB });
  otherClient = await gateway.connect();
  await gateway.upstream.next();
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** The bytes that the gateway sends until it closes the socket. */
async function receivedUntilClosed(socket: Socket): Promise<Buffer> {
  const received: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => received.push(chunk));
  await closed(socket);
  return Buffer.concat(received);
}

describe("the gateway closes a page's socket for", () => {
  test.each([
    ["the header of a message above the limit", 1009, [clientFrame(TEXT, "", 64 * KiB + 1)]],
    [
      "fragments that add up to more than the limit",
      1009,
      [
        clientFrame(TEXT_FIRST, "x".repeat(40 * KiB)),
        ...Array.from({ length: 30 }, () => clientFrame(CONTINUED, "x".repeat(KiB))),
      ],
    ],
    [
      "20,000 fragments of one byte",
      1008,
      [clientFrame(TEXT_FIRST, "x"), ...Array.from({ length: 20_000 }, () => clientFrame(CONTINUED, "x"))],
    ],
    ["a length of 2 ** 63", 1009, [clientFrame(TEXT, "", 2 ** 53)]],
    ["an unmasked frame", 1002, [Buffer.from([TEXT, 1, 0x78])]],
    ["a frame with an unknown opcode", 1002, [clientFrame(0x83, "x")]],
    ["a compressed frame", 1002, [clientFrame(0xc1, "x")]],
    // A relay leaves text to its ends: the exec-server ends the connection.
    ["text that is not UTF-8", isRelaying ? 4001 : 1007, [clientFrame(TEXT, Uint8Array.of(0xff, 0xfe))]],
    ["random bytes", 1002, [Buffer.from([0x7f, 0x7f]), randomBytes(KiB)]],
  ] as const)("%s: %i", async (_, code, frames) => {
    const socket = await openRawWebSocket(gateway.port);
    const upstream = await gateway.upstream.next();
    socket.write(Buffer.concat([...frames]));
    expect(closeCodeIn(await receivedUntilClosed(socket))).toBe(code);
    await expect.poll(() => upstream.isOpen).toBe(false);
    expect(await otherClient.status()).toEqual({ status: "ready" });
  });

  test("endless pings of a page that does not read the pongs", async () => {
    const socket = await openRawWebSocket(gateway.port);
    const upstream = await gateway.upstream.next();
    socket.pause();
    const pings = Buffer.concat(
      Array.from({ length: 512 }, () => {
        const ping = Buffer.alloc(131, 0x78);
        ping.set([PING, 0x80 | 125, 0, 0, 0, 0]);
        return ping;
      }),
    );
    const sendPings = (): void => {
      while (socket.writable && socket.write(pings));
    };
    socket.on("drain", sendPings);
    sendPings();
    await closed(socket);
    await expect.poll(() => upstream.isOpen).toBe(false);
    expect(await otherClient.status()).toEqual({ status: "ready" });
  });
});
