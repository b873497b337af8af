import { once } from "node:events";
import { Agent as HttpAgent, type IncomingMessage } from "node:http";
import { Agent } from "node:https";
import { describe, expect, test } from "vitest";
import { streamDialerOf, type UpgradedStream } from "../../src/node/upgraded-stream.ts";
import { type NodeWebSocketOptions, stdio, webSocket } from "../../src/node.ts";
import type { WebSocketTarget } from "../../src/transport/websocket/address.ts";
import { failureOf } from "../support/failure.ts";
import { expectNoneShown } from "../support/leaks.ts";
import { frame, RawServer, TEXT, unusedPort } from "../support/tcp-server.ts";
import { selfSigned, startTlsServer } from "../support/tls-server.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

const { signal } = new AbortController();
const localhost = selfSigned("localhost");

function dial(
  target: WebSocketTarget,
  options?: NodeWebSocketOptions,
  abort = signal,
): Promise<UpgradedStream> {
  const dialer = streamDialerOf(webSocket(target, options));
  if (!dialer) throw new Error("the transport has no dialer");
  return dialer({ signal: abort });
}

/** A server that upgrades with the given lines of a head in place of the right ones. */
async function upgradingWith(...lines: readonly string[]): Promise<RawServer<IncomingMessage>> {
  return await RawServer.http((request, response) => {
    response.socket?.end(
      [
        "HTTP/1.1 101 Switching Protocols",
        ...lines.map((line) => line.replace("{key}", String(request.headers["sec-websocket-key"]))),
        "\r\n",
      ].join("\r\n"),
    );
  });
}

describe("a dial to the stream fails with the error of connect()", () => {
  const servers: Record<string, () => Promise<{ readonly url: string } & Partial<AsyncDisposable>>> = {
    "that refuses with 401": () => RawServer.http((_, response) => response.writeHead(401).end()),
    "that answers with 200": () => RawServer.http((_, response) => response.end()),
    "that does not listen": async () => ({ url: `ws://127.0.0.1:${await unusedPort()}` }),
    "that upgrades with a wrong key": () =>
      upgradingWith("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: wrong"),
    "that upgrades to something else": () => upgradingWith("Upgrade: h2c", "Connection: Upgrade"),
    "that has another certificate": () => startTlsServer(localhost),
  };

  test.each(Object.keys(servers))("to a server %s", async (name) => {
    const server = await servers[name]?.();
    const url = server?.url ?? "";
    const [expected, error] = [
      await failureOf(webSocket(url).connect({ signal })),
      await failureOf(dial(url)),
    ];
    expect(error).toMatchObject({ ...(expected as object) });
    expect((error as Error).message).toBe((expected as Error).message);
    await server?.[Symbol.asyncDispose]?.();
  });

  test.each<[string, NodeWebSocketOptions]>([
    ["an invalid subprotocol", { protocols: "s3cret token" }],
    ["a repeated subprotocol", { protocols: ["s3cret", "s3cret"] }],
    ["an invalid header", { headers: { "x-token": "s3cret\r\n" } }],
  ])("with %s", async (_, options) => {
    const url = "ws://127.0.0.1:1/";
    const error = await failureOf(dial(url, options));
    expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    expect((error as Error).message).toBe(
      ((await failureOf(webSocket(url, options).connect({ signal }))) as Error).message,
    );
    expectNoneShown(error, ["s3cret"]);
  });

  test("to a server that selects none of the subprotocols, or one that was not offered", async () => {
    for (const chosen of [false as const, "another"]) {
      await using server = await PlainWebSocketServer.start({ handleProtocols: () => chosen });
      expect(await failureOf(dial(server.url, { protocols: ["a", "b"] }))).toMatchObject({
        code: "ERR_CONNECT",
        phase: "dial",
      });
    }
  });

  test("to a server that compresses unasked", async () => {
    await using server = await RawServer.upgraded({ header: "Sec-WebSocket-Extensions: permessage-deflate" });
    expect(await failureOf(dial(server.url))).toMatchObject({ code: "ERR_CONNECT" });
    const socket = await server.next();
    if (!socket.readableEnded) await once(socket, "end");
  });
});

describe("a dial to the stream", () => {
  test("sends headers, subprotocols and the credentials of the URL", async () => {
    await using server = await PlainWebSocketServer.start();
    const url = server.url.replace("//", "//user:p%40ss@");
    const { stream } = await dial(`${url}/path?q=1`, { protocols: ["a", "b"], headers: { "x-token": "t" } });
    await server.next();
    expect(server.upgrades[0]).toMatchObject({
      url: "/path?q=1",
      headers: {
        "x-token": "t",
        "sec-websocket-protocol": "a,b",
        authorization: `Basic ${Buffer.from("user:p@ss").toString("base64")}`,
      },
    });
    expect(server.upgrades[0]?.headers).not.toHaveProperty("sec-websocket-extensions");
    stream.destroy();
  });

  test("leaves bytes of the same packet as the response on the stream", async () => {
    await using server = await RawServer.upgraded({ first: frame(TEXT, "first") });
    const { stream } = await dial(server.url);
    const [bytes] = await once(stream, "data");
    expect(bytes).toEqual(frame(TEXT, "first"));
    stream.destroy();
  });

  test("connects over TLS with a trusted certificate, and through an agent", async () => {
    await using tls = await startTlsServer(localhost);
    for (const options of [{ ca: localhost.cert }, { agent: new Agent({ ca: localhost.cert }) }]) {
      const { stream } = await dial(tls.url, options);
      stream.destroy();
    }
    await using server = await PlainWebSocketServer.start();
    const { stream } = await dial(server.url, { agent: new HttpAgent({ keepAlive: true }) });
    stream.destroy();
  });

  test("closes its socket when it is aborted, and rejects with the reason", async () => {
    await using server = await RawServer.silent();
    const controller = new AbortController();
    const dialling = failureOf(dial(server.url, {}, controller.signal));
    const socket = await server.next();
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await dialling).toBe(reason);
    await once(socket, "close");
  });

  test("calls the target's function for each dial", async () => {
    await using server = await PlainWebSocketServer.start();
    let calls = 0;
    const dialer = streamDialerOf(webSocket(() => `${server.url}/${++calls}`));
    for (const path of ["/1", "/2"]) {
      (await dialer?.({ signal }))?.stream.destroy();
      expect(server.upgrades.at(-1)?.url).toBe(path);
    }
  });

  test("needs no acknowledgement to a gateway", async () => {
    await using plain = await PlainWebSocketServer.start();
    await using gateway = await RawServer.upgraded({ header: "Via: 1.1 exec-server-gateway" });
    for (const [url, needed] of [
      [plain.url, true],
      [gateway.url, false],
    ] as const) {
      const { stream, needsPromptAck } = await dial(url);
      expect(needsPromptAck).toBe(needed);
      stream.destroy();
    }
  });

  test("is offered by no other transport", () => {
    expect(streamDialerOf(stdio({ command: "true" }))).toBeUndefined();
  });
});
