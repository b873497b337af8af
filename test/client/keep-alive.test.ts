import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { LazyExecServerClient } from "../../src/client/lazy-client.ts";
import { stdio } from "../../src/node/stdio.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { webSocket } from "../../src/transport/websocket/isomorphic.ts";
import { codexBinary, ExecServer, makeCodexHome } from "../support/exec-server.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

const KEEP_ALIVE = { intervalMs: 200, timeoutMs: 300 };

/** Like the WebSocket of a browser it has no ping(), so the probe is a status request. */
class SocketWithoutPing extends WebSocket {
  override ping = undefined as never;
}

let server: ExecServer;
let proxy: TcpProxy;
beforeAll(async () => {
  server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
  proxy = await TcpProxy.start(() => Number(new URL(server.url).port));
});
afterAll(async () => {
  await proxy.close();
  await server[Symbol.asyncDispose]();
});

describe.each([
  ["by pings", (): Transport => webSocket(proxy.url, { WebSocket })],
  ["by the status", (): Transport => webSocket(proxy.url, { WebSocket: SocketWithoutPing })],
])("keepAlive on a real connection, %s", (_, transport) => {
  it("ends a silently dead connection and rejects what is pending on it; nothing is dialled before the next get()", async () => {
    await using client = new LazyExecServerClient({ transport: transport(), keepAlive: KEEP_ALIVE });
    const first = await client.get();
    const process = await client.start(["sleep", "60"]);
    const dials = proxy.dials;
    proxy.freeze();
    const error = await first.disconnected;
    expect(error).toMatchObject({ code: "ERR_DISCONNECTED", sessionId: first.sessionId });
    expect(error.message).toContain("gave no sign of life within 300 ms");
    await expect(process.exited).rejects.toMatchObject({ code: "ERR_DISCONNECTED" });
    expect([client.state, proxy.dials]).toEqual(["disconnected", dials]);
    expect(client.timeline.at(-1)).toMatchObject({
      state: "disconnected",
      closedBy: "client",
      pending: { processes: 1 },
    });
    expect((await client.get()).sessionId).not.toBe(first.sessionId);
    expect(proxy.dials).toBe(dials + 1);
  });

  it("keeps an idle connection that is alive", async () => {
    await using client = new LazyExecServerClient({ transport: transport(), keepAlive: KEEP_ALIVE });
    const first = await client.get();
    await client.run(["sleep", "2"]);
    expect(await client.get()).toBe(first);
  });
});

it("keepAlive keeps a stdio connection whose server handles requests one by one", async () => {
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
