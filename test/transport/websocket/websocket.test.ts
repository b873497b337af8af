import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { ExecServerClient } from "../../../src/index.ts";
import { silence } from "../../../src/testing.ts";
import { failureOf } from "../../support/failure.ts";
import { END, Recorder } from "../../support/recorder.ts";
import { SocketServer } from "../../support/scripted-server.ts";
import { CLOSE, frame, RawServer, TEXT } from "../../support/tcp-server.ts";
import { PlainWebSocketServer } from "../../support/websocket-server.ts";
import { ENTRIES } from "../harness/entries.ts";

const open = () => ({ signal: new AbortController().signal });

describe.each(ENTRIES)("a connection of webSocket() of the %s", (_, makeTransport) => {
  test("accepts binary frames as text", async () => {
    await using server = await SocketServer.start();
    const answers = { initialize: '{"sessionId":"grüße"}', "environment/status": '{"status":"ready"}' };
    for (const [method, result] of Object.entries(answers)) {
      server.handle(method, ({ id }, connection) => {
        connection.send(Buffer.from(`{"id":${id},"result":${result}}`));
        return silence;
      });
    }
    await using client = await ExecServerClient.connect({ transport: makeTransport(server.url) });
    expect(client.sessionId).toBe("grüße");
    expect(await client.status()).toEqual({ status: "ready" });
  });

  test("sends text frames", async () => {
    await using server = await PlainWebSocketServer.start();
    const connection = await makeTransport(server.url).connect(open());
    const message = once(await server.next(), "message");
    connection.send("{}");
    const [data, isBinary] = await message;
    expect([String(data), isBinary]).toEqual(["{}", false]);
    await connection.close();
  });

  test("answers a ping and delivers no frame for it", async () => {
    await using server = await PlainWebSocketServer.start();
    const connection = await makeTransport(server.url).connect(open());
    const recorder = new Recorder(connection);
    const socket = await server.next();
    const pong = once(socket, "pong");
    socket.ping("ping data");
    socket.send("1");
    expect(String((await pong)[0])).toBe("ping data");
    await recorder.entries(1);
    await connection.close();
    expect(recorder.log).toEqual(["1", END]);
  });

  test("assembles a fragmented message", async () => {
    await using server = await PlainWebSocketServer.start();
    const connection = await makeTransport(server.url).connect(open());
    const recorder = new Recorder(connection);
    const socket = await server.next();
    const euro = Buffer.from("€");
    socket.send(euro.subarray(0, 1), { binary: false, fin: false });
    socket.ping();
    socket.send(euro.subarray(1), { binary: false, fin: true });
    expect(await recorder.entries(1)).toEqual(["€"]);
    await connection.close();
  });

  test("works with a server that offers compression", async () => {
    await using server = await PlainWebSocketServer.start({ perMessageDeflate: { threshold: 0 } });
    const connection = await makeTransport(server.url).connect(open());
    const recorder = new Recorder(connection);
    const socket = await server.next();
    const text = "compress me ".repeat(1_000);
    const received = once(socket, "message");
    connection.send(text);
    socket.send(text);
    expect(await recorder.entries(1)).toEqual([text]);
    expect(String((await received)[0])).toBe(text);
    await connection.close();
  });

  test("delivers a frame of the same packet as the close frame, and reports its code and reason", async () => {
    await using server = await RawServer.upgraded();
    const connection = await makeTransport(server.url).connect(open());
    const recorder = new Recorder(connection);
    const closePayload = Buffer.concat([Buffer.from([0x0f, 0xa1]), Buffer.from("maintenance")]);
    const socket = await server.next();
    socket.end(Buffer.concat([frame(TEXT, "last frame"), frame(CLOSE, closePayload)]));
    expect(await recorder.ended).toMatchObject({ closeCode: 4001, reason: "maintenance" });
    expect(recorder.log).toEqual(["last frame", END]);
  });

  test("delivers a frame of the same packet as the response to the upgrade", async () => {
    await using server = await RawServer.upgraded({ first: frame(TEXT, "welcome") });
    const connection = await makeTransport(server.url).connect(open());
    const recorder = new Recorder(connection);
    expect(await recorder.entries(1)).toEqual(["welcome"]);
    await connection.close();
  });

  test("ends within two seconds of a close frame if the server keeps the socket open", async () => {
    await using server = await RawServer.upgraded();
    const connection = await makeTransport(server.url).connect(open());
    const recorder = new Recorder(connection);
    const start = performance.now();
    (await server.next()).write(frame(CLOSE, Uint8Array.of(0x03, 0xe8)));
    await recorder.ended;
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(connection.isOpen).toBe(false);
  });

  test("ends with code 1006 when the socket is reset", async () => {
    await using server = await RawServer.upgraded();
    const connection = await makeTransport(server.url).connect(open());
    const recorder = new Recorder(connection);
    (await server.next()).resetAndDestroy();
    expect(await recorder.ended).toMatchObject({ closeCode: 1006, reason: expect.any(String) });
  });

  test("rejects pending calls when the socket is reset", async () => {
    await using server = await SocketServer.start();
    await using client = await ExecServerClient.connect({ transport: makeTransport(server.url) });
    const pending = failureOf(client.status());
    const connection = await server.connection();
    await connection.request("environment/status");
    connection.drop();
    expect(await pending).toMatchObject({ code: "ERR_DISCONNECTED", delivery: "unknown", closeCode: 1006 });
  });

  test("closes with code 1000", async () => {
    await using server = await PlainWebSocketServer.start();
    const connection = await makeTransport(server.url).connect(open());
    const closed = once(await server.next(), "close");
    await connection.close();
    expect((await closed)[0]).toBe(1000);
  });
});
