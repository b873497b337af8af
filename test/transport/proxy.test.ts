import { describe, expect, test } from "vitest";
import { proxy } from "../../src/transport/proxy.ts";
import type { Connection, ConnectionEnd, FlowControl } from "../../src/transport/transport.ts";
import { AsyncQueue } from "../support/async-queue.ts";
import { memoryTransport } from "../support/memory-transport.ts";
import { Recorder } from "../support/recorder.ts";

const maxLengths = { client: 5, server: 10 };

/** A connection to be proxied, and its far side, which the test controls. */
async function connection(flow?: FlowControl) {
  const accepted = new AsyncQueue<Connection & { end(end: ConnectionEnd): void }>();
  const { signal } = new AbortController();
  const near = await memoryTransport((server) => accepted.push(server)).connect({ signal });
  const far = await accepted.next();
  return { near: Object.assign(near, { flow }), far, recorder: new Recorder(far) };
}

/** A proxy between two connections. `closed` has the argument of each call of `closeClient`. */
async function running({
  signal = new AbortController().signal,
  flow,
}: Partial<{ signal: AbortSignal; flow: FlowControl }> = {}) {
  const client = await connection();
  const server = await connection(flow);
  const closed: unknown[] = [];
  const ended = proxy(client.near, server.near, {
    maxLengths,
    signal,
    async closeClient(end) {
      closed.push(end);
      await client.near.close();
    },
  });
  return { client, server, closed, ended };
}

/** A slow side: it drains when the test says so, or never. */
function undrained(): FlowControl {
  return { pause() {}, resume() {}, queuedBytes: 0, drained: () => new Promise(() => {}) };
}

describe("proxy()", () => {
  test("forwards frames in both directions, and closes the other side at the end of one", async () => {
    const { client, server, closed, ended } = await running();
    client.far.send("1");
    server.far.send("2");
    expect(await server.recorder.entries(1)).toEqual(["1"]);
    expect(await client.recorder.entries(1)).toEqual(["2"]);
    server.far.end({ reason: "done", closeCode: 1000 });
    const end = { side: "server", tooLong: false, end: { reason: "done", closeCode: 1000 } };
    expect(await ended).toEqual(end);
    expect(closed).toEqual([end]);
    await client.recorder.ended;
  });

  test("ends on the first frame over the limit of its side, and does not forward it", async () => {
    const { client, server, ended } = await running();
    client.far.send("12345");
    client.far.send("123456");
    client.far.send("1");
    expect(await ended).toEqual({ side: "client", tooLong: true, end: {} });
    await server.recorder.ended;
    expect(server.recorder.log).toEqual(["12345", "<end>"]);
  });

  test("closes both sides at once if the signal aborts", async () => {
    const controller = new AbortController();
    const { client, server, closed, ended } = await running({ signal: controller.signal });
    controller.abort();
    expect(await ended).toBeUndefined();
    expect(closed).toEqual([undefined]);
    await Promise.all([client.recorder.ended, server.recorder.ended]);
  });

  test("closes both sides at once if the signal has already aborted", async () => {
    const { client, server, closed, ended } = await running({ signal: AbortSignal.abort() });
    expect(await ended).toBeUndefined();
    expect(closed).toEqual([undefined]);
    await Promise.all([client.recorder.ended, server.recorder.ended]);
  });

  test("stops waiting for a server that does not drain if the signal aborts", async () => {
    const controller = new AbortController();
    const { client, server, ended } = await running({ signal: controller.signal, flow: undrained() });
    client.far.end({ reason: "done" });
    await client.recorder.ended;
    controller.abort();
    expect(await ended).toMatchObject({ side: "client", end: { reason: "done" } });
    await server.recorder.ended;
  });
});
