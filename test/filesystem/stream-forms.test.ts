import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { failureOf } from "../support/failure.ts";
import { relayedFiles } from "../support/remote-files.ts";
import { webkitStreams } from "../support/webkit-streams.ts";

const MIB = 1024 * 1024;
const CONTENT = randomBytes(2 * MIB + 77);

let real: Awaited<ReturnType<typeof relayedFiles>>;
beforeAll(async () => {
  real = await relayedFiles();
  writeFileSync(real.path("file"), CONTENT);
  writeFileSync(real.path("empty"), "");
});
afterAll(() => real[Symbol.asyncDispose]());
afterEach(() => void vi.unstubAllGlobals());

describe("createReadStream() with a reader that brings its own memory", () => {
  it.each([[1], [1000], [65_536], [3 * MIB]])("fills views of %i bytes", async (length) => {
    const stream = real.fs.createReadStream(real.path("file"), {
      end: Math.min(CONTENT.length, length * 50) - 1,
    });
    const reader = stream.getReader({ mode: "byob" });
    const read: Uint8Array[] = [];
    let memory = new ArrayBuffer(length);
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(memory));
      if (value) read.push(value.slice());
      if (done) break;
      memory = value.buffer;
    }
    const all = Buffer.concat(read);
    expect(Buffer.compare(all, CONTENT.subarray(0, all.length))).toBe(0);
    expect(all.length).toBe(Math.min(CONTENT.length, length * 50));
    await reader.closed;
  });

  it("ends at once for an empty file", async () => {
    const reader = real.fs.createReadStream(real.path("empty")).getReader({ mode: "byob" });
    expect(await reader.read(new Uint8Array(8))).toMatchObject({ done: true });
  });

  it("rejects a pending read when the file can't be read or the signal aborts", async () => {
    const missing = real.fs.createReadStream(real.path("none")).getReader({ mode: "byob" });
    expect(await failureOf(missing.read(new Uint8Array(8)))).toMatchObject({ kind: "not-found" });
    const controller = new AbortController();
    const { signal } = controller;
    const reader = real.fs.createReadStream(real.path("file"), { signal }).getReader({ mode: "byob" });
    const reading = failureOf(reader.read(new Uint8Array(8)));
    const reason = new Error("aborted");
    controller.abort(reason);
    expect(await reading).toBe(reason);
  });
});

describe("in a browser whose streams are neither iterable nor byte streams", () => {
  let restoreStreams = (): void => {};
  const limitStreams = (): void => {
    restoreStreams = webkitStreams();
  };
  afterEach(() => restoreStreams());

  it("a read stream iterates with for await", async () => {
    limitStreams();
    const pieces: Uint8Array[] = [];
    for await (const piece of real.fs.createReadStream(real.path("file"))) pieces.push(piece);
    expect(Buffer.compare(Buffer.concat(pieces), CONTENT)).toBe(0);
  });

  it("a read stream closes its file when the loop ends early", async () => {
    limitStreams();
    const closes = real.relay.count("fs/close");
    const stream = real.fs.createReadStream(real.path("file"));
    for await (const _ of stream) break;
    await real.relay.request("fs/close", closes + 1);
    expect(stream.locked).toBe(false);
  });

  it("writeFile() takes such a stream", async () => {
    limitStreams();
    await real.fs.writeFile(real.path("copy"), real.fs.createReadStream(real.path("file")));
    restoreStreams();
    expect(await real.sh("cmp file copy && echo same")).toBe("same");
  });
});
