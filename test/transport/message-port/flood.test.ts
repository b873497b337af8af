import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Connection, Transport } from "../../../src/index.ts";
import { stdio, webSocket } from "../../../src/node.ts";
import { codexBinary, ExecServer, makeCodexHome } from "../../support/exec-server.ts";
import { Renderer } from "../../support/renderer.ts";

const MiB = 1024 * 1024;
const FLOOD = 256 * MiB;
const MAX_GROWTH = 64 * MiB;

let server: ExecServer;
beforeAll(async () => {
  server = await ExecServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Counts the characters of incoming frames. */
class CountingTransport implements Transport {
  readonly reconnectable = true;
  readonly #transport: Transport;
  characters = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async connect(context: { readonly signal: AbortSignal }): Promise<Connection> {
    const connection = await this.#transport.connect(context);
    const start = connection.start.bind(connection);
    connection.start = (receiver) =>
      start({
        onFrame: (frame) => {
          this.characters += frame.length;
          receiver.onFrame(frame);
        },
        onEnd: (end) => receiver.onEnd(end),
      });
    return connection;
  }

  /** The highest memory use until no frame has arrived for half a second. */
  async peakUntilIdle(): Promise<number> {
    let peak = 0;
    let before = -1;
    for (let idle = 0; idle < 10; ) {
      idle = this.characters === before ? idle + 1 : 0;
      before = this.characters;
      peak = Math.max(peak, process.memoryUsage.rss());
      await sleep(50);
    }
    return peak;
  }
}

test.each([
  ["a WebSocket", () => webSocket(server.url)],
  [
    "a child process",
    () =>
      stdio({
        command: codexBinary(),
        args: ["exec-server", "--listen", "stdio"],
        env: { CODEX_HOME: makeCodexHome() },
      }),
  ],
])(
  "256 MiB of output from %s are held back while the renderer is blocked, and then arrive completely",
  async (_, transport) => {
    const upstream = new CountingTransport(transport());
    await using renderer = new Renderer(() => upstream);
    await renderer.call("session");
    const flag = new Int32Array(new SharedArrayBuffer(4));
    await renderer.call("stream", "sh", "-c", `echo go; sleep 0.5; exec head -c ${FLOOD} /dev/zero`);
    const unblocked = renderer.call("block", flag);
    const before = process.memoryUsage.rss();
    await expect.poll(() => upstream.characters).toBeGreaterThan(MiB);
    expect((await upstream.peakUntilIdle()) - before).toBeLessThan(MAX_GROWTH);
    expect(upstream.characters).toBeLessThan(FLOOD / 4);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
    await unblocked;
    expect(await renderer.call("readRest")).toBe(FLOOD);
    expect(upstream.characters).toBeGreaterThan((FLOOD * 4) / 3);
  },
  60_000,
);
