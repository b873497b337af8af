import { once } from "node:events";
import { describe, expect, test } from "vitest";
import {
  ConnectError,
  ExecServerClient,
  ExecServerError,
  ProtocolError,
  webSocket,
} from "../../../src/index.ts";
import { failureOf } from "../../support/failure.ts";
import { SocketServer } from "../../support/scripted-server.ts";
import { BINARY, frame, frameHead, RawServer, TEXT } from "../../support/tcp-server.ts";
import { PlainWebSocketServer } from "../../support/websocket-server.ts";
import { ENTRIES } from "../harness/entries.ts";

const DEEP = "[".repeat(100_000) + "]".repeat(100_000);
const SIXTY_FOUR_MIB = 64 * 1024 * 1024;

describe.each(ENTRIES)("webSocket() of the %s fails the attempt on", (_, makeTransport) => {
  test.each([
    ["text that is not JSON", "hello"],
    ["JSON that is not an object", "42"],
    ["a batch", "[]"],
    ["JSON that is not a message", "{}"],
    ["bytes that are not UTF-8", Buffer.from([0xff, 0xfe, 0x00, 0x80])],
    ["an empty frame", ""],
    ["JSON nested 100,000 deep", DEEP],
    ["a response nested 100,000 deep", `{"id":1,"result":${DEEP}}`],
    ["a response without a session", `{"id":1,"result":{}}`],
  ])("%s as the first frame, and closes the socket", async (_what, first) => {
    await using server = await PlainWebSocketServer.start();
    const connecting = failureOf(ExecServerClient.connect({ transport: makeTransport(server.url) }));
    const socket = await server.next();
    const closed = once(socket, "close");
    await once(socket, "message");
    socket.send(first);
    const error = await connecting;
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as Error).message.length).toBeLessThan(200);
    await closed;
  });

  test("an echo of its own messages, and closes the socket", async () => {
    await using server = await PlainWebSocketServer.start();
    const connecting = failureOf(ExecServerClient.connect({ transport: makeTransport(server.url) }));
    const socket = await server.next();
    socket.on("message", (data) => socket.send(String(data)));
    const closed = once(socket, "close");
    expect(await connecting).toBeInstanceOf(ExecServerError);
    await closed;
  });

  test("a frame above 64 MiB, as soon as its header arrives", async () => {
    await using server = await RawServer.upgraded();
    const connecting = failureOf(ExecServerClient.connect({ transport: makeTransport(server.url) }));
    const socket = await server.next();
    socket.write(frameHead(TEXT, SIXTY_FOUR_MIB + 1));
    expect(await connecting).toMatchObject({
      code: "ERR_CONNECT",
      phase: "initialize",
      delivery: "not-sent",
    });
  });

  test("a connection reset in the middle of a frame", async () => {
    await using server = await RawServer.upgraded();
    const connecting = failureOf(ExecServerClient.connect({ transport: makeTransport(server.url) }));
    const socket = await server.next();
    socket.write(Buffer.concat([frameHead(TEXT, 100_000), Buffer.from('{"id":1,')]), () =>
      socket.resetAndDestroy(),
    );
    const error = await connecting;
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ phase: "initialize", closeCode: 1006 });
  });

  test("a connection that ends in the middle of a frame", async () => {
    await using server = await RawServer.upgraded();
    const connecting = failureOf(ExecServerClient.connect({ transport: makeTransport(server.url) }));
    const socket = await server.next();
    socket.end(Buffer.concat([frameHead(BINARY, 100_000), Buffer.from('{"id":1,')]));
    expect(await connecting).toMatchObject({ code: "ERR_CONNECT", phase: "initialize", closeCode: 1006 });
  });

  test("bytes that are not WebSocket frames", async () => {
    await using server = await RawServer.upgraded();
    const connecting = failureOf(ExecServerClient.connect({ transport: makeTransport(server.url) }));
    (await server.next()).write("SSH-2.0-OpenSSH_9.6\r\n");
    expect(await connecting).toMatchObject({ code: "ERR_CONNECT", phase: "initialize" });
  });

  test("text that is not UTF-8", async () => {
    await using server = await RawServer.upgraded();
    const connecting = failureOf(ExecServerClient.connect({ transport: makeTransport(server.url) }));
    (await server.next()).write(frame(TEXT, Uint8Array.of(0xff, 0xfe)));
    expect(await connecting).toBeInstanceOf(ExecServerError);
  });

  test("a close frame instead of a response, and reports its code and reason", async () => {
    await using server = await PlainWebSocketServer.start();
    const connecting = failureOf(ExecServerClient.connect({ transport: makeTransport(server.url) }));
    (await server.next()).close(4001, "maintenance");
    const error = await connecting;
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "initialize", closeCode: 4001 });
    expect((error as Error).message).toContain("maintenance");
  });
});

describe("an established connection ends and rejects its pending calls on", () => {
  test.each([
    ["text that is not JSON", "hello"],
    ["bytes that are not UTF-8", Buffer.from([0xff, 0xfe, 0x00, 0x80])],
    ["JSON nested 100,000 deep", DEEP],
  ])("%s", async (_, garbage) => {
    await using server = await SocketServer.start();
    await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
    const pending = [failureOf(client.status()), failureOf(client.status())];
    const connection = await server.connection();
    await connection.request("environment/status", 2);
    connection.send(garbage);
    for (const error of await Promise.all(pending)) {
      expect(error).toMatchObject({ code: "ERR_DISCONNECTED", cause: { code: "ERR_PROTOCOL" } });
    }
    expect(client.isDisconnected).toBe(true);
    await connection.ended;
  });
});
