import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { LazyExecServerClient } from "../../src/client/lazy-client.ts";
import { stdio } from "../../src/node/stdio.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { webSocket } from "../../src/transport/websocket/websocket.ts";
import { codexBinary, ExecServer, makeCodexHome } from "../support/exec-server.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

const KEEP_ALIVE = { intervalMs: 200, timeoutMs: 300 };

/** As in a browser: no pings, so the status is asked for. */
class SocketWithoutPing extends WebSocket {
  override ping = undefined as never;
}

let server: ExecServer;
let network: TcpProxy;
beforeAll(async () => {
  server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
  network = await TcpProxy.start(() => Number(new URL(server.url).port));
});
afterAll(async () => {
  await network.close();
  await server[Symbol.asyncDispose]();
});

describe.each([
  ["by pings", (): Transport => webSocket(network.url, { WebSocket })],
  ["by the status", (): Transport => webSocket(network.url, { WebSocket: SocketWithoutPing })],
])("keepAlive on a real connection, %s", (_, transport) => {
  it("finds a socket that is silently dead; what hung on it fails, and nothing is dialled until it is asked for", async () => {
    await using client = new LazyExecServerClient({ transport: transport(), keepAlive: KEEP_ALIVE });
    const first = await client.get();
    const process = await client.start(["sleep", "60"]);
    const dials = network.dials;
    network.freeze();
    const error = await first.disconnected;
    expect(error).toMatchObject({ code: "ERR_DISCONNECTED", sessionId: first.sessionId });
    expect(error.message).toContain("gave no sign of life within 300 ms");
    await expect(process.exited).rejects.toMatchObject({ code: "ERR_DISCONNECTED" });
    expect([client.state, network.dials]).toEqual(["disconnected", dials]);
    expect(client.timeline.at(-1)).toMatchObject({
      state: "disconnected",
      closedBy: "client",
      pending: { processes: 1 },
    });
    expect((await client.get()).sessionId).not.toBe(first.sessionId);
    expect(network.dials).toBe(dials + 1);
  });

  it("leaves an idle connection alone that is alive", async () => {
    await using client = new LazyExecServerClient({ transport: transport(), keepAlive: KEEP_ALIVE });
    const first = await client.get();
    await client.run(["sleep", "2"]);
    expect(await client.get()).toBe(first);
  });
});

it("keepAlive works over stdio, where the server works through requests one by one", async () => {
  await using client = new LazyExecServerClient({
    transport: stdio({
      command: codexBinary(),
      args: ["exec-server", "--listen", "stdio"],
      env: { CODEX_HOME: makeCodexHome() },
    }),
    keepAlive: KEEP_ALIVE,
  });
  const first = await client.get();
  await client.run(["sleep", "2"]);
  expect(first.isDisconnected).toBe(false);
});

it.each([
  ["an interval of no time", { intervalMs: 0 }],
  ["a negative timeout", { timeoutMs: -1 }],
  ["what is no number", { timeoutMs: "5" as never }],
])("keepAlive refuses %s", (_, keepAlive) => {
  expect(() => new LazyExecServerClient({ transport: webSocket("ws://x"), keepAlive })).toThrow(
    expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
  );
});
