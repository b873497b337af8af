import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { LazyExecServerClient, type RemoteSocket, webSocket } from "../../src/index.ts";
import { webSocket as nodeWebSocket } from "../../src/node.ts";
import { gone } from "../support/command-lines.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { found } from "../support/relay-tools.ts";
import { TcpPeer } from "../support/tcp-peer.ts";

async function echoed(socket: RemoteSocket, text: string): Promise<string> {
  const writer = socket.writable.getWriter();
  const reader = socket.readable.getReader();
  await writer.write(Buffer.from(text));
  let answer = "";
  while (answer.length < text.length) {
    const { value } = await reader.read();
    answer += Buffer.from(value ?? []);
  }
  writer.releaseLock();
  reader.releaseLock();
  return answer;
}

/** A socket of Node for a remote connection. */
const duplexOf = ({ readable, writable }: RemoteSocket): Duplex =>
  Duplex.fromWeb({ readable, writable } as never);

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

describe("the search for a program", () => {
  it.each([
    [["perl", "python3", "node", "socat", "bash", "nc"], "perl"],
    [["python3", "node", "socat", "bash", "nc"], "python3"],
    [["node", "socat", "bash", "nc"], "node"],
    [["socat", "bash", "nc"], "socat"],
    [["bash", "nc"], "bash"],
    [["nc"], "nc"],
    [[], ""],
  ])("of %j finds %j", (programs, name) => {
    expect(found(programs)).toBe(name);
  });

  it("runs once per session", async () => {
    await using server = await ExecServer.start();
    await using peer = await TcpPeer.echo();
    const methods: string[] = [];
    await using client = new LazyExecServerClient({ transport: webSocket(server.url) });
    const { rpc } = await client.openSession();
    const call = rpc.call.bind(rpc);
    rpc.call = ((method: string, ...rest: never[]) => {
      methods.push(method);
      return (call as (...all: unknown[]) => unknown)(method, ...rest);
    }) as never;
    const open = () => client.connectTcp({ port: peer.port });
    const sockets = await Promise.all([open(), open()]);
    sockets.push(await open());
    expect(methods.filter((method) => method === "process/start")).toHaveLength(4);
    await Promise.all(sockets.map((socket) => socket.close()));
  });
});

describe("connectTcp", () => {
  it("rejects a target that is wrong, unsent", async () => {
    await using client = new LazyExecServerClient({ transport: webSocket("ws://127.0.0.1:1") });
    for (const target of [
      undefined,
      {},
      { port: 0 },
      { port: 65_536 },
      { port: "80" },
      { port: 80, host: "" },
      { port: 80, host: "-e" },
      { port: 80, host: "a,b" },
      { port: 80, host: "a b" },
      { port: 80, hostname: "a" },
      { port: 80, signal: {} },
    ]) {
      await expect(client.connectTcp(target as never)).rejects.toMatchObject({
        code: "ERR_INVALID_ARGUMENT",
        message: expect.stringContaining("connectTcp()"),
        operation: "connectTcp",
      });
    }
    expect(client.state).toBe("idle");
  });

  it("reaches IPv6 and a host name", async () => {
    await using real = await realClient();
    await using peer = await TcpPeer.listen({ host: "::1" });
    const [six] = await Promise.all([
      real.client.connectTcp({ port: peer.port, host: "::1" }),
      peer.accept(),
    ]);
    await six.close();
    await using echo = await TcpPeer.echo();
    await using named = await real.client.connectTcp({ port: echo.port, host: "localhost" });
    expect(await echoed(named, "hi")).toBe("hi");
  });

  it("rejects with the caller's line, if nothing listens there", async () => {
    await using real = await realClient();
    async function theCaller(): Promise<unknown> {
      return await real.client.connectTcp({ port: 1 });
    }
    const error = (await failureOf(theCaller())) as Error;
    expect(error).toMatchObject({
      kind: "refused",
      operation: "connectTcp",
      message: "connectTcp: Could not connect to 127.0.0.1:1: Connection refused",
    });
    expect(error.stack?.split("\n").slice(1, 11).join("\n")).toContain("theCaller");
  });

  it("rejects with the reason of a signal that aborts before there is a connection", async () => {
    await using real = await realClient();
    await using peer = await TcpPeer.listen();
    const abort = new AbortController();
    const reason = new Error("no more");
    const opening = real.client.connectTcp({ port: peer.port, signal: abort.signal });
    abort.abort(reason);
    expect(await failureOf(opening)).toBe(reason);
    expect(await failureOf(real.client.connectTcp({ port: peer.port, signal: abort.signal }))).toBe(reason);
    await gone(String(peer.port));
  });

  it("keeps 200 connections at once", async () => {
    await using server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
    await using client = new LazyExecServerClient({ transport: nodeWebSocket(server.url) });
    await using peer = await TcpPeer.echo();
    const sockets = await Promise.all(
      Array.from({ length: 200 }, () => client.connectTcp({ port: peer.port })),
    );
    const echoes = await Promise.all(sockets.map((socket, at) => echoed(socket, `number ${at}`)));
    expect(echoes).toEqual(sockets.map((_, at) => `number ${at}`));
    expect(peer.size).toBe(200);
    await Promise.all(sockets.map((socket) => socket.close()));
    await expect.poll(() => peer.size).toBe(0);
    await gone(String(peer.port));
  }, 120_000);

  it("ends on every side when the server is killed, and connects again in a fresh session", async () => {
    await using server = await ExecServer.start();
    await using client = new LazyExecServerClient({ transport: nodeWebSocket(server.url) });
    await using peer = await TcpPeer.echo();
    const opened = Array.from({ length: 20 }, () => client.connectTcp({ port: peer.port }));
    const sockets = await Promise.all(opened);
    const { sessionId } = await client.get();
    const failures = sockets.flatMap(({ closed, readable }) => [
      failureOf(closed),
      failureOf(readable.getReader().read()),
    ]);
    await server.restart();
    for (const failure of await Promise.all(failures)) {
      expect(failure).toMatchObject({ code: "ERR_DISCONNECTED", sessionId });
    }
    await expect.poll(() => peer.size).toBe(0);
    await gone(String(peer.port));
    await using again = await client.connectTcp({ port: peer.port });
    expect(await echoed(again, "again")).toBe("again");
    expect(client.timeline.filter(({ state }) => state === "connected")).toHaveLength(2);
  });
});

describe("a socket of Node over connectTcp", () => {
  it("serves http.request", async () => {
    await using real = await realClient();
    const server = createServer((incoming, response) => incoming.pipe(response));
    const port = await listening(server);
    const body = Buffer.alloc(3_000_000, "0123456789");
    const stream = duplexOf(await real.client.connectTcp({ port }));
    const outgoing = request({
      method: "POST",
      createConnection: () => stream,
      headers: { connection: "close" },
    });
    outgoing.end(body);
    const [response] = await once(outgoing, "response");
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(body)).toBe(true);
    if (!stream.closed) await once(stream, "close");
    server.close();
    await once(server, "close");
  });

  it("serves ws", async () => {
    await using real = await realClient();
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    server.on("connection", (socket) =>
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    const { port } = server.address() as AddressInfo;
    const stream = duplexOf(await real.client.connectTcp({ port }));
    // Methods that ws calls on a net.Socket.
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { createConnection: () => stream as never });
    await once(socket, "open");
    for (const message of ["one", "x".repeat(200_000)]) {
      socket.send(message);
      const [answer] = await once(socket, "message");
      expect(String(answer) === message).toBe(true);
    }
    socket.close(1000);
    expect((await once(socket, "close"))[0]).toBe(1000);
    server.close();
    await once(server, "close");
  });
});
