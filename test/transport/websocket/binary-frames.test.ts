import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket as WsWebSocket } from "ws";
import { LazyExecServerClient, webSocket } from "../../../src/index.ts";
import { binarySender } from "../../../src/transport/websocket/binary-frames.ts";
import { ExecServer } from "../../support/exec-server.ts";
import { ORIGIN, PROTOCOLS, startGateway } from "../../support/gateway.ts";
import { Origin } from "../../support/origin.ts";

const MIB = 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), "exec-server-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What was passed to the sockets. */
const sent: { text: string; isBinary: boolean }[] = [];

/** A socket of `ws` that records what it sends. `ws` copies views, as a browser does. */
class Recording extends WsWebSocket {
  override send(data: string | Uint8Array, ...rest: unknown[]): void {
    sent.push({ text: Buffer.from(data as string).toString(), isBinary: typeof data !== "string" });
    super.send(data, ...(rest as []));
  }
}

/** Lets the class pass for the platform's own, which is recognised by its source text. */
function passForNative(): void {
  const sourceOf = Function.prototype.toString;
  vi.spyOn(Function.prototype, "toString").mockImplementation(function (this: () => unknown) {
    return this === Recording.prototype.send ? "function send() { [native code] }" : sourceOf.call(this);
  });
}

/** A socket that keeps what it is given. */
function keeper(isNative: boolean) {
  const kept: (string | Uint8Array)[] = [];
  const copies: string[] = [];
  const socket = {
    send(data: string | Uint8Array): void {
      kept.push(data);
      copies.push(Buffer.from(data as string).toString());
    },
  };
  const spy = vi
    .spyOn(Function.prototype, "toString")
    .mockReturnValue(isNative ? "function send() {\n    [native code]\n}" : "send(data) { … }");
  const send = binarySender(socket as never);
  spy.mockRestore();
  return { send, kept, copies };
}

describe("a large payload through the platform's own WebSocket", () => {
  let server: ExecServer;
  beforeAll(async () => {
    server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(["directly", "through the gateway"])("is a binary frame that is understood %s", async (way) => {
    await using gateway = await startGateway(server.url);
    const url = way === "directly" ? server.url : gateway.url;
    const origin = way === "directly" ? {} : { headers: { origin: ORIGIN }, protocols: PROTOCOLS };
    await using target = await Origin.start();
    passForNative();
    const transport = webSocket(url, { ...origin, WebSocket: Recording });
    await using client = new LazyExecServerClient({ transport });
    await client.get();
    sent.length = 0;

    const data = randomBytes(3 * MIB + 5);
    await client.fs.writeFile(join(directory, "blocks-ü"), data);
    await client.fs.writeFile(join(directory, "whole"), data.subarray(0, MIB));
    const hash = await client.start(["sha256sum"], { stdin: "pipe" });
    await hash.write(data);
    await hash.terminate();
    await client.fetch(target.url, { method: "POST", body: data.subarray(0, MIB) });
    vi.restoreAllMocks();

    expect(Buffer.compare(readFileSync(join(directory, "blocks-ü")), data)).toBe(0);
    expect(Buffer.compare(readFileSync(join(directory, "whole")), data.subarray(0, MIB))).toBe(0);
    expect(Buffer.compare(target.latest.body, data.subarray(0, MIB))).toBe(0);
    const binary = sent.filter(({ isBinary }) => isBinary).map(({ text }) => JSON.parse(text).method);
    expect(new Set(binary)).toEqual(
      new Set(["fs/writeBlock", "fs/writeFile", "process/write", "http/request"]),
    );
  });
});

describe("a frame of a platform's own WebSocket", () => {
  test("is binary from 4 KiB on, and uses the same memory again", () => {
    const { send, kept, copies } = keeper(true);
    send?.('{"ü":"', "a".repeat(4 * 1024), '"}');
    send?.(`{"ü":"${"b".repeat(8 * 1024)}"}`);
    expect(kept.map((frame) => (frame as Uint8Array).byteOffset)).toEqual([0, 0]);
    expect((kept[0] as Uint8Array).buffer).toBe((kept[1] as Uint8Array).buffer);
    expect(copies).toEqual([`{"ü":"${"a".repeat(4 * 1024)}"}`, `{"ü":"${"b".repeat(8 * 1024)}"}`]);
  });

  test.each([
    ["short", "a".repeat(4 * 1024 - 3)],
    ["longer than that memory", "a".repeat(2 * MIB)],
    ["longer than that memory in bytes only", "€".repeat(MIB)],
  ])("is text when it is %s", (_, middle) => {
    const { send, kept } = keeper(true);
    send?.("{", middle, "}");
    expect(kept).toEqual([`{${middle}}`]);
  });
});

test("a WebSocket that is not the platform's own gets no reused memory, because it may read it later", () => {
  expect(keeper(false).send).toBeUndefined();
  const bound = { send: WsWebSocket.prototype.send.bind(undefined as never) };
  expect(binarySender(bound as never)).toBeUndefined();
  const proxied = { send: new Proxy(WsWebSocket.prototype.send, {}) };
  expect(binarySender(proxied as never)).toBeUndefined();
  expect(binarySender({ send: Math.max } as never)).toBeUndefined();
});
