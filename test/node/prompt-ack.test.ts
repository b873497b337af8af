import { once } from "node:events";
import { afterEach, beforeEach, expect, it, type MockInstance, vi } from "vitest";
import { WebSocket } from "ws";
import { ExecServerClient } from "../../src/index.ts";
import { stdio, webSocket } from "../../src/node.ts";
import { codexBinary, ExecServer, makeCodexHome } from "../support/exec-server.ts";
import { pageTransport, startGateway, startRealGateway } from "../support/gateway.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

/** Every pong that this process sends. The spy passes it through. */
let pongs: MockInstance<WebSocket["pong"]>;
beforeEach(() => {
  pongs = vi.spyOn(WebSocket.prototype, "pong");
});
afterEach(() => {
  pongs.mockRestore();
});

/** The number of pongs that answer no ping: those that do have its data. */
const unsolicited = (): number => pongs.mock.calls.filter((call) => call.length === 0).length;

const { signal } = new AbortController();

/** Both ends of a connection that speaks no protocol. The client's end answers a frame with what `respond` returns. */
async function plainConnection(respond: (frame: string) => string | undefined = () => undefined) {
  const server = await PlainWebSocketServer.start();
  const connection = await webSocket(server.url).connect({ signal });
  const peer = await server.next();
  const frames: string[] = [];
  connection.start({
    onFrame(frame) {
      frames.push(Buffer.from(frame).toString());
      const response = respond(frames.at(-1) as string);
      if (response !== undefined) connection.send(response);
    },
    onEnd() {},
  });
  return {
    connection,
    peer,
    frames,
    /** Resolves when the client's end has read and sent everything before. The pong of a ping has its data. */
    async barrier() {
      for (;;) {
        peer.ping("barrier");
        const [data] = await once(peer, "pong");
        if (String(data) === "barrier") return;
      }
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function median(times: number, work: () => Promise<unknown>): Promise<number> {
  const durations: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await work();
    durations.push(performance.now() - start);
  }
  return durations.sort((a, b) => a - b)[times >> 1] as number;
}

it("acknowledges a small frame with one pong if nothing else is sent", async () => {
  await using t = await plainConnection();
  t.peer.send("{}");
  const [data] = await once(t.peer, "pong");
  expect(String(data)).toBe("");
  await t.barrier();
  expect(t.frames).toEqual(["{}"]);
  expect(unsolicited()).toBe(1);
});

it("acknowledges the frames of one turn with one pong", async () => {
  await using t = await plainConnection();
  t.peer.send("{}");
  t.peer.send("{}");
  t.peer.send("{}");
  await once(t.peer, "pong");
  await t.barrier();
  expect(t.frames).toHaveLength(3);
  expect(unsolicited()).toBe(1);
});

it("sends no pong if a request goes out in the same turn", async () => {
  await using t = await plainConnection(() => '{"id":1}');
  t.peer.send("{}");
  const [request] = await once(t.peer, "message");
  expect(String(request)).toBe('{"id":1}');
  await t.barrier();
  expect(unsolicited()).toBe(0);
});

it("sends no pong after the connection has been closed", async () => {
  await using t = await plainConnection(() => {
    void t.connection.close();
    return undefined;
  });
  t.peer.send("{}");
  await once(t.peer, "close");
  expect(unsolicited()).toBe(0);
});

it("sends a pong for at most every MiB of a flood", async () => {
  await using server = await ExecServer.start();
  await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
  await client.status();
  pongs.mockClear();
  const { stdout } = await client.run(["head", "-c", String(64 << 20), "/dev/zero"], {
    encoding: "bytes",
    maxBufferedBytes: 1 << 30,
  });
  expect(stdout).toHaveLength(64 << 20);
  // The server pauses now and then, on a busy machine for longer.
  expect(unsolicited()).toBeLessThanOrEqual(64);
});

it("sends a gateway no pong, and the gateway's own connection acknowledges", async () => {
  await using server = await PlainWebSocketServer.start();
  await using gateway = await startGateway(server.url);
  const connection = await pageTransport(gateway.url).connect({ signal });
  const peer = await server.next();
  const arrived = new Promise<void>((resolve) => connection.start({ onFrame: () => resolve(), onEnd() {} }));
  const acknowledged = once(peer, "pong");
  peer.send("{}");
  await arrived;
  expect(String((await acknowledged)[0])).toBe("");
  // The pong of a ping comes behind any other.
  await connection.ping?.();
  expect(unsolicited()).toBe(0);
  await connection.close();
});

it("runs a small command through the gateway in at most 3 times as long as without it", async () => {
  await using gateway = await startRealGateway();
  await using far = await gateway.connect();
  await using near = await ExecServerClient.connect({ transport: webSocket(gateway.server.url) });
  const without = await median(15, () => near.run(["true"]));
  const through = await median(15, () => far.run(["true"]));
  // On a busy machine both take longer.
  expect(through).toBeLessThan(Math.max(3 * without, 25));
});

it("runs a small command over a WebSocket in at most 3 times as long as over stdio", async () => {
  await using server = await ExecServer.start();
  await using far = await ExecServerClient.connect({ transport: webSocket(server.url) });
  await using near = await ExecServerClient.connect({
    transport: stdio({
      command: codexBinary(),
      args: ["exec-server", "--listen", "stdio"],
      env: { CODEX_HOME: makeCodexHome() },
    }),
  });
  const overStdio = await median(15, () => near.run(["true"]));
  const overWebSocket = await median(15, () => far.run(["true"]));
  // Without the pong it is 10 times. On a busy machine both take longer.
  expect(overWebSocket).toBeLessThan(Math.max(3 * overStdio, 25));
});
