import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ServerError } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { relayedFiles } from "../support/remote-files.ts";

const MIB = 1024 * 1024;

let relayed: Awaited<ReturnType<typeof relayedFiles>>;
beforeAll(async () => {
  relayed = await relayedFiles();
});
afterAll(() => relayed[Symbol.asyncDispose]());
afterEach(() => {
  relayed.relay.intercept = () => undefined;
});

/** Offset and length of every block sent since. */
function blocksSince(before: number): [number, number][] {
  return relayed.relay.received
    .slice(before)
    .filter(({ method }) => method === "fs/writeBlock")
    .map(({ params }) => [
      Number(params?.["offset"]),
      Buffer.byteLength(String(params?.["chunk"]), "base64"),
    ]);
}

describe("createWriteStream()", () => {
  it("collects small pieces into blocks and splits large ones, in order", async () => {
    const path = relayed.path("pieces");
    const data = randomBytes(6 * MIB + 12_345);
    const before = relayed.relay.received.length;
    const writer = relayed.fs.createWriteStream(path).getWriter();
    let at = 0;
    for (const length of [1, 0, 999, 500_000, 2 * MIB, 700_000, 3 * MIB, 7]) {
      await writer.write(data.subarray(at, at + length));
      at += length;
    }
    await writer.write(data.subarray(at));
    await writer.close();
    expect(Buffer.compare(readFileSync(path), data)).toBe(0);
    const blocks = blocksSince(before);
    expect(blocks.reduce((sum, [, length]) => sum + length, 0)).toBe(data.length);
    expect(Math.max(...blocks.map(([, length]) => length))).toBe(MIB);
    expect(blocks).toHaveLength(7);
  });

  it("keeps bytes that do not fill a block until the close", async () => {
    const before = relayed.relay.received.length;
    const writer = relayed.fs.createWriteStream(relayed.path("late")).getWriter();
    for (let i = 0; i < 100; i++) await writer.write(Buffer.from("line\n"));
    await relayed.client.status();
    expect(blocksSince(before)).toEqual([]);
    await writer.close();
    expect(blocksSince(before)).toEqual([[0, 500]]);
    expect(readFileSync(relayed.path("late"), "utf8")).toBe("line\n".repeat(100));
  });

  it("creates an empty file, or empties an existing one, when it closes without a write", async () => {
    writeFileSync(relayed.path("emptied"), "before");
    for (const name of ["emptied", "made"]) {
      await relayed.fs.createWriteStream(relayed.path(name)).close();
      expect(readFileSync(relayed.path(name), "utf8")).toBe("");
    }
  });

  it("lets the caller reuse the memory of a chunk once its write has resolved", async () => {
    const memory = Buffer.alloc(MIB + 10);
    const writer = relayed.fs.createWriteStream(relayed.path("reused")).getWriter();
    for (const byte of [1, 2, 3]) await writer.write(memory.fill(byte));
    await writer.close();
    const expected = Buffer.concat([1, 2, 3].map((byte) => Buffer.alloc(MIB + 10, byte)));
    expect(Buffer.compare(readFileSync(relayed.path("reused")), expected)).toBe(0);
  });

  it("accepts the chunks of a read stream and of any other stream of bytes", async () => {
    await relayed.sh("head -c 20000000 /dev/urandom > source");
    const { fs, path } = relayed;
    await fs.createReadStream(path("source")).pipeTo(fs.createWriteStream(path("target")));
    expect(await relayed.sh("cmp source target && echo same")).toBe("same");
    const body = new Response("text").body as ReadableStream<Uint8Array>;
    await body.pipeTo(fs.createWriteStream(path("target")));
    expect(readFileSync(path("target"), "utf8")).toBe("text");
  });

  it("opens nothing before the first write", async () => {
    writeFileSync(relayed.path("kept"), "kept");
    const stream = relayed.fs.createWriteStream(relayed.path("kept"));
    await stream.abort();
    const signal = AbortSignal.abort("no");
    const writer = relayed.fs.createWriteStream(relayed.path("kept"), { signal }).getWriter();
    expect(await writer.write(new Uint8Array(1)).catch((reason: unknown) => reason)).toBe("no");
    expect(readFileSync(relayed.path("kept"), "utf8")).toBe("kept");
  });

  it("rejects a chunk that is not bytes, and opens nothing for it", async () => {
    writeFileSync(relayed.path("kept"), "kept");
    const writer = relayed.fs.createWriteStream(relayed.path("kept")).getWriter();
    expect(await failureOf(writer.write(1 as never))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message: expect.stringContaining("data must be a string, an ArrayBuffer or a typed array, got 1"),
    });
    await relayed.client.status();
    expect(readFileSync(relayed.path("kept"), "utf8")).toBe("kept");
  });
});

describe("a write that fails", () => {
  const rejectFrom = (offset: number) => {
    relayed.relay.intercept = ({ method, params }) =>
      method === "fs/writeBlock" && Number(params?.["offset"]) >= offset
        ? { error: { code: -32603, message: "No space left on device (os error 28)" } }
        : undefined;
  };

  it("rejects with the bytes written and closes the file", async () => {
    rejectFrom(3 * MIB);
    const path = relayed.path("full");
    const writer = relayed.fs.createWriteStream(path).getWriter();
    const closes = relayed.relay.count("fs/close");
    const error = (await failureOf(writer.write(new Uint8Array(20 * MIB)))) as ServerError;
    expect(error).toMatchObject({ code: "ERR_SERVER", bytesWritten: 3 * MIB });
    expect(await failureOf(writer.closed)).toBe(error);
    await relayed.relay.request("fs/close", closes + 1);
    expect((await relayed.fs.stat(path)).size).toBe(3 * MIB);
  });

  it("is the last one: later writes send nothing", async () => {
    rejectFrom(0);
    const writer = relayed.fs.createWriteStream(relayed.path("full")).getWriter();
    const error = await failureOf(writer.write(new Uint8Array(5 * MIB)));
    await relayed.client.status();
    const before = relayed.relay.received.length;
    expect(await failureOf(writer.write(new Uint8Array(5 * MIB)))).toBe(error);
    expect(await failureOf(writer.close())).toBeInstanceOf(Error);
    await relayed.client.status();
    expect(blocksSince(before)).toEqual([]);
  });

  it("can reject only at the close", async () => {
    rejectFrom(0);
    const writer = relayed.fs.createWriteStream(relayed.path("full")).getWriter();
    await writer.write(new Uint8Array(10));
    expect(await failureOf(writer.close())).toMatchObject({ code: "ERR_SERVER", bytesWritten: 0 });
  });

  it("of a large writeFile() rejects with the bytes written", async () => {
    rejectFrom(2 * MIB);
    const writing = relayed.fs.writeFile(relayed.path("full"), new Uint8Array(9 * MIB));
    expect(await failureOf(writing)).toMatchObject({ code: "ERR_SERVER", bytesWritten: 2 * MIB });
  });

  it("because the disk is full rejects with the bytes written", async () => {
    const error = await failureOf(relayed.fs.writeFile("/dev/full", new Uint8Array(2 * MIB)));
    expect(error).toMatchObject({ code: "ERR_SERVER", bytesWritten: 0 });
  });
});

it("an aborted write sends nothing more", async () => {
  const controller = new AbortController();
  const writing = relayed.fs.writeFile(relayed.path("aborted"), new Uint8Array(60 * MIB), {
    signal: controller.signal,
    onProgress: ({ bytes }) => bytes === 5 * MIB && controller.abort(),
  });
  const before = relayed.relay.received.length;
  expect(await failureOf(writing)).toMatchObject({ name: "AbortError", bytesWritten: 5 * MIB });
  await relayed.fs.writeFile(relayed.path("aborted"), "short");
  expect(blocksSince(before).length).toBeLessThanOrEqual(9);
  expect(readFileSync(relayed.path("aborted"), "utf8")).toBe("short");
});

it("streams that are written at once do not mix", async () => {
  const names = Array.from({ length: 20 }, (_, i) => `parallel-${i}`);
  const hashes = await Promise.all(
    names.map(async (name, i) => {
      const data = randomBytes(MIB + i * 1000);
      const writer = relayed.fs.createWriteStream(relayed.path(name)).getWriter();
      for (let at = 0; at < data.length; at += 100_000) await writer.write(data.subarray(at, at + 100_000));
      await writer.close();
      return `${createHash("sha256").update(data).digest("hex")}  ${name}`;
    }),
  );
  expect((await relayed.sh("sha256sum parallel-* | sort -k 2")).split("\n")).toEqual(hashes.sort(byName));
});

function byName(a: string, b: string): number {
  return a.slice(64) < b.slice(64) ? -1 : 1;
}
