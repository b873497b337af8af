import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RemoteSocket } from "../../src/index.ts";
import { gone } from "../support/command-lines.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { connectWith, INSTALLED } from "../support/relay-tools.ts";
import { outcome, received, TcpPeer } from "../support/tcp-peer.ts";

const text = (value: string): Uint8Array => Buffer.from(value);

async function readAll({ readable }: RemoteSocket): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readable) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads until this many bytes have arrived. */
async function readBytes({ readable }: RemoteSocket, count: number): Promise<Buffer> {
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  for (let length = 0; length < count; ) {
    const { value } = await reader.read();
    if (!value) break;
    chunks.push(value);
    length += value.length;
  }
  reader.releaseLock();
  return Buffer.concat(chunks);
}

describe("the programs", () => {
  it("that a test machine has are all there", () => {
    expect(INSTALLED).toEqual(["perl", "python3", "node", "socat", "bash", "nc"]);
  });
});

describe.each(INSTALLED)("a connection through %s", (name) => {
  let real: Awaited<ReturnType<typeof realClient>>;
  let peer: TcpPeer;
  beforeAll(async () => {
    real = await realClient({ args: ["--concurrent-requests", "8"] });
    peer = await TcpPeer.listen();
  });
  afterAll(async () => {
    await real[Symbol.asyncDispose]();
    await peer[Symbol.asyncDispose]();
  });

  const open = async (signal?: AbortSignal) => {
    const target = signal ? { port: peer.port, signal } : { port: peer.port };
    const [socket, far] = await Promise.all([connectWith(real.client, name, target), peer.accept()]);
    return { socket, far, writer: socket.writable.getWriter() };
  };
  /** Those that can tell the two ends of a connection apart. */
  const isFramed = ["perl", "python3", "node"].includes(name);
  const isFull = name !== "bash" && name !== "nc";

  it("passes every byte on in both directions at once", async () => {
    const { socket, far, writer } = await open();
    const there = randomBytes(6_000_000);
    const back = randomBytes(6_000_000);
    const arrived = new Promise<Buffer>((resolve) => {
      const chunks: Buffer[] = [];
      let length = 0;
      far.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length === there.length) resolve(Buffer.concat(chunks));
      });
    });
    far.write(back);
    for (let at = 0, size = 1; at < there.length; at += size, size = (size * 7) % 300_001) {
      await writer.write(there.subarray(at, at + size));
    }
    expect((await readBytes(socket, back.length)).equals(back)).toBe(true);
    expect((await arrived).equals(there)).toBe(true);
    await socket.close();
  });

  if (name !== "bash")
    it("passes its end on, and still reads", async () => {
      const { socket, far, writer } = await open();
      await writer.write(text("question"));
      const [question] = await Promise.all([received(far), writer.close()]);
      far.end("answer");
      expect(String(question)).toBe("question");
      expect(String(await readAll(socket))).toBe("answer");
      await socket.closed;
    });

  if (name !== "bash")
    it("delivers all that the other side sends before both ends, however late it is read", async () => {
      const { socket, far, writer } = await open();
      const all = Buffer.alloc(6_000_000, randomBytes(1_000));
      await writer.close();
      far.end(all);
      expect((await readAll(socket)).equals(all)).toBe(true);
      await socket.closed;
    });

  if (name === "bash")
    it("rejects the end of one direction, which bash can't send", async () => {
      const { socket, far, writer } = await open();
      await expect(writer.close()).rejects.toMatchObject({ code: "ERR_UNSUPPORTED" });
      expect(await Promise.all([outcome(far), socket.close()])).toEqual([undefined, undefined]);
    });

  if (name !== "nc")
    it("reads the end of the other side, and still writes", async () => {
      const { socket, far, writer } = await open();
      far.end("hello");
      expect(String(await readAll(socket))).toBe("hello");
      await writer.write(text("the last words"));
      const [last] = await Promise.all([received(far), isFull ? writer.close() : socket.close()]);
      expect(String(last)).toBe("the last words");
      await socket.closed;
    });

  it("delivers what came before a reset, and then the error", async () => {
    const { socket, far, writer } = await open();
    far.write("partial");
    expect(String(await readBytes(socket, 7))).toBe("partial");
    far.resetAndDestroy();
    const expected = { code: "ERR_SERVER", kind: "reset", operation: "connectTcp" };
    expect(await failureOf(readAll(socket))).toMatchObject(expected);
    expect(await failureOf(socket.closed)).toMatchObject(expected);
    expect(await failureOf(writer.closed)).toMatchObject(expected);
  });

  it("passes on what was written before close(), and then ends", async () => {
    const { socket, far, writer } = await open();
    void writer.write(text("last words"));
    const [words] = await Promise.all([received(far), socket.close()]);
    expect(String(words)).toBe("last words");
    await socket.closed;
    await expect(writer.write(text("more"))).rejects.toMatchObject({ code: "ERR_STDIN_CLOSED" });
  });

  it("ends at once when its signal aborts", async () => {
    const abort = new AbortController();
    const { socket, far, writer } = await open(abort.signal);
    await writer.write(text("unfinished"));
    await once(far, "readable");
    const reason = new Error("stop");
    const ended = outcome(far);
    abort.abort(reason);
    expect(await failureOf(readAll(socket))).toBe(reason);
    expect(await failureOf(socket.closed)).toBe(reason);
    expect(await failureOf(writer.write(text("more")))).toBe(reason);
    // The others can't reset a connection.
    expect(await ended).toBe(name === "perl" || name === "python3" ? "ECONNRESET" : undefined);
  });

  it("holds a sender back while nothing is read, and loses nothing", async () => {
    const { socket, far } = await open();
    // The others are stopped by a signal, which takes a while.
    const all = Buffer.alloc(isFramed ? 40_000_000 : 120_000_000, randomBytes(1_000));
    let sent = 0;
    for (let at = 0; at < all.length; at += 1_000_000) {
      far.write(all.subarray(at, at + 1_000_000), () => {
        sent += 1_000_000;
      });
    }
    let before = 0;
    const standsStill = (): boolean => {
      const isSame = sent > 0 && sent === before;
      before = sent;
      return isSame;
    };
    await expect.poll(standsStill, { interval: 500, timeout: 20_000 }).toBe(true);
    expect(sent).toBeLessThan(all.length);
    expect((await readBytes(socket, all.length)).equals(all)).toBe(true);
    await socket.close();
  });

  it("reports a port where nothing listens, and a host that does not exist", async () => {
    const closed = await TcpPeer.listen();
    const { port } = closed;
    await closed[Symbol.asyncDispose]();
    await expect(connectWith(real.client, name, { port })).rejects.toMatchObject({
      code: "ERR_SERVER",
      kind: "refused",
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port}: connection refused$`, "i")),
    });
    await expect(connectWith(real.client, name, { port, host: "no.host.invalid" })).rejects.toMatchObject({
      kind: "not-found",
    });
  });

  it("leaves no process behind", async () => {
    const { socket } = await open();
    await socket.close();
    await gone(String(peer.port));
  });
});
