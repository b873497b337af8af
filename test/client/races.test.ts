import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type ExecEnvironment, type ExecProcess, LazyExecServerClient, webSocket } from "../../src/index.ts";
import { webSocket as nodeWebSocket } from "../../src/node.ts";
import { silence, type TestConnection, type TestRequest } from "../../src/testing.ts";
import { ExecServer, makeCodexHome } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { scriptedProcess, startsProcesses } from "../support/scripted-process.ts";
import { SocketServer } from "../support/scripted-server.ts";
import { RawServer } from "../support/tcp-server.ts";

const FILE = { isFile: true, isDirectory: false, isSymlink: false, size: 1, createdAtMs: 0, modifiedAtMs: 0 };

/** Every operation of an environment, with its last request. */
const operations: readonly (readonly [method: string, (on: ExecEnvironment) => Promise<unknown>])[] = [
  ["process/start", (on) => on.start(["program"], { cwd: "/" })],
  ["fs/writeFile", (on) => on.fs.writeFile("/a", "text")],
  ["fs/createDirectory", (on) => on.fs.mkdir("/a")],
  ["fs/remove", (on) => on.fs.rm("/a", { recursive: true })],
  ["fs/getMetadata", (on) => on.fs.cp("/a", "/b")],
  ["fs/readFile", (on) => on.fs.readFile("/a")],
  ["fs/getMetadata", (on) => on.fs.stat("/a")],
  ["fs/readDirectory", (on) => on.fs.readdir("/a")],
  ["fs/canonicalize", (on) => on.fs.realpath("/a")],
  ["http/request", (on) => on.fetch("http://origin.test/")],
  ["environment/info", (on) => on.info()],
  ["environment/status", (on) => on.status()],
];

/** A server that drops the connection when it receives this request, and answers the requests before it. */
async function serverDroppingOn(method: string): Promise<SocketServer> {
  const server = startsProcesses(await SocketServer.start());
  server.handle("fs/getMetadata", () => FILE);
  server.handle(method, (_, connection) => {
    connection.drop();
    return silence;
  });
  return server;
}

function lazyOn(server: { readonly url: string }): LazyExecServerClient {
  return new LazyExecServerClient({ transport: webSocket(server.url) });
}

function timesSent(server: SocketServer, method: string): number[] {
  return server.connections.map(
    ({ received }) => received.filter((message) => message.method === method).length,
  );
}

/** Waits one turn of the event loop, in which a background reconnect would dial. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a connection that breaks during an operation", () => {
  it.each(operations)("rejects %s, which was sent once, and nothing reconnects", async (method, run) => {
    await using server = await serverDroppingOn(method);
    await using lazy = lazyOn(server);
    expect(await failureOf(run(lazy))).toMatchObject({
      code: "ERR_DISCONNECTED",
      delivery: "unknown",
      sessionId: "session-1",
    });
    await nextTurn();
    expect(timesSent(server, method)).toEqual([1]);
    expect(lazy.state).toBe("disconnected");
  });

  it.each<[string, (process: ExecProcess) => Promise<unknown>]>([
    ["process/write", (process) => process.write("x")],
    ["process/signal", (process) => process.interrupt()],
    ["process/terminate", (process) => process.terminate()],
  ])("rejects %s of a process, which was sent once, and nothing reconnects", async (method, run) => {
    await using server = await serverDroppingOn(method);
    await using lazy = lazyOn(server);
    const process = await lazy.start(["program"], { cwd: "/", stdin: "pipe", signals: false });
    expect(await failureOf(run(process))).toMatchObject({ code: "ERR_DISCONNECTED", delivery: "unknown" });
    await nextTurn();
    expect(timesSent(server, method)).toEqual([1]);
  });
});

describe("an operation after a disconnect", () => {
  it.each(operations)("opens a new connection, and sends %s once on it", async (method, run) => {
    await using server = await serverDroppingOn(method);
    await using lazy = lazyOn(server);
    const first = await lazy.get();
    (await server.connection(1)).drop();
    await first.disconnected;
    expect(await failureOf(run(lazy))).toMatchObject({ delivery: "unknown", sessionId: "session-2" });
    expect(timesSent(server, method)).toEqual([0, 1]);
  });
});

describe("a failed attempt", () => {
  it.each<[string, (connection: TestConnection, request: TestRequest) => void]>([
    ["was refused", (connection, request) => connection.refuse(request, -32600, "refused")],
    ["was answered without a session", (connection, request) => connection.answer(request, {})],
    ["was answered with invalid JSON", (connection) => connection.send("}{")],
  ])("whose handshake %s is not cached", async (_, onInitialize) => {
    await using server = await SocketServer.start();
    const recover = server.handle("initialize", (request, connection) => {
      onInitialize(connection, request);
      return silence;
    });
    await using lazy = lazyOn(server);
    await failureOf(lazy.get());
    expect(lazy.state).toBe("idle");
    recover();
    expect((await lazy.get()).sessionId).toBe("session-2");
  });

  it("with HTTP 500 rejects its callers with the status, and the next attempt makes a new session", async () => {
    await using server = await SocketServer.start();
    await using lazy = new LazyExecServerClient({ transport: nodeWebSocket(server.url) });
    const first = await lazy.get();
    server.refuseNextDial({ status: 500 });
    (await server.connection(1)).drop();
    await first.disconnected;
    const reasons = await Promise.all([failureOf(lazy.get()), failureOf(lazy.get())]);
    expect(reasons[0]).toBe(reasons[1]);
    expect(reasons[0]).toMatchObject({ code: "ERR_CONNECT", phase: "dial", status: 500 });
    expect((await lazy.get()).sessionId).toBe("session-2");
  });
});

describe("a lazy client", () => {
  it("uses one connection for concurrent commands, files and HTTP requests", async () => {
    await using server = await ExecServer.start();
    await using origin = await RawServer.http((_request, response) => response.end("from the origin"));
    const file = join(makeCodexHome(), "file");
    writeFileSync(file, "from the disk");
    let dials = 0;
    await using lazy = new LazyExecServerClient({
      transport: webSocket(() => {
        dials++;
        return server.url;
      }),
    });
    const [ran, read, fetched] = await Promise.all([
      lazy.run(["echo", "from a process"]),
      lazy.fs.readFile(file, "utf8"),
      lazy.fetch(origin.url.replace("ws:", "http:")).then((response) => response.text()),
    ]);
    expect([ran.stdout, read, fetched]).toEqual(["from a process\n", "from the disk", "from the origin"]);
    expect(dials).toBe(1);
  });
});

describe("closing a client", () => {
  it("terminates no process", async () => {
    await using t = await scriptedProcess();
    await t.client.close();
    await t.connection.ended;
    expect(t.connection.received.map(({ method }) => method)).toEqual([
      "initialize",
      "initialized",
      "process/start",
    ]);
  });

  it("keeps no process alive, although a call was in flight", async () => {
    await using server = await SocketServer.start();
    const script = fileURLToPath(new URL("../fixtures/closes-client.ts", import.meta.url));
    const child = spawn(process.execPath, ["--import", "tsx", script, server.url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
    expect([stdout, code]).toEqual(["ERR_CLOSED", 0]);
  });
});
