import { createHash } from "node:crypto";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { ReadBuffers } from "../../src/node/read-buffers.ts";
import { webSocket } from "../../src/node.ts";
import type { Connection } from "../../src/transport/transport.ts";
import { numbersFrom, Random } from "../support/random.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

const LAST = "the last message";
/** A connection at rest reads into 64 KiB; in bulk, into 256 KiB. */
const [SMALL, LARGE] = [64 * 1024, 256 * 1024];

const dial = (url: string) => webSocket(url).connect({ signal: new AbortController().signal });
const hashOf = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("base64");

/** Messages of every size that matters: much smaller than a read, about as long as one, and much longer. */
function messages(random: Random, count: number): Buffer[] {
  return Array.from({ length: count }, () => {
    const most = random.pick([100, 11_000, SMALL + 20, LARGE + 20, 4 * LARGE]);
    return Buffer.alloc(random.between(1, most), String(random.below(1_000_000)));
  });
}

/** Passes each frame to `onFrame` until the last one has arrived. */
function receive(
  connection: Connection,
  onFrame: (frame: Uint8Array) => void,
  releasesFrames?: boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.start({
      releasesFrames,
      onFrame(frame) {
        if (typeof frame === "string") reject(new Error("expected bytes"));
        else if (frame.length === LAST.length && Buffer.from(frame).toString() === LAST) resolve();
        else onFrame(frame);
      },
      onEnd: ({ reason }) => reject(new Error(reason)),
    });
  });
}

describe("the memory that a socket of the node entry reads into", () => {
  test.each([1, 2, 3, 4])("is not used again before its messages were received (seed %i)", async (seed) => {
    const random = new Random(numbersFrom(seed));
    await using server = await PlainWebSocketServer.start();
    const connection = await dial(server.url);
    const peer = await server.next();
    const sent = messages(random, 200);
    const pauses = random.fork();
    const received: string[] = [];
    const all = receive(
      connection,
      (frame) => {
        received.push(hashOf(frame));
        if (!pauses.chance(0.1)) return;
        // Messages that arrive meanwhile are queued, and so are bytes in the socket.
        connection.flow?.pause();
        setImmediate(() => connection.flow?.resume());
      },
      true,
    );
    for (const message of sent) {
      peer.send(message, { binary: random.chance(0.2) });
      if (random.chance(0.05)) peer.ping("ping");
      // Some messages arrive one by one, and some all at once.
      if (random.chance(0.2)) {
        const answered = once(peer, "pong");
        peer.ping();
        await answered;
      }
    }
    peer.send(LAST);
    await all;
    expect(received).toEqual(sent.map(hashOf));
    await connection.close();
  });

  test("is not used again under a receiver that may keep its frames", async () => {
    await using server = await PlainWebSocketServer.start();
    const connection = await dial(server.url);
    const peer = await server.next();
    const sent = Array.from({ length: 1_000 }, (_, n) => Buffer.alloc(11_000, String(n)));
    const kept: Uint8Array[] = [];
    const all = receive(connection, (frame) => kept.push(frame));
    // As text, which `ws` hands over as a part of what it read.
    for (const message of sent) peer.send(message, { binary: false });
    peer.send(LAST);
    await all;
    expect(kept.map(hashOf)).toEqual(sent.map(hashOf));
    await connection.close();
  });

  test("is the same few buffers during a flood of short messages", async () => {
    await using server = await PlainWebSocketServer.start();
    const connection = await dial(server.url);
    const peer = await server.next();
    const buffers = new Set<ArrayBufferLike>();
    const read = (frame: Uint8Array) => {
      if (frame.buffer.byteLength === SMALL || frame.buffer.byteLength === LARGE) buffers.add(frame.buffer);
    };
    const all = receive(connection, read, true);
    for (let n = 0; n < 5_000; n++) peer.send(Buffer.alloc(11_000, "x"), { binary: false });
    peer.send(LAST);
    await all;
    // 55 MB in reads of 256 KiB, beside which Node's own pool has parts of 64 KiB.
    expect([...buffers].filter(({ byteLength }) => byteLength === LARGE).length).toBeLessThan(8);
    expect([...buffers].filter(({ byteLength }) => byteLength === LARGE).length).toBeGreaterThan(0);
    await connection.close();
  });
});

describe("ReadBuffers", () => {
  const next = ({ onread }: ReadBuffers) => (onread.buffer as () => Buffer)();

  test("frees what was read before the buffer of a released message, and nothing else", () => {
    const buffers = new ReadBuffers();
    const [first, second, third] = [next(buffers), next(buffers), next(buffers)];
    buffers.release(second.subarray(10, 20));
    expect(next(buffers)).toBe(first);
    const others = [next(buffers), next(buffers)];
    expect(others).not.toContain(second);
    expect(others).not.toContain(third);
  });

  test("frees nothing for a message in memory of its own", () => {
    const buffers = new ReadBuffers();
    const taken = [next(buffers), next(buffers)];
    buffers.release(Buffer.alloc(SMALL));
    expect(taken).not.toContain(next(buffers));
  });
});
